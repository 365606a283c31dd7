"""The plugin rig: pedalboard's effects, alone or in a chain, as gear whose knobs turn themselves."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from capture.rig import Rig
from profiler.audio import Audio, Samples
from profiler.chain_file import ChainFile, Slot, read_chain
from profiler.errors import GearError, KnobError
from profiler.knob import Knob, KnobSettings, checked_settings, find_knob
from profiler.knob_range import parse_knob_range
from profiler.knob_track import KnobTrack
from profiler.pedalboard_effect import PedalboardEffect, effect_knobs
from profiler.session import Gear

__all__ = ["PluginRig", "choose_knobs", "gear_knobs", "open_gear"]

_PREFIX = "pedalboard:"
_BLOCK_FRAMES = 48_000
_RAMP_BLOCK_FRAMES = 32


class PluginRig(Rig):
    """Plays through a gear's chain. Raises GearError or ChainError when the chain cannot be built."""

    def __init__(self, gear: Gear, knobs: Sequence[Knob], *, sample_rate: int) -> None:
        self.gear = gear
        self.knobs = tuple(knobs)
        self.sample_rate = sample_rate
        self._slots = _chain_of(gear).slots
        self._build()

    def play(self, dry: Audio, track: KnobTrack, *, on_done: Callable[[float], None]) -> Audio:
        """Return the wet signal; knobs move at the very frame that the track names, ramps in steps of 32 frames."""
        blocks = list(self._blocks(track, dry.frames))
        wet = dry.samples
        # Slot after slot over the whole signal: fed block by block, what a late effect holds back would meet the
        # knobs of the slots behind it too late.
        for number, (slot, effect) in enumerate(self._build().items()):
            effect.reset()
            pieces: list[Samples] = []
            for start, stop, settings in blocks:
                for id_, value in settings.items():
                    if (id_.rpartition(".")[0] or self._slots[0].id) == slot:
                        effect.turn(id_.rpartition(".")[2], value)
                pieces.append(effect.feed(wet[:, start:stop], self.sample_rate))
                on_done((number + stop / dry.frames) / len(self._slots))
            wet = np.concatenate([*pieces, effect.flush()], axis=1)
        if not np.isfinite(wet).all():
            frame = int(np.argmin(np.isfinite(wet).all(axis=0)))
            raise GearError(f"{self.gear.name} returned NaN or infinity at frame {frame}. Narrow its knobs' ranges.")
        return Audio(samples=wet, sample_rate=self.sample_rate)

    def _build(self) -> dict[str, PedalboardEffect]:
        return {slot.id: PedalboardEffect(slot.ref, slot.settings) for slot in self._slots}

    def _blocks(self, track: KnobTrack, frames: int) -> Iterator[tuple[int, int, KnobSettings]]:
        """Yield stretches of frames over which the knobs stand still, with their settings."""
        motion = track.motion(self.knobs)
        settings: dict[str, float | str] = {}
        points = [point for point in track.breakpoints if point.frame < frames]
        for number, point in enumerate(points):
            settings = checked_settings(self.knobs, {**settings, **point.settings})
            stop = points[number + 1].frame if number + 1 < len(points) else frames
            ramp_end = min(point.frame + point.ramp_frames, stop)
            for start in range(point.frame, ramp_end, _RAMP_BLOCK_FRAMES):
                end = min(start + _RAMP_BLOCK_FRAMES, ramp_end)
                yield start, end, self._settings_at(motion.at(start, start + 1)[0])
            for start in range(ramp_end, stop, _BLOCK_FRAMES):
                yield start, min(start + _BLOCK_FRAMES, stop), settings

    def _settings_at(self, positions: Samples) -> KnobSettings:
        settings, column = {}, 0
        for knob in self.knobs:
            own = positions[column : column + knob.width]
            settings[knob.id] = knob.choices[int(own.argmax())] if knob.choices else knob.value_at(float(own[0]))
            column += knob.width
        return settings


def open_gear(plugin: str) -> Gear:
    """Return the gear named by `pedalboard:NAME` or by a chain file.

    Raises GearError for a name that is neither, ChainError for a damaged chain file.
    """
    if plugin.startswith(_PREFIX):
        name = plugin.removeprefix(_PREFIX)
        effect_knobs(name)
        return Gear(name=name, kind="plugin", chain=ChainFile(slots=(Slot(id="effect", kind="pedalboard", ref=name),)))
    path = Path(plugin)
    if path.suffix != ".json":
        raise GearError(
            f"{plugin!r} is no gear known here. Give {_PREFIX}NAME, such as {_PREFIX}Distortion, or a chain.json."
        )
    gear = Gear(name=path.stem, kind="plugin", chain=read_chain(path))
    gear_knobs(gear)
    return gear


def gear_knobs(gear: Gear) -> tuple[Knob, ...]:
    """Return all knobs of a gear, by `slot.knob` in a chain of several slots. Raises GearError or ChainError."""
    slots = _chain_of(gear).slots
    for slot in slots:
        if slot.kind != "pedalboard":
            raise GearError(f"Slot {slot.id} is a {slot.kind}; only pedalboard effects can be captured.")
    if len(slots) == 1:
        return _own_knobs(slots[0])
    return tuple(replace(knob, id=f"{slot.id}.{knob.id}") for slot in slots for knob in _own_knobs(slot))


def choose_knobs(gear: Gear, wanted: Sequence[str]) -> tuple[Knob, ...]:
    """Return the knobs asked for as `ID=LOW:HIGH`, `ID=LOW:HIGH:log` or `ID=off,on`, in that order.

    Raises KnobError for a knob the gear does not have, a range outside the gear's own, or a misspelt one.
    """
    available = gear_knobs(gear)
    chosen = tuple(_chosen(available, text) for text in wanted)
    if twice := {knob.id for knob in chosen if sum(other.id == knob.id for other in chosen) > 1}:
        raise KnobError(f"Each knob is named once; found {', '.join(sorted(twice))} more than once.")
    return chosen


def _own_knobs(slot: Slot) -> tuple[Knob, ...]:
    """Return a slot's knobs with the slot's own settings as their defaults."""
    knobs = effect_knobs(slot.ref)
    for id_, value in slot.settings.items():
        found = find_knob(knobs, id_)
        knobs = tuple(replace(knob, default=knob.checked(value)) if knob is found else knob for knob in knobs)
    return knobs


def _chosen(available: Sequence[Knob], text: str) -> Knob:
    wanted = parse_knob_range(text)
    knob = find_knob(available, wanted.id)
    if bool(knob.choices) != bool(wanted.choices):
        form = ",".join(knob.choices) if knob.choices else "LOW:HIGH"
        raise KnobError(f"--knob {text!r} does not fit {knob.id}. Write {knob.id}={form}.")
    if knob.choices:
        choices = tuple(str(knob.checked(choice)) for choice in wanted.choices)
        return replace(knob, choices=choices, default=knob.default if knob.default in choices else choices[0])
    minimum, maximum = float(knob.checked(wanted.low)), float(knob.checked(wanted.high))
    if not minimum < maximum:
        raise KnobError(f"--knob {text}: the low end must come first.")
    narrowed = replace(knob, minimum=minimum, maximum=maximum, default=minimum, scale=wanted.scale or knob.scale)
    inside = minimum <= float(knob.default) <= maximum
    return replace(narrowed, default=knob.default if inside else narrowed.value_at(0.5))


def _chain_of(gear: Gear) -> ChainFile:
    if gear.chain is None:
        raise GearError(f"{gear.name} is not a plugin: it has no chain to play.")
    return gear.chain
