"""Chains as a client sends them: files of this machine are named by their hashes, and impulse responses come along."""

from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter

from profiler.chain_file import ChainFile, Slot
from profiler.errors import LibraryError
from profiler.manifest import read_manifest
from profiler.presets import PREFIX
from profiler.storage import sha256_of

__all__ = ["SentChain", "chain_to_send"]

_ELSEWHERE = (PREFIX, "library:", "sha256:")
"""What a profile of the library, or one that ships, begins with."""


@dataclass(frozen=True, kw_only=True)
class SentChain:
    """The text of a chain, and the files of the impulse responses that its slots name by hash, each once."""

    text: str
    responses: tuple[Path, ...]


def chain_to_send(path: Path) -> SentChain:
    """Read a chain file, whose paths start where it is. Raises LibraryError for files that are not there."""
    chain = read_manifest(ChainFile, path)
    refs: dict[str, str] = {}
    responses: dict[str, Path] = {}
    for slot in chain.effects():
        if slot.kind == "ir" or (slot.kind == "profile" and not slot.ref.startswith(_ELSEWHERE)):
            file = _file_of(slot, path)
            sha256 = sha256_of(file)
            refs[slot.id] = f"sha256:{sha256}"
            if slot.kind == "ir":
                responses.setdefault(sha256, file)
    text = TypeAdapter(ChainFile).dump_json(chain.with_refs(refs), exclude_defaults=True).decode()
    return SentChain(text=text, responses=tuple(responses.values()))


def _file_of(slot: Slot, chain: Path) -> Path:
    file = chain.parent / slot.ref
    if not file.is_file():
        raise LibraryError(f"Slot {slot.id} of {chain.name} plays {file}, which is not there, or is no file.")
    return file
