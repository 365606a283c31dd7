"""Gear to check: effects of pedalboard and of a few lines, some of which move by themselves, and playing to send."""

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest
from scipy import signal

from profiler.audio import Audio, Samples
from profiler.composer import compose
from profiler.pedalboard_effect import PedalboardEffect
from profiler.session import CaptureSession, Gear, Take
from profiler.session_folder import SessionFolder
from profiler.stimulus import Stimulus

RATE = 48_000

Play = Callable[[str, Samples], Samples]


def effect(name, **settings):
    """Return gear that is one of pedalboard's effects."""
    return lambda dry: PedalboardEffect(name, settings).process(dry[None], RATE)[0][: len(dry)]


def chain(*gear):
    """Return gear in series."""

    def play(dry):
        for each in gear:
            dry = each(dry)
        return dry

    return play


def tremolo(hz, depth):
    """Return gear whose level an LFO swings."""

    def play(dry):
        swing = np.sin(2 * np.pi * hz * np.arange(len(dry)) / RATE)
        return (dry * (1 - depth / 2 + depth / 2 * swing)).astype(np.float32)

    return play


def vibrato(dry):
    """A delay of up to a millisecond that an LFO swings at 4.7 Hz."""
    frames = np.arange(len(dry))
    late = (1 + np.sin(2 * np.pi * 4.7 * frames / RATE)) * 0.0005 * RATE
    return np.interp(frames - late, frames, dry, left=0).astype(np.float32)


def fuzz(dry):
    """A hard clipper whose bias follows the playing, with a bass cut behind it."""
    envelope = signal.lfilter([1 / 2400], [1, -(1 - 1 / 2400)], np.abs(dry))
    return signal.lfilter(*signal.butter(1, 20 / (RATE / 2), "high"), np.tanh(60 * (dry - 0.6 * envelope))).astype("f")


def hard_gate(dry):
    """A gate that opens and shuts in one frame."""
    envelope = signal.lfilter([1 / 480], [1, -(1 - 1 / 480)], np.abs(dry))
    return (dry * (envelope > 0.01)).astype(np.float32)


def slow_levelling(dry):
    """A levelling amplifier that takes a second to make up its mind."""
    power = signal.lfilter([1 / RATE], [1, -(1 - 1 / RATE)], dry.astype(np.float64) ** 2)
    return (dry / np.sqrt(power + 1e-4) * 0.05).astype(np.float32)


GEAR = {
    "bitcrush": effect("Bitcrush", bit_depth=6),
    "chorus": effect("Chorus", rate_hz=1.3),
    "clipping": effect("Clipping", threshold_db=-20),
    "compressor": effect("Compressor", threshold_db=-35, ratio=10, attack_ms=30, release_ms=1500),
    "delay": effect("Delay", delay_seconds=0.37, feedback=0.5, mix=0.4),
    "distortion": effect("Distortion", drive_db=30),
    "fuzz": fuzz,
    "gain": effect("Gain", gain_db=-6),
    "gate": effect("NoiseGate", threshold_db=-35, ratio=10),
    "hard gate": hard_gate,
    "invert": effect("Invert"),
    "ladder": effect("LadderFilter", cutoff_hz=900, resonance=0.5, drive=5),
    "limiter": effect("Limiter", threshold_db=-20),
    "phaser": effect("Phaser", rate_hz=1.37),
    "phaser behind distortion": chain(effect("Distortion", drive_db=30), effect("Phaser", rate_hz=0.83)),
    "reverb": effect("Reverb", room_size=0.8, wet_level=0.6),
    "reverb behind distortion": chain(effect("Distortion", drive_db=30), effect("Reverb")),
    "slow levelling": slow_levelling,
    "tremolo": tremolo(3.7, 0.5),
    "tremolo before distortion": chain(tremolo(5.3, 0.6), effect("Distortion", drive_db=30)),
    "vibrato": vibrato,
}


@pytest.fixture(scope="session")
def play() -> Play:
    """A function that plays a dry signal of shape (frames,) through gear by name."""
    played = {}

    def once(name, dry):
        key = name, dry.tobytes()
        if key not in played:
            played[key] = GEAR[name](dry)
        return played[key].copy()

    return once


@pytest.fixture(scope="session")
def stimulus() -> tuple[Stimulus, Samples]:
    """A short stimulus and its dry signal of shape (frames,), at 48 kHz."""
    made, audio = compose("short", seed=1, sample_rate=RATE)
    return made, audio.samples[0]


@pytest.fixture(scope="session")
def playing(stimulus: tuple[Stimulus, Samples]) -> Samples:
    """Its programme alone: 24 s of playing."""
    made, dry = stimulus
    marker = made.part("programme")
    return dry[marker.start : marker.stop]


@pytest.fixture
def record(tmp_path: Path) -> Callable[..., SessionFolder]:
    """A function that makes a session of recordings, each (dry, wet) or (dry, wet, settings), mono at one rate."""

    def made(
        *takes, knobs=(), rate=RATE, stimulus: Stimulus | None = None, name="session", kind="files"
    ) -> SessionFolder:
        session = CaptureSession(gear=Gear(name="Pedal", kind=kind), knobs=knobs, sample_rate=rate)
        folder = SessionFolder.create(tmp_path / name, session)
        for number, (dry, wet, *rest) in enumerate(takes):
            settings: Mapping[str, float] = rest[0] if rest else {}
            audio = [Audio(samples=np.asarray(each, np.float32)[None], sample_rate=rate) for each in (dry, wet)]
            at = folder.add_dry(audio[0], stimulus)
            same = [each.number for each in folder.session.takes if (each.dry, each.settings) == (at, settings)]
            first = same[0] if same else None
            take = Take(number=number, dry=at, file="", sha256="", frames=0, settings=settings, replicate_of=first)
            folder.add_take(take, audio[1])
        return folder

    return made
