"""What the running server serves: one study, as it stood when the server started.

Study and codebook are read once. An edit takes effect at the next start, so that everybody who labels
in one sitting sees the same page, and every label points at the version that its annotator saw.
"""

from dataclasses import dataclass

from annotate.codebook_page import Block, blocks_of
from data.codebook import ensure_codebook
from data.errors import StudyError
from data.hashing import tagged_hash
from data.store import Store
from data.store.leases import Desk
from data.store.people import Person, person_of_session
from data.store.versions import AskedQuestion, View, check_still_declared, pin_of, record_versions
from data.study import Study


@dataclass(frozen=True, slots=True)
class Serving:
    """The study, and what its annotators are asked."""

    study: Study
    asked: list[AskedQuestion]
    view: View
    cookie: str
    """Named per study, so that two studies on one host do not sign each other out."""
    pages: list[list[Block]]
    """The codebook page of each question."""
    pin: str
    """Names all that the desk shows beside an item; a desk that was mounted under another one reloads."""

    def desk(self, store: Store, person: Person) -> Desk:
        return Desk(store, person.code, self.asked, self.view)

    def owner(self, person: Person) -> str:
        """Whose pending events these are, for a browser that keeps them: opaque, per study and person."""
        return tagged_hash("owner", f"{self.cookie}:{person.code}")[:16]

    def person(self, session: str | None) -> Person | None:
        """Who holds this session, asked of the database now: it may have ended since."""
        if not session:
            return None
        with Store.open(self.study.database) as store:
            return person_of_session(store, session)


_current: Serving | None = None


def begin(study: Study) -> Serving:
    """Makes `study` the one that this process serves. Raises StudyError where the desk cannot ask it yet."""
    global _current
    check_askable(study)
    ensure_codebook(study)
    with Store.open(study.database) as store:
        check_still_declared(store, study)
        asked, view = record_versions(store, study)
        cookie = f"rejudge_{(store.fact('id') or '')[:12]}"
    pin = pin_of([(question.version, question.codebook) for question in asked], view.hash)
    _current = Serving(study, asked, view, cookie, [blocks_of(question.page) for question in asked], pin)
    return _current


def current() -> Serving:
    """What `begin` made."""
    if _current is None:
        raise StudyError("No study is being served.", "Found none in this process.", "Start the app with `rejudge annotate`.")
    return _current


def check_askable(study: Study) -> None:
    """Refuses a study that asks nothing."""
    if not study.questions:
        raise StudyError(
            f"{study.toml} declares no question.",
            "There is nothing to ask at the desk.",
            "Add a [[question]] block; the comment in a new study.toml shows one.",
        )
