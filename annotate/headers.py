"""Headers on every answer: what the browser may load, and who may embed or be told.

Trajectory text is hostile. It enters the page as text; the policy here sees to it that nothing would
be loaded and no script would run even if some of it did not.
"""

import base64
import hashlib
import re
from pathlib import Path

import streamlit
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from annotate.links import LINK_PATH


def content_security_policy() -> str:
    """The policy, with the hashes of the inline scripts in Streamlit's own page as it is installed."""
    index = (Path(streamlit.__file__).parent / "static" / "index.html").read_text(encoding="utf-8")
    hashes = " ".join(
        f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"
        for script in re.findall(r"<script>(.*?)</script>", index, re.DOTALL)
    )
    return "; ".join(
        (
            "default-src 'none'",
            # blob: the small script that loads the desk's modules is handed over as a string.
            f"script-src 'self' blob: {hashes}",
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data: blob:",
            "font-src 'self' data:",
            "connect-src 'self'",
            "manifest-src 'self'",
            "worker-src 'self' blob:",
            "media-src 'self'",
            "frame-src 'none'",
            "object-src 'none'",
            "base-uri 'none'",
            "form-action 'self'",
            "frame-ancestors 'none'",
        )
    )


class SafeHeaders:
    """Middleware that adds the headers to every HTTP answer, the door's own included."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.fixed = {
            "Content-Security-Policy": content_security_policy(),
            "X-Content-Type-Options": "nosniff",
            "Cross-Origin-Resource-Policy": "same-origin",
            # Not no-referrer: with it a form posts `Origin: null`, which the door refuses.
            "Referrer-Policy": "same-origin",
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self.fixed.items():
                    headers[name] = value
                if scope["path"].startswith(LINK_PATH):
                    # The address is the secret: a proxy in front, which logs Referer, is told the origin alone.
                    headers["Referrer-Policy"] = "strict-origin"
            await send(message)

        await self.app(scope, receive, send_with_headers)
