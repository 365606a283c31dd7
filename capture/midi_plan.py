"""Plans of gear that turns its own knobs: at the values that MIDI has, and nowhere between them."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from capture.midi_map import MidiKnob
from capture.plan import PlannedTake
from profiler.knob import Knob, KnobSettings
from profiler.knob_track import KnobTrack

__all__ = ["as_sent"]


def as_sent(plan: Sequence[PlannedTake], knobs: Sequence[Knob], sent_as: Mapping[str, MidiKnob]) -> list[PlannedTake]:
    """Return a plan whose knobs that are `sent_as` MIDI stand at the nearest value that is sent. Raises KnobError."""
    known = {knob.id: knob for knob in knobs}

    def sent(settings: KnobSettings) -> KnobSettings:
        return {
            id_: sent_as[id_].nearest(known[id_], value) if id_ in sent_as else value for id_, value in settings.items()
        }

    def moved(track: KnobTrack) -> KnobTrack:
        return KnobTrack(breakpoints=tuple(replace(each, settings=sent(each.settings)) for each in track.breakpoints))

    return [
        replace(
            take,
            settings=None if take.settings is None else sent(take.settings),
            track=None if take.track is None else moved(take.track),
        )
        for take in plan
    ]
