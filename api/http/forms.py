"""What forms of pages send, and where they lead back to."""

from collections.abc import Mapping
from urllib.parse import parse_qs

from fastapi import Request
from starlette.responses import RedirectResponse, Response

__all__ = ["back_from", "fields_of"]


async def fields_of(request: Request) -> dict[str, str]:
    """Return what a form says; of a field that comes twice, the last. The gate has bounded the body."""
    text = (await request.body()).decode("utf-8", "replace")
    return {name: values[-1] for name, values in parse_qs(text, keep_blank_values=True, max_num_fields=100).items()}


def back_from(fields: Mapping[str, str]) -> Response:
    """Lead back to the page that a form names, if that is one of this very server.

    Browsers read // and /\\ as the beginning of another server's name.
    """
    path = fields.get("back", "/")
    is_ours = path.startswith("/") and path[1:2] not in ("/", "\\") and path.isprintable()
    return RedirectResponse(path if is_ours else "/", 303)
