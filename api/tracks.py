"""People's own tracks: a few seconds each, a few for each account, that nobody else hears."""

import json
import re
import secrets
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

import soundfile

from api.problem import Problem
from api.sounds import Sound, Track
from profiler.storage import write_bytes

__all__ = ["OwnTracks"]

_MOST_TRACKS = 8
_MARK = "own-"
_FILE = re.compile(rf"[0-9]{{1,10}}/{_MARK}[0-9a-f]{{16}}\.(wav|json)")


class OwnTracks:
    """Tracks in a folder, below it one for each account."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()

    def all_of(self, account_id: int) -> tuple[Track, ...]:
        """Return an account's tracks, oldest first."""
        return tuple(_track(told) for told in self._told(account_id))

    def add(self, account_id: int, name: str, sound: Sound, *, original_of: str | None) -> Track:
        """Keep a sound as a track. Of very many, the oldest goes."""
        track = Track(id=_MARK + secrets.token_hex(8), name=name, is_own=True, original_of=original_of)
        folder = self._of(account_id)
        with self._lock:
            folder.mkdir(parents=True, exist_ok=True)
            told = self._told(account_id)
            for old in told[: max(len(told) - _MOST_TRACKS + 1, 0)]:
                self._remove(account_id, old["id"])
            write_bytes(folder / f"{track.id}.wav", sound.wav())
            number = max((each["number"] for each in told), default=0) + 1
            kept = {**asdict(track), "number": number, "loudness": sound.loudness, "peak": sound.peak}
            write_bytes(folder / f"{track.id}.json", json.dumps(kept).encode())
        return track

    def sound(self, account_id: int, track_id: str) -> Sound:
        """Return a track's sound. Raises Problem where the account has no such track."""
        told = next((each for each in self._told(account_id) if each["id"] == track_id), None)
        if told is None:
            raise _nothing(track_id)
        try:
            samples, rate = soundfile.read(self._of(account_id) / f"{track_id}.wav", dtype="float32")
        except soundfile.LibsndfileError as error:  # removed at this very moment
            raise _nothing(track_id) from error
        return Sound(samples=samples, sample_rate=rate, loudness=told["loudness"], peak=told["peak"])

    def remove(self, account_id: int, track_id: str) -> None:
        """Remove a track. Raises Problem where the account has no such track."""
        with self._lock:
            if track_id not in {each["id"] for each in self._told(account_id)}:
                raise _nothing(track_id)
            self._remove(account_id, track_id)

    def files(self) -> Iterator[tuple[str, bytes]]:
        """Yield the names of all files, below the folder, and what is in them: a sound, then what is said of it.

        Tracks that are removed meanwhile are left out.
        """
        for path in sorted(self._folder.glob(f"*/{_MARK}*.json")):
            with suppress(FileNotFoundError):
                told, sound = path.read_bytes(), path.with_suffix(".wav").read_bytes()
                yield f"{path.parent.name}/{path.stem}.wav", sound
                yield f"{path.parent.name}/{path.name}", told

    def put_back(self, name: str, content: bytes) -> bool:
        """Keep a file as `files` told of it; false for a name that no file of a track has."""
        if not _FILE.fullmatch(name):
            return False
        path = self._folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        write_bytes(path, content)
        return True

    def _remove(self, account_id: int, track_id: str) -> None:
        """Remove a track, and what is an original of it: nobody could choose that any more."""
        originals = [each["id"] for each in self._told(account_id) if each["original_of"] == track_id]
        for gone in (track_id, *originals):
            for suffix in (".json", ".wav"):
                (self._of(account_id) / f"{gone}{suffix}").unlink(missing_ok=True)

    def _told(self, account_id: int) -> list[dict[str, Any]]:
        told = []
        for path in self._of(account_id).glob(f"{_MARK}*.json"):
            try:
                told.append(json.loads(path.read_bytes()))
            except FileNotFoundError:  # removed at this very moment
                continue
        return sorted(told, key=lambda each: each["number"])

    def _of(self, account_id: int) -> Path:
        return self._folder / str(account_id)


def _track(told: dict[str, Any]) -> Track:
    return Track(id=told["id"], name=told["name"], is_own=True, original_of=told["original_of"])


def _nothing(track_id: str) -> Problem:
    return Problem(404, "No such track", f"There is no track {track_id!r} that you can play.")
