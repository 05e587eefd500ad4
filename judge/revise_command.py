"""`rejudge judge revise`: edits with reasons from a model that sees where the judge is wrong, and how they fare on dev."""

import argparse
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from data.command_line import AddAction, open_study, say, tell
from data.errors import RejudgeError
from data.store import Store

if TYPE_CHECKING:
    from judge.endpoint import JudgeEndpoint
    from judge.prompts import Prompt
    from judge.revising import Result, Revision

HELP = "edits of a prompt with their reasons, from train items on which the judge is wrong; the candidates compete on dev"
CANDIDATES = 3
MOST_CANDIDATES = 10


def revise(args: argparse.Namespace) -> int:
    from judge.revising import revision_meant
    from judge.revision_text import next_text

    study = open_study(args)
    with Store.open(study.database) as store:
        author = _author(store, args.by)
        revision = revision_meant(study, store, args.prompt, args.run)
        round = _Round(store, revision, _despite(store, revision, args.anyway), author)
        try:
            round.propose(_reviser(revision, args), args.candidates)
            judge = revision.endpoint(args.base_url, args.model)
            round.compete(judge)
        finally:
            # What was paid for is kept, however the round ends.
            saved = round.save()
        if round.stopped:
            say("Stopped. What came is stored; `rejudge judge run --split dev --prompt FILE` goes on with a candidate.")
            return 130
        winner = next((each for each in saved if round.result and each.hash == round.result.winner), None)
        if winner is not None:
            tell(next_text(winner, revision.prompt, revision.options(judge), revision.asked.question.type))
    return 0


def _author(store: Store, by: str | None) -> str:
    """Who stands in the files. Raises RejudgeError for somebody who does not run the study."""
    from data.store.people import check_lead, person_named
    from judge.revising import AUTHOR

    if by is None:
        return AUTHOR
    person = person_named(store, by)
    check_lead(store, person, "Only a lead revises a prompt.")
    return person.handle


def _reviser(revision: "Revision", args: argparse.Namespace) -> "JudgeEndpoint":
    from judge.endpoint import endpoint_meant

    judge = revision.endpoint(args.base_url, args.model)
    return endpoint_meant(revision.study, args.base_url or judge.base_url, args.model or judge.model)


def _despite(store: Store, revision: "Revision", anyway: bool) -> str:
    """What `--anyway` overrides, for the note. Raises RejudgeError where it was not given, and something stands in the way."""
    from judge.dev_table import dev_table
    from judge.revising import codebook_first, refuse_more_rounds, tree

    despite = []
    ready = codebook_first(store, revision)
    if ready.words and (ready.ready or anyway):
        say(" ".join(ready.words))
    if not ready.ready:
        if not anyway:
            raise RejudgeError(ready.words[0], " ".join(ready.words[1:]), "Mend it and label again, or go on with --anyway.")
        despite.append("though the codebook was to be mended first")
    try:
        refuse_more_rounds(tree(store, dev_table(store, revision.study, revision.asked.question.id)), revision.prompt)
    except RejudgeError as error:
        if not anyway:
            raise
        say(f"{error.wrong} {error.found}")
        despite.append("though the rounds before brought nothing")
    return ", ".join(despite)


@dataclass
class _Round:
    """Candidates from one prompt, as they come."""

    store: Store
    revision: "Revision"
    despite: str
    author: str
    candidates: "list[Prompt]" = field(default_factory=list)
    result: "Result | None" = None
    stopped: bool = False

    def propose(self, endpoint: "JudgeEndpoint", count: int) -> None:
        """Asks for each candidate in turn, telling it of those before."""
        from judge.free_call import FreeCalls
        from judge.lint import findings, said
        from judge.prompts import prompts_in
        from judge.reviser import SCHEMA, Proposal, propose
        from judge.revising import candidate, next_round
        from judge.revision_material import material
        from judge.revision_text import candidate_text, sent_text

        revision, question = self.revision, self.revision.asked.question
        given = material(self.store, revision.study, question, revision.prompt, revision.run)
        say(sent_text(given, endpoint.model, endpoint.base_url))
        number = next_round(revision.study, question, revision.prompt)
        there = {prompt.hash for prompt in prompts_in(revision.study, question)}
        reviser = FreeCalls(endpoint, SCHEMA)
        proposals: list[Proposal] = []
        for place in range(1, count + 1):
            found = propose(reviser, given, proposals)
            tell(candidate_text(place, count, revision.prompt, found))
            if isinstance(found, Proposal):
                proposals.append(found)
                child = candidate(revision, found, self.author, number, self.despite)
                if child.hash in there:
                    tell("  This prompt is there already; it is left out.")
                    continue
                if left_out := [said(each) for each in findings(revision.study, self.store, child) if each.refused]:
                    tell(f"  Left out: {' '.join(left_out)}")
                    continue
                there.add(child.hash)
                self.candidates.append(child)
        if not self.candidates:
            raise RejudgeError(
                f"{endpoint.model} proposed nothing that can be taken.",
                f"Found {count} answers, each with something wrong or known already; see above.",
                "Run it again, name another model with --model, or revise the file by hand.",
            )

    def compete(self, endpoint: "JudgeEndpoint") -> None:
        """Runs parent and candidates on the dev items that have a label; what is there is not asked again."""
        from data.store.judging import fullest
        from judge.asking import ask, probe
        from judge.dev_table import dev_table
        from judge.revising import result
        from judge.revision_text import result_text
        from judge.run_command import Bar

        numbers = dev_table(self.store, self.revision.study, self.revision.asked.question.id).labelled
        if not numbers:
            say("No dev item has a label, so the candidates do not compete. Label some: `rejudge draw --split dev`.")
            return
        runs: dict[str, Prompt] = {}
        probed = probe(self.store, endpoint, self.revision.parameters)
        for prompt in (self.revision.prompt, *self.candidates):
            judge = self.revision.judge(self.store, prompt, endpoint)
            with Bar(judge, len(numbers)) as bar:
                summary = ask(self.store, judge, numbers, progress=bar, probed=probed)
            for warning in summary.warnings():
                say(warning)
            if summary.stopped:
                self.stopped = True
                return
            # Of a server that goes between models the one that has judged most stands for the prompt.
            runs[fullest(self.store, summary.runs, self.revision.asked.code, numbers)] = prompt
        self.result = result(self.store, self.revision, runs)
        names = {each.hash: f"candidate {place}" for place, each in enumerate(self.candidates, 1)}
        tell(result_text(self.result, names | {self.revision.prompt.hash: "parent"}))

    def save(self) -> "list[Prompt]":
        """Every candidate as a file, the winner last."""
        from judge.revising import save

        winner = None if self.result is None else self.result.winner
        saved = save(self.revision, self.candidates, winner)
        places = {each.hash: place for place, each in enumerate(self.candidates, 1)}
        for each in saved:
            tell(f"Candidate {places[each.hash]} is {each.path} ({each.hash[:8]}).")
        return saved


def add_revise(add_action: AddAction) -> None:
    sub = add_action("revise", HELP)
    sub.add_argument("--prompt", metavar="P", help="what to revise: its path, or the beginning of its hash (default: that of R)")
    sub.add_argument("--run", metavar="R", help="whose errors to learn from (default: the run that a cause was given on last)")
    sub.add_argument("--candidates", type=_count, default=CANDIDATES, metavar="K", help=f"how many compete (default {CANDIDATES})")
    sub.add_argument("--model", metavar="M", help="the model that revises (default: the judge's)")
    sub.add_argument("--base-url", metavar="U", help="where that is asked (default: where the judge is)")
    sub.add_argument("--by", metavar="NAME", help="the lead who stands as author in the files (default: rejudge revise)")
    sub.add_argument("--anyway", action="store_true", help="also where the codebook is to be mended first, or rounds bring no gain")
    sub.set_defaults(run_command=revise)


def _count(text: str) -> int:
    number = int(text)
    if not 1 <= number <= MOST_CANDIDATES:
        raise argparse.ArgumentTypeError(f"must be from 1 to {MOST_CANDIDATES}, found {text}")
    return number
