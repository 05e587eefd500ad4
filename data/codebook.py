"""The codebook: one Markdown page per question, which annotators work from."""

from data.hashing import tagged_hash
from data.questions import Question
from data.study import Study, read_study_file, write_study_file


def skeleton(question: Question) -> str:
    """A page with everything that a codebook page should say, for a person to fill in."""
    lines = [f"# {question.id}", "", question.ask, "", "Definition: write one or two sentences.", ""]
    for choice in question.choices:
        lines += [f"## {choice}", "", "- Include: …", "- Exclude: …", ""]
    if question.type == "score":
        for score in (question.min, question.max):
            lines += [f"## {score}", "", "- What such a trajectory looks like: …", ""]
    lines += ["## Edge cases", "", "- …", "", "## When in doubt", "", "…", ""]
    return "\n".join(lines)


def ensure_codebook(study: Study) -> list[str]:
    """Makes a skeleton for each question without a page; returns the paths that were made."""
    made = []
    for question in study.questions:
        path = study.codebook_path(question)
        if not path.exists():
            write_study_file(path, skeleton(question))
            made.append(str(path))
    return made


def untouched_pages(study: Study) -> list[str]:
    """The pages that nobody has written yet, or that are missing."""
    return [
        str(study.codebook_path(question))
        for question in study.questions
        if not study.codebook_path(question).exists() or read_page(study, question) == skeleton(question)
    ]


def read_page(study: Study, question: Question) -> str:
    """The page of `question` as it stands now. Raises StudyError where it cannot be read."""
    return read_study_file(study.codebook_path(question))


def page_version(page: str) -> str:
    """The content hash of a page."""
    return tagged_hash("codebook", page)
