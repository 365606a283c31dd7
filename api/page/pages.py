"""Templates made into pages, and the files that pages load. All that a browser runs comes from here, nothing else does.

Style and players are the report's: one look, one way to listen. They lie in `profiler/report`.
"""

import functools
import hashlib
import importlib.resources
from collections.abc import Mapping
from dataclasses import dataclass

import jinja2

from api.page.job_words import JOB_FILTERS
from api.page.words import FILTERS

__all__ = ["STATIC", "StaticFile", "rendered", "static_file"]

_SCRIPT, _STYLE, _IMAGE = "text/javascript; charset=utf-8", "text/css; charset=utf-8", "image/svg+xml"
_SHARED = {"report.css": _STYLE, "sound.js": _SCRIPT, "blind.js": _SCRIPT}
_SCRIPTS = ("page.js", "listen.js", "send.js", "upload.js", "by_sound.js", "tags.js", "jobs.js")
_OWN = {"page.css": _STYLE, **dict.fromkeys(_SCRIPTS, _SCRIPT), "icon.svg": _IMAGE}


@dataclass(frozen=True, kw_only=True)
class StaticFile:
    """A file that pages load: the same for everybody."""

    content: bytes
    media_type: str


@functools.cache
def _files() -> Mapping[str, StaticFile]:
    # Of the report only files are wanted: to import it would load torch into the server.
    folders = (
        (importlib.resources.files("profiler") / "report", _SHARED),
        (importlib.resources.files("api") / "page" / "static", _OWN),
    )
    return {
        name: StaticFile(content=(folder / name).read_bytes(), media_type=kind)
        for folder, names in folders
        for name, kind in names.items()
    }


@functools.cache
def _version() -> str:
    digest = hashlib.sha256()
    for name, file in sorted(_files().items()):
        digest.update(name.encode() + b"\0" + file.content)
    return digest.hexdigest()[:16]


STATIC = "/static"
"""Where they are found: below it the version, then the name. A new version is another path, so browsers keep them."""


def static_file(version: str, name: str) -> StaticFile | None:
    """Return a file of the version that is served now; None where there is no such file."""
    return _files().get(name) if version == _version() else None


@functools.cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("api.page", "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals["static"] = f"{STATIC}/{_version()}"
    environment.filters |= {**FILTERS, **JOB_FILTERS}
    return environment


def rendered(name: str, /, **values: object) -> str:
    """Return a page. What values say is text, whatever it looks like: every one is escaped."""
    return _environment().get_template(f"{name}.html.jinja").render(values)
