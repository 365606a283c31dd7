"""JSON documents: frozen dataclasses to disk and back, checked by pydantic."""

import json
from pathlib import Path
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from profiler.errors import ManifestError, ProfilerError
from profiler.storage import write_bytes

__all__ = ["MAXIMUM_BYTES", "from_json", "read_manifest", "to_json", "write_manifest"]

MAXIMUM_BYTES = 64 * 1024 * 1024
"""A larger document is refused unread: no real session or knob track comes near it."""

T = TypeVar("T")


def to_json(value: object) -> bytes:
    """Return a dataclass as indented UTF-8 JSON. NaN and torn characters raise ManifestError."""
    plain = TypeAdapter(type(value)).dump_python(value, mode="json", warnings=False)  # a whole number is a value too
    try:
        return (json.dumps(plain, indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode()
    except ValueError as error:
        raise ManifestError(f"This {type(value).__name__} cannot be written as JSON: {error}.") from error


def from_json(kind: type[T], content: bytes, *, source: str, versions: range = range(1)) -> T:
    """Return the dataclass that a JSON document describes.

    `versions` are the values of its `version` that this program reads; a document without one is taken as it is.
    Raises ManifestError that names `source`, the place in the document, and what was expected there.
    """
    try:
        plain: Any = json.loads(content, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise ManifestError(f"{source} is not JSON: {error}. It may be cut short or another kind of file.") from error
    version = plain.get("version", versions.start) if isinstance(plain, dict) else versions.start
    if not isinstance(version, int) or version not in versions:
        newer = isinstance(version, int) and version >= versions.stop
        raise ManifestError(
            f"{source} has format version {version!r}; this Tonecast reads up to {versions.stop - 1}. "
            + ("Update Tonecast to open it." if newer else "The file is damaged.")
        )
    try:
        return TypeAdapter(kind).validate_python(plain)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "the top"
        raise ManifestError(f"{source} is not a valid {kind.__name__}: at {place}, {first['msg']}.") from error
    except ProfilerError as error:
        raise ManifestError(f"{source} is not a valid {kind.__name__}: {error}") from error


def _no_number(name: str) -> float:
    raise ValueError(f"{name} is not a number in JSON")


def read_manifest(kind: type[T], path: Path, *, versions: range = range(1)) -> T:
    """Read a JSON document. Raises ManifestError when it is missing, oversized or says something else."""
    try:
        if path.stat().st_size > MAXIMUM_BYTES:
            raise ManifestError(f"{path} is {path.stat().st_size} bytes; a document has at most {MAXIMUM_BYTES}.")
        content = path.read_bytes()
    except OSError as error:
        raise ManifestError(
            f"{path} cannot be read: {error.strerror or error}. Check the name and the permissions."
        ) from error
    return from_json(kind, content, source=str(path), versions=versions)


def write_manifest(path: Path, value: object) -> None:
    """Write a dataclass as JSON, atomically. Raises StorageError or ManifestError."""
    write_bytes(path, to_json(value))
