"""Which of Streamlit's own messages the server takes from a browser.

The pages need three. The others would let whoever is signed in empty the caches of everybody, read the names of
the files around the app (its git status), or make room for uploads that no page asks for: they are dropped here,
before Streamlit sees them.
"""

from google.protobuf.message import DecodeError  # type: ignore[import-untyped]  # as streamlit brings it
from starlette.types import Message, Receive
from streamlit.proto.BackMsg_pb2 import BackMsg

TAKEN = frozenset({"rerun_script", "stop_script", "app_heartbeat"})


def only_taken(receive: Receive) -> Receive:
    """`receive` of a websocket, without the messages that no page of ours sends."""

    async def next_taken() -> Message:
        while True:
            message = await receive()
            if message["type"] != "websocket.receive" or _is_taken(message.get("bytes")):
                return message

    return next_taken


def _is_taken(frame: bytes | None) -> bool:
    """Whether a page sends such a frame; what cannot be read is Streamlit's to refuse."""
    if frame is None:
        return True
    told = BackMsg()
    try:
        told.ParseFromString(frame)
    except DecodeError:
        return True
    return told.WhichOneof("type") in TAKEN
