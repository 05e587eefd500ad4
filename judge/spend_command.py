"""`rejudge judge spend`: opens dev and test, for a study that only measures or that is done with its judge."""

import argparse
from typing import TYPE_CHECKING

from data.command_line import AddAction, open_study, say, tell
from data.store import Store
from data.wording import amount

if TYPE_CHECKING:
    from data.store.test_looks import Look

HELP = "open dev and test items, with their verdicts, to leads; nothing can be certified any more, and it cannot be undone"
BEFORE = (
    "Dev and test items are about to be opened: leads may then see each of them together with its verdicts. "
    "Certification rests on nobody having done so, and is not possible in this study from then on. "
    "This cannot be undone, and is on record."
)


def spend(args: argparse.Namespace) -> None:
    from data.store.people import first_lead, person_named
    from data.store.test_looks import spend, spent

    with Store.open(open_study(args).database) as store:
        lead = person_named(store, args.by) if args.by is not None else first_lead(store)
        if not spent(store):
            say(BEFORE)
        look, new = spend(store, lead)
    tell(opened_text(look) if new else f"Nothing changed. {opened_text(look)}")


def opened_text(look: "Look") -> str:
    """What is open since when, and by whom."""
    counts = " and ".join(amount(count, f"{split} item") for split, count in look.which["trajectories"].items())
    return f"Dev and test are open: {look.lead} opened {counts} with their verdicts at {look.at}, for good."


def add_spend(add_action: AddAction) -> None:
    sub = add_action("spend", HELP)
    sub.add_argument("--by", metavar="NAME", help="the lead who opens them (default: the first one)")
    sub.set_defaults(run_command=spend)
