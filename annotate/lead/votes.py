"""What people and the judge said of one item, as HTML. Nobody's name stands here: a vote has a letter, for this item alone."""

from annotate.lead.text import html_of
from data.questions import Question, answer_text
from data.store.contested import Vote
from data.store.disagreements import Verdict
from data.store.versions import AskedQuestion

CONFIDENCE = {1: "low confidence", 2: "medium confidence", 3: "high confidence"}


def votes_html(asked: AskedQuestion, votes: list[Vote] | tuple[Vote, ...]) -> str:
    """A card for each vote."""
    return f'<div class="rj-votes" data-rj="votes">{"".join(_vote(asked, vote) for vote in votes)}</div>'


def verdict_html(question: Question, run: str, verdict: Verdict) -> str:
    """The judge's card, beside those of the votes."""
    parts = [f'<span class="rj-letter">{html_of(run)}</span>']
    if verdict.error is None:
        parts.append(f'<span class="rj-answer">{html_of(answer_text(question, verdict.answer))}</span>')
    else:
        parts.append('<span class="rj-answer">unreadable</span>')
    if verdict.confidence is not None:
        parts.append(f'<span class="rj-soft">confidence {verdict.confidence:.2f}</span>')
    if verdict.cites:
        parts.append(f'<span class="rj-soft">cites: {_steps(verdict.cites)}</span>')
    said = "" if verdict.error is None else f'<div class="rj-flag">{html_of(verdict.error)}</div>'
    said += _rationale(verdict.rationale)
    if not verdict.rationale:
        said += '<div class="rj-soft">It gave no rationale.</div>'
    return f'<div class="rj-vote rj-verdict" data-rj="verdict"><div class="rj-row">{"".join(parts)}</div>{said}</div>'


def _vote(asked: AskedQuestion, vote: Vote) -> str:
    said = "unsure" if vote.unsure else answer_text(asked.question, vote.answer) if vote.answer is not None else None
    parts = [f'<span class="rj-letter">Annotator {vote.letter}</span>']
    if said is not None:
        parts.append(f'<span class="rj-answer">{html_of(said)}</span>')
    if vote.confidence in CONFIDENCE:
        parts.append(f'<span class="rj-soft">{CONFIDENCE[vote.confidence]}</span>')
    if vote.evidence:
        parts.append(f'<span class="rj-soft">evidence: {_steps(vote.evidence)}</span>')
    if vote.codebook_version not in (None, asked.codebook_version):
        parts.append(f'<span class="rj-soft">codebook version {vote.codebook_version}</span>')
    if vote.codebook_version is None and said is not None:
        parts.append('<span class="rj-soft">imported</span>')
    body = _rationale(vote.rationale)
    body += "".join(f'<div class="rj-flag">flagged: {html_of(reason)}</div>' for reason in vote.flags)
    return f'<div class="rj-vote"><div class="rj-row">{"".join(parts)}</div>{body}</div>'


def _steps(positions: tuple[int, ...]) -> str:
    return f"{'step' if len(positions) == 1 else 'steps'} {', '.join(str(position + 1) for position in positions)}"


def _rationale(text: str) -> str:
    return f'<div class="rj-text" dir="auto">{html_of(text)}</div>' if text else ""
