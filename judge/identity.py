"""Which judge it is: everything that its verdicts depend on, and the request that it makes of a prompt."""

from dataclasses import dataclass
from typing import Any

from data.store import Store
from data.store.judging import ToJudge
from data.store.versions import AskedQuestion
from data.study import Study
from judge.endpoint import JudgeEndpoint, Parameters, chat_body
from judge.evidence import RENDERER, EvidenceView, view_of
from judge.examples import ShownExample, examples_shown
from judge.prompts import Prompt
from judge.replies import PARSER, schema_of
from judge.template import Rendered, parts_of, rendered


@dataclass(frozen=True, slots=True)
class Judge:
    """A prompt, a model and how they are used."""

    study: Study
    asked: AskedQuestion
    prompt: Prompt
    model: str
    base_url: str
    parameters: Parameters
    view: EvidenceView
    examples: tuple[ShownExample, ...]

    @classmethod
    def of(
        cls, store: Store, study: Study, asked: AskedQuestion, prompt: Prompt, endpoint: JudgeEndpoint, parameters: Parameters
    ) -> "Judge":
        """What `study` declares of views, and the prompt's examples, filled in. Raises RejudgeError for an example that is none."""
        view = view_of(study)
        examples = examples_shown(store, prompt, asked.question, view)
        return cls(study, asked, prompt, endpoint.model, endpoint.base_url, parameters, view, examples)

    @property
    def endpoint(self) -> JudgeEndpoint:
        return JudgeEndpoint(self.base_url, self.model)

    @property
    def run_name(self) -> str:
        """What a run of it is called, where that is free."""
        return f"{self.model}@{self.prompt.hash[:8]}"

    def document(self, snapshot: str, mode: str) -> dict[str, Any]:
        """Its identity; `snapshot`: the model that the server says it is, `mode`: how answers are asked for.

        The codebook page is part of it where the prompt shows it; examples are part of the prompt's hash.
        """
        parameters = self.parameters.document()
        return {
            "kind": "asked",
            "endpoint": self.base_url,
            "model": self.model,
            "snapshot": snapshot,
            "prompt": self.prompt.hash,
            "question": self.asked.version,
            "codebook": self.asked.codebook if "codebook" in parts_of(self.prompt)[1::2] else None,
            "parameters": {key.replace("max_completion_tokens", "max_tokens"): value for key, value in parameters.items()},
            "schema": schema_of(self.asked.question),
            "parser": PARSER,
            "renderer": RENDERER,
            "mode": mode,
            "view": self.view.document(),
        }

    def shown(self, trajectory: ToJudge) -> Rendered:
        """The prompt about a trajectory."""
        return rendered(self.prompt, self.asked.question, self.asked.page, trajectory, self.view, self.examples)

    def body(self, text: str, mode: str) -> dict[str, Any]:
        """The request that asks about a rendered prompt."""
        return chat_body(self.model, text, self.asked.question, mode, self.parameters)
