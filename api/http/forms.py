"""What forms of pages send, and where they lead back to."""

from collections.abc import Mapping
from urllib.parse import parse_qs

from fastapi import Request
from starlette.responses import RedirectResponse, Response

from api.problem import Problem

__all__ = ["back_from", "fields_of", "own_path"]

_MOST_FIELDS = 100


async def fields_of(request: Request) -> dict[str, str]:
    """Return what a form says; of a field that comes twice, the last. Raises Problem for what no form of ours sends.

    The gate has bounded the body.
    """
    text = (await request.body()).decode("utf-8", "replace")
    try:
        found = parse_qs(text, keep_blank_values=True, max_num_fields=_MOST_FIELDS)
    except ValueError as error:
        raise Problem(422, "Not understood", f"A form here has at most {_MOST_FIELDS} fields.") from error
    return {name: values[-1] for name, values in found.items()}


def back_from(fields: Mapping[str, str]) -> Response:
    """Lead back to the page that a form names, if that is one of this very server."""
    return RedirectResponse(own_path(fields.get("back", "/")), 303)


def own_path(path: str) -> str:
    """Return a path of this very server: the same, or / for what browsers read as another server's name, as //."""
    is_ours = path.startswith("/") and path[1:2] not in ("/", "\\") and path.isprintable()
    return path if is_ours else "/"
