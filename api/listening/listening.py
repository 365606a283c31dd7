"""Listening for a library: profiles are heard when they have come, recordings when they are asked about."""

import base64
import json
import os
import secrets
import subprocess
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from api.heard import SoundMatch, SoundMatches
from api.inspection import PATIENCE, printed_by
from api.library import Library
from api.limits import Killed
from api.listening.index import Found, SoundIndex, Sounds
from api.problem import Problem
from api.remembered import Remembered
from api.store import entries, sounds
from api.store.database import Connection
from api.store.sounds import Counts, UnheardVersion
from api.turns import Turns
from profiler.knob import KnobSettings
from profiler.listening.descriptors import COUNT, DESCRIPTORS_VERSION
from profiler.listening.sound_space import WIDTH, placed

__all__ = ["Listening"]

_PROFILE_MEGABYTES, _PROFILE_SECONDS = 6144, 900.0  # a machine may be busy with training
_RECORDING_MEGABYTES, _RECORDING_SECONDS = 1536, 20.0
_MESSAGE_LETTERS = 300
_SPARE = 10
_CANDIDATES = 8
_MOST_KILLED = 3


@dataclass(frozen=True, kw_only=True, eq=False)
class _Heard:
    """What a process heard: descriptors of shape (settings, COUNT)."""

    settings: tuple[KnobSettings, ...]
    descriptors: NDArray[np.float16]


_NOTHING = _Heard(settings=(), descriptors=np.zeros((0, COUNT), np.float16))


@dataclass(frozen=True, kw_only=True, eq=False)
class _State:
    """An index, and the number of the last change that it knows of. It may have what is gone since."""

    index: SoundIndex
    change: int


class Listening:
    """How the profiles of a library sound, in this process's memory. Any number of threads may ask."""

    def __init__(self, library: Library) -> None:
        self.library = library
        self._state = _State(index=SoundIndex.empty(WIDTH, COUNT), change=0)
        self._celling = False
        self._killed: Counter[int] = Counter()
        self._counts = Remembered(self._counted)
        self._refreshing = threading.Lock()
        self._turns = Turns()
        self._room = threading.BoundedSemaphore(max(os.cpu_count() or 1, 2))

    def like(self, recording: Path, most: int, *, asked_by: int | None) -> SoundMatches:
        """Return the profiles that sound most like a recording that has arrived.

        Raises Problem for what is no recording, for one in which nothing is heard, and on a machine that is too busy.
        """
        try:
            with self._room:
                heard = _listened("recording", recording, _RECORDING_MEGABYTES, _RECORDING_SECONDS, patience=PATIENCE)
        except _NotHeard as error:
            detail = (
                f"This is not a recording that can be listened to: {error} Send a WAV, FLAC, AIFF, OGG or MP3 file."
            )
            raise Problem(422, "Not a recording", detail) from error
        except subprocess.TimeoutExpired as error:
            detail = "Nobody could listen to it, for the server has much else to do. Try again later."
            raise Problem(503, "Busy", detail, retry_after_seconds=60) from error
        return self.nearest(placed(heard.descriptors.astype(np.float32))[0], most, asked_by=asked_by)

    def nearest(self, place: NDArray[np.float32], most: int, *, asked_by: int | None) -> SoundMatches:
        """Return the profiles nearest to a place in the space of sounds."""
        with self.library.database.reading() as connection:
            found, known = self._found(connection, place, most)
            ids = [entry_id for entry_id, _ in known.values()]
            shown = {entry.id: entry for entry in entries.entries_by_id(connection, ids, asked_by=asked_by)}
        counts = self._counts.value()
        matches = []
        for each in found:
            entry_id, settings = known.get(each.id, (0, []))
            if entry_id in shown:
                at = settings[each.setting]
                matches.append(SoundMatch(entry=shown[entry_id], settings=at, distance=each.distance))
        return SoundMatches(data=tuple(matches[:most]), heard=counts.heard, unheard=counts.unheard)

    def _counted(self) -> Counts:
        with self.library.database.reading() as connection:
            return sounds.counts(connection, DESCRIPTORS_VERSION)

    def _found(
        self, connection: Connection, place: NDArray[np.float32], most: int
    ) -> tuple[tuple[Found, ...], dict[int, tuple[int, list[dict[str, Any]]]]]:
        """Return the nearest versions, and of those still the newest the entries and settings."""
        change = self._caught_up(connection)
        state = self._state
        while True:
            with self._turns.one():
                found = state.index.nearest(place, most + _SPARE)
            known = sounds.heard_at(connection, [each.id for each in found])
            gone = frozenset(each.id for each in found) - known.keys()
            # What is not there for a transaction older than the index may only not be there yet.
            if not gone or state.change > change:
                return found, known
            state = self._without(state, gone)
            if len(known) >= most:
                return found, known

    def _without(self, state: _State, gone: frozenset[int]) -> _State:
        """Return a state without versions that are gone, and have others start from it unless it is being changed."""
        left = replace(state, index=state.index.without(gone))
        if self._refreshing.acquire(blocking=False):
            try:
                if self._state is state:
                    self._state = left
            finally:
                self._refreshing.release()
        return left

    def hear_next(self, stopped: Callable[[], bool] = lambda: False) -> bool:
        """Listen to one profile that was not heard yet. Returns whether there was one.

        What cannot be heard is kept with its problem, so it is not tried again; what was `stopped` is. Raises Killed
        where who listened was killed from outside; the third time that is kept as a problem too.
        """
        with self.library.database.reading() as connection:
            waiting = sounds.some_unheard(connection, DESCRIPTORS_VERSION, _CANDIDATES)
        if not waiting:
            return False
        version = secrets.choice(waiting)  # of several servers each mostly takes another one
        try:
            heard, problem = self._heard(version, stopped), ""
        except Killed:
            self._killed[version.id] += 1
            if self._killed[version.id] < _MOST_KILLED:
                raise
            heard, problem = _NOTHING, f"who listened to it was killed {_MOST_KILLED} times, for want of memory?"
        except _NotHeard as error:
            if stopped():
                return False
            heard, problem = _NOTHING, str(error)
        with self.library.database.writing() as connection:
            sounds.keep_sounds(
                connection, version.id, DESCRIPTORS_VERSION, heard.settings, heard.descriptors, problem=problem
            )
        return True

    def _heard(self, version: UnheardVersion, stopped: Callable[[], bool]) -> _Heard:
        scratch = self.library.settings.scratch / f"heard-{secrets.token_hex(8)}"
        try:
            self.library.storage.fetch(version.sha256, version.bytes, scratch)
            return _listened("profile", scratch, _PROFILE_MEGABYTES, _PROFILE_SECONDS, stopped=stopped)
        except subprocess.TimeoutExpired as error:
            raise _NotHeard(f"listening to it takes longer than {_PROFILE_SECONDS:g} s.") from error
        except Killed:
            raise
        except Problem as error:  # the storage has it no more, or not whole; it may also be removed at this very moment
            raise _NotHeard(error.detail) from error
        finally:
            scratch.unlink(missing_ok=True)

    def load(self) -> None:
        """Read how all profiles sound, which nobody then waits for who searches."""
        with self.library.database.reading() as connection:
            self._caught_up(connection)

    def exact(self, connection: Connection) -> SoundIndex:
        """Return the index without anything that is gone, for who looks at all of it. Takes longer than a search."""
        self._caught_up(connection)
        return self._state.index.only(sounds.findable(connection, DESCRIPTORS_VERSION))

    def _caught_up(self, connection: Connection) -> int:
        """Bring the index up to date, and return the last change that this transaction knows of.

        While one thread does that, others use the index as it is.
        """
        change = sounds.last_change(connection)
        if change > self._state.change and self._refreshing.acquire(blocking=self._state.change == 0):
            try:
                self._refresh(connection, change)
            finally:
                self._refreshing.release()
        return change

    def _refresh(self, connection: Connection, change: int) -> None:
        if change <= self._state.change:
            return
        more = []
        for some in sounds.changed_since(connection, DESCRIPTORS_VERSION, self._state.change, width=COUNT):
            where = placed(np.concatenate([each.descriptors for each in some]).astype(np.float32))
            ends = np.cumsum([len(each.descriptors) for each in some])
            for each, places in zip(some, np.split(where, ends[:-1]), strict=True):
                mean = each.descriptors.mean(axis=0, dtype=np.float32).astype(np.float16)
                more.append(Sounds(id=each.id, entry_id=each.entry_id, places=places, mean=mean))
        index = self._state.index.with_sounds(more)
        self._state = _State(index=index, change=change)
        if index.needs_cells and not self._celling:
            self._celling = True
            threading.Thread(target=self._put_in_cells, name="cells", daemon=True).start()

    def _put_in_cells(self) -> None:
        """Put all places in cells. Those who ask meanwhile are answered by the index as it is."""
        with self._refreshing:
            try:
                self._state = replace(self._state, index=self._state.index.in_cells())
            finally:
                self._celling = False


class _NotHeard(Exception):  # noqa: N818 - said to whoever asked, in the words it holds
    """A file that could not be listened to, and why."""


def _listened(what: str, path: Path, megabytes: int, seconds: float, **how: Any) -> _Heard:
    printed = printed_by("api.listening.ear", what, str(path), megabytes=megabytes, seconds=seconds, **how)
    try:
        answer: dict[str, Any] = json.loads(printed)
        if "error" not in answer:
            return _checked(answer)
        reason = str(answer["error"])
    except (ValueError, KeyError, TypeError):
        reason = "the process that listened was stopped: it takes more than it may."
    raise _NotHeard(reason.replace(str(path), "the file")[:_MESSAGE_LETTERS])


def _checked(answer: dict[str, Any]) -> _Heard:
    """Return what was heard. Raises ValueError for what our own process never prints."""
    descriptors = np.frombuffer(base64.b64decode(answer["descriptors"]), "<f2").reshape(-1, COUNT)
    settings = tuple({str(name): value for name, value in each.items()} for each in answer["settings"])
    if len(settings) != len(descriptors) or not len(descriptors) or not np.isfinite(descriptors).all():
        raise ValueError("not what was heard")
    return _Heard(settings=settings, descriptors=descriptors)
