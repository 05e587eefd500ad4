"""Sign-in links: the address of the app, and a token that works once."""

from data.store import Store
from data.store.people import Person, new_link_token

DEFAULT_PORT = 8501
LINK_PATH = "/in"


def sign_in_link(store: Store, person: Person) -> str:
    """A fresh link for `person`, at the address of the last `rejudge annotate`."""
    address = store.fact("address") or f"http://127.0.0.1:{DEFAULT_PORT}"
    return f"{address}{LINK_PATH}/{new_link_token(store, person)}"
