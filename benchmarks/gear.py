"""The gear that profilers are compared on, and how each is captured: the same dry for all of it, one setting each.

LV2 plugins are played offline by Tonecast's own host. Recorded pairs come as they are: their last fifth, or another
recording at the same setting, is what is scored.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.signal import fftconvolve, firwin2

from capture.plugin_rig import PluginRig
from profiler.audio import Audio
from profiler.audio_file import read_audio
from profiler.chain_file import ChainFile, Slot
from profiler.knob_track import KnobTrack
from profiler.session import Gear

__all__ = ["GEAR", "LEAD_IN_SECONDS", "PLUGINS", "Captured", "Turned", "capture"]

Signal = NDArray[np.float32]

RATE = 48_000
LEAD_IN_SECONDS = 1.0
"""How much of what is scored only leads in: silence, or what came before it."""

_PRE_ROLL_SECONDS = 3.0  # Guitarix plugins fade in from the dry at first, and a fuzz settles its bias
_PIECE_SECONDS = 10.5
_SCORED_SHARE = 0.2
_PLAYERS = (
    "gm_epiano",
    "gm_bass_finger",
    "tomb_guitar",
    "celestial_guitar",
    "fastthrash_guitar",
    "slidelead_guitar",
    "poppunk_guitar",
)
_LAST_SECONDS = {"gm_bass_finger": 4.5, "poppunk_guitar": 4.5}
"""The ends of these end the capture, after a silence: on its last nine seconds NAM chooses the best epoch."""

_SCORED = {"mayer_guitar": 10.0, "downtown_bass": 10.0, "hammerlead_guitar": 10.0, "jazztrot_guitar": 10.0}
_GUITARIX = "http://guitarix.sourceforge.net/plugins/"


@dataclass(frozen=True, kw_only=True, eq=False)
class Captured:
    """A gear's dry and wet, each of shape (frames,): what may be learnt, and what is scored after a lead-in."""

    rate: int
    learnt: tuple[Signal, Signal]
    scored: tuple[Signal, Signal]


@dataclass(frozen=True, kw_only=True)
class Plugin:
    """An LV2 plugin at one setting, and what its output goes through."""

    title: str
    uri: str
    settings: Mapping[str, float | str]
    behind: Callable[[Signal], Signal] = field(default=lambda wet: wet)

    @property
    def chain(self) -> ChainFile:
        """The plugin alone, as a chain of one slot."""
        return ChainFile(slots=(Slot(id="effect", kind="plugin", ref=f"lv2:{self.uri}", settings=self.settings),))


@dataclass(frozen=True, kw_only=True)
class Turned:
    """A plugin and the knobs that are learnt, as --knob takes them; `plugin` is a name in `PLUGINS` or of gear.

    The knobs of those in `PLUGINS` that are not learnt stand as they do there.
    """

    title: str
    plugin: str
    knobs: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Pair:
    """A recording by others: dry and wet, of which the last fifth is scored, or a second pair that is."""

    title: str
    learnt: tuple[str, str]
    scored: tuple[str, str] | None = None


def _cabinet(wet: Signal) -> Signal:
    """Return a signal through a made-up 50 ms cabinet: a band of 90 Hz to 5 kHz, 40 modes and one reflection."""
    rng = np.random.default_rng(50)
    time = np.arange(int(0.05 * RATE)) / RATE
    tones = np.exp(rng.uniform(np.log(90), np.log(5000), (40, 1)))
    decays = rng.uniform(0.002, 0.012, (40, 1))
    modes = rng.normal(size=(40, 1)) * np.sin(2 * np.pi * tones * time) * np.exp(-time / decays)
    response = 0.02 * modes.sum(axis=0)
    response[0] += 1.0
    response[int(0.0043 * RATE)] -= 0.35
    band = firwin2(511, [0, 60, 90, 4500, 6500, RATE / 2], [0, 0.2, 1, 1, 0.02, 0], fs=RATE)
    impulse = fftconvolve(response, band)[255:][: len(time)]
    faded = impulse * np.minimum(1, (len(time) - np.arange(len(time))) / (0.005 * RATE))
    return fftconvolve(wet, faded / np.sqrt(np.sum(faded**2)))[: len(wet)].astype(np.float32)


PLUGINS: Mapping[str, Plugin] = {
    "big_chump": Plugin(
        title="Redeye Big Chump, tube amp",
        uri=f"{_GUITARIX}gx_redeye#bigchump",
        settings={"Gain": 0.7, "Tone": 0.5, "Volume": 0.5, "Feedback": 0.0},
    ),
    "metal_head": Plugin(
        title="Metal Head, high gain, and a cabinet",
        uri=f"{_GUITARIX}gxmetal_head#metal_head",
        # Its switch for more gain is for hosts, not on its face, and stays off; the drive makes up for it.
        settings={"DRIVE": 0.8, "PREGAIN": 6.0, "TONE": 0.5, "GAIN1": 0.0},
        behind=_cabinet,
    ),
    "jcm800pre": Plugin(
        title="JCM800 preamp",
        uri=f"{_GUITARIX}gx_jcm800pre_#_jcm800pre_",
        settings={"P6v": 0.5, "Bass": 0.5, "Middle": 0.5, "Treble": 0.5, "WET_DRY": 50.0, "GAIN": 0.0},
    ),
    "w20": Plugin(title="W20 tube amp", uri=f"{_GUITARIX}gx_w20#w20", settings={"gain": 0.5, "level": 0.5}),
    "ts9": Plugin(
        title="TS9 overdrive",
        uri=f"{_GUITARIX}gxts9#ts9sim",
        settings={"fslider2_": 0.5, "fslider1_": 400.0, "fslider0_": -8.0},
    ),
    "big_muff": Plugin(
        title="Big Muff fuzz",
        uri=f"{_GUITARIX}gx_bmp_#_bmp_",
        settings={"SUSTAIN": 0.5, "TONE": 0.5, "VOLUME": 0.5},
    ),
    "fuzz_face": Plugin(
        title="Fuzz Face", uri=f"{_GUITARIX}gx_fuzzface_#_fuzzface_", settings={"FUZZ": 0.5, "LEVEL": 0.5}
    ),
    "zam_tube": Plugin(
        title="ZamTube preamp",
        uri="urn:zamaudio:ZamTube",
        settings={"tubedrive": 5.0, "bass": 5.0, "mids": 5.0, "treb": 5.0, "gain": 0.0, "insane": "off"},
    ),
    "saturator": Plugin(
        title="Calf Saturator",
        uri="http://calf.sourceforge.net/plugins/Saturator",
        settings={"drive": 5.0, "blend": 0.0, "mix": 1.0, "level_in": 1.0, "level_out": 1.0},
    ),
}

GEAR: Mapping[str, Plugin | Pair] = {
    **PLUGINS,
    "panama_amp": Pair(
        title="PANAMA amp plugin, mid setting",
        learnt=("panama_amp/input_demo2.flac", "panama_amp/target_demo2_gain-mid_bass-mid_pres-mid.flac"),
        scored=("panama_amp/input_demo4.flac", "panama_amp/target_demo4_gain-mid_bass-mid_pres-mid.flac"),
    ),
    "ts9_pedal": Pair(title="a real TS9", learnt=("ts9_pedal/dry.flac", "ts9_pedal/wet.flac")),
    "diode_clipper": Pair(title="a real diode clipper", learnt=("diode_clipper/dry.flac", "diode_clipper/wet.flac")),
}


def capture(name: str, data: Path) -> Captured:
    """Return the capture of a gear of `GEAR`. DATA holds dry/ and pairs/. Raises GearError, AudioError."""
    gear = GEAR[name]
    if isinstance(gear, Pair):
        return _cut(gear, data / "pairs")
    learnt, scored = learnt_dry(data / "dry"), scored_dry(data / "dry")
    with PluginRig(Gear(name=gear.title, kind="plugin", chain=gear.chain), (), sample_rate=RATE) as rig:
        wets = [gear.behind(_played(rig, dry)) for dry in (learnt, scored)]
    return Captured(rate=RATE, learnt=(learnt, wets[0]), scored=(scored, wets[1]))


def learnt_dry(folder: Path) -> Signal:
    """Return about three minutes: test tones, then players in pieces whose peaks go through -1 to -12 dBFS."""
    pieces, ends = [*_test_signal()], []
    for name in _PLAYERS:
        dry = _player(folder, name)
        kept = len(dry) - round(_LAST_SECONDS.get(name, 0.0) * RATE)
        ends += [_at_peak(dry[kept:], -3.0)] if kept < len(dry) else []
        for start in range(0, kept, round(_PIECE_SECONDS * RATE)):
            piece = dry[start : min(start + round(_PIECE_SECONDS * RATE), kept)]
            pieces.append(_at_peak(piece, -1.0 - 11.0 * (len(pieces) % 5) / 4))
    return np.concatenate([_silence(0.5), *pieces, _silence(0.5), *ends])


def scored_dry(folder: Path) -> Signal:
    """Return 40 s of players that nothing is learnt from, after the lead-in."""
    players = (_player(folder, name)[: round(seconds * RATE)] for name, seconds in _SCORED.items())
    return np.concatenate([_silence(LEAD_IN_SECONDS), *(_at_peak(each, -3.0) for each in players)])


def _test_signal() -> Iterator[Signal]:
    """Yield 12.3 s of noise at three levels, sweeps at two, and tones that swell from nothing to -1 dBFS."""
    rng = np.random.default_rng(0)
    for level_db in (-40.0, -20.0, -10.0):
        yield _at_peak(rng.uniform(-1, 1, RATE // 2).astype(np.float32), level_db)
    time = np.arange(3 * RATE) / RATE
    octaves = np.log(1000.0)
    sweep = np.sin(2 * np.pi * 20 * 3 / octaves * (np.exp(time / 3 * octaves) - 1)).astype(np.float32)
    for level_db in (-30.0, -6.0):
        yield _at_peak(sweep, level_db)
    time = np.arange(round(1.2 * RATE)) / RATE
    for tone in (82.0, 220.0, 1000.0, 4000.0):
        yield _at_peak((time * np.sin(2 * np.pi * tone * time)).astype(np.float32), -1.0)


def _player(folder: Path, name: str) -> Signal:
    audio = read_audio(folder / f"{name}.flac")
    if audio.sample_rate != RATE:
        raise SystemExit(f"{name}.flac is at {audio.sample_rate} Hz; expected {RATE}.")
    return audio.samples[0]


def _at_peak(signal: Signal, level_db: float) -> Signal:
    return (signal * (10 ** (level_db / 20) / np.abs(signal).max())).astype(np.float32)


def _silence(seconds: float) -> Signal:
    return np.zeros(round(seconds * RATE), np.float32)


def _played(rig: PluginRig, dry: Signal) -> Signal:
    before = _silence(_PRE_ROLL_SECONDS)
    audio = Audio(samples=np.concatenate([before, dry])[None], sample_rate=RATE)
    return rig.play(audio, KnobTrack.still({}), on_done=lambda _: None).samples[0, len(before) :]


def _cut(pair: Pair, folder: Path) -> Captured:
    (dry, wet), rate = _read(folder, pair.learnt)
    if pair.scored is not None:
        return Captured(rate=rate, learnt=(dry, wet), scored=_read(folder, pair.scored)[0])
    cut = len(dry) - round(_SCORED_SHARE * len(dry))
    scored = cut - round(LEAD_IN_SECONDS * rate)
    return Captured(rate=rate, learnt=(dry[:cut], wet[:cut]), scored=(dry[scored:], wet[scored:]))


def _read(folder: Path, files: tuple[str, str]) -> tuple[tuple[Signal, Signal], int]:
    dry, wet = (read_audio(folder / file) for file in files)
    return (dry.samples[0], wet.samples[0]), dry.sample_rate
