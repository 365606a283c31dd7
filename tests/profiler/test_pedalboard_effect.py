"""pedalboard's effects: their knobs, and that a stream sounds like the whole."""

import numpy as np
import pedalboard
import pytest
from hypothesis import given
from hypothesis import strategies as st

from profiler.errors import AudioError, GearError, KnobError
from profiler.knob import Knob
from profiler.pedalboard_effect import EFFECT_NAMES, PedalboardEffect, effect_knobs

SAMPLE_RATE = 48_000

LATE = ("BrickwallLimiter", "GSMFullRateCompressor", "MP3Compressor", "Resample")
"""Effects that hold frames back."""

STRONG = {
    "BrickwallLimiter": {"ceiling_db": -20},
    "Chorus": {"rate_hz": 3, "depth": 0.5, "feedback": 0.5},
    "Compressor": {"threshold_db": -40, "ratio": 8},
    "Delay": {"delay_seconds": 0.013, "feedback": 0.6},
    "Gain": {"gain_db": -6},
    "HighShelfFilter": {"gain_db": 12},
    "LowShelfFilter": {"gain_db": -12},
    "Limiter": {"threshold_db": -30, "release_ms": 50},
    "NoiseGate": {"threshold_db": -18, "ratio": 10},
    "PeakFilter": {"gain_db": 12},
    "Phaser": {"rate_hz": 3, "feedback": 0.5},
}
"""Settings at which an effect is plainly heard, where its defaults do next to nothing."""


def noise(channels: int, frames: int) -> np.ndarray:
    """Return noise with silent gaps, so that what an effect remembers is heard."""
    rng = np.random.default_rng([channels, frames])
    sound = rng.normal(0, 0.2, (channels, frames)) * (np.arange(frames) // 1500 % 2)
    return sound.astype(np.float32)


def ends(knob: Knob) -> list[float | str]:
    """Return every end of a knob's range, or every position of a switch."""
    return list(knob.choices) or [knob.minimum, knob.maximum]


EVERY_END = [(name, knob.id, value) for name in EFFECT_NAMES for knob in effect_knobs(name) for value in ends(knob)]


@pytest.mark.parametrize(("name", "knob", "value"), EVERY_END)
def test_every_end_of_every_range_is_taken_and_sounds_finite(name: str, knob: str, value: float | str):
    """The real effect takes both ends of each range and returns finite audio of the same length."""
    wet = PedalboardEffect(name, {knob: value}).process(noise(2, 9000), SAMPLE_RATE)
    assert wet.shape == (2, 9000)
    assert wet.dtype == np.float32
    assert np.isfinite(wet).all()


def test_every_effect_there_is_can_be_used_or_is_left_out_for_a_reason():
    """The table names all of pedalboard's effects but those that load files or other effects, or do not stream."""
    found = {
        name
        for name, each in vars(pedalboard).items()
        if isinstance(each, type) and issubclass(each, pedalboard.Plugin) and not name.startswith("_")
    }
    left_out = {"Plugin", "PluginContainer", "Pedalboard", "Chain", "Mix", "Convolution", "IIRFilter", "PitchShift"}
    left_out |= {"ExternalPlugin", "AudioUnitPlugin", "VST3Plugin"}
    assert found - left_out == set(EFFECT_NAMES)


def test_pitch_shift_is_left_out_because_it_does_not_stream():
    """Fed in blocks pedalboard's PitchShift is silent; when this fails it can join the table."""
    plugin = pedalboard.PitchShift(semitones=3)
    dry = np.random.default_rng(0).normal(0, 0.2, (1, 160_000)).astype(np.float32)
    wet = [plugin.process(dry[:, at : at + 8192], SAMPLE_RATE, reset=False) for at in range(0, 160_000, 8192)]
    assert np.abs(np.concatenate(wet, axis=1)).max() < 1e-6
    with pytest.raises(GearError, match="no effect 'PitchShift'"):
        PedalboardEffect("PitchShift")


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("name", EFFECT_NAMES)
def test_a_stream_sounds_like_the_whole(name: str, channels: int, in_blocks):
    """Blocks that shrink and grow, square ones of two frames and more than pedalboard's own 8192 change nothing."""
    dry = noise(channels, 30_011)
    whole = PedalboardEffect(name, STRONG.get(name)).process(dry, SAMPLE_RATE)
    assert whole.shape == dry.shape
    assert np.abs(whole - dry).max() > 1e-3
    for sizes in ([441, 1000, 7], [2, 4096, 1, 20_000], [64]):
        wet = in_blocks(PedalboardEffect(name, STRONG.get(name)), dry, SAMPLE_RATE, sizes)
        # JUCE sets filter states below 1e-8 to zero as a block ends; all the rest is equal to the last bit.
        assert np.abs(wet - whole).max() <= (1e-6 if name.endswith(("ShelfFilter", "PeakFilter")) else 0), sizes


@pytest.mark.parametrize("sizes", [[1], [2], [1, 2, 3]])
@pytest.mark.parametrize("name", EFFECT_NAMES)
def test_stereo_in_the_smallest_blocks_stays_stereo(name: str, sizes: list[int], in_blocks):
    """One frame of two channels is not taken for two frames of one, nor is a square block refused."""
    dry = np.random.default_rng(5).normal(0, 0.2, (2, 1501)).astype(np.float32)
    whole = PedalboardEffect(name, STRONG.get(name)).process(dry, SAMPLE_RATE)
    assert np.array_equal(in_blocks(PedalboardEffect(name, STRONG.get(name)), dry, SAMPLE_RATE, sizes), whole)


@given(sizes=st.lists(st.integers(0, 3000), min_size=1, max_size=6).filter(any))
def test_any_blocks_of_a_limiter_sound_like_the_whole(sizes: list[int], in_blocks):
    """An effect that holds frames back, in blocks of any sizes, empty ones among them, is the same sound."""
    dry = noise(2, 10_000)
    effect = PedalboardEffect("BrickwallLimiter", {"ceiling_db": -20})
    assert np.array_equal(in_blocks(effect, dry, SAMPLE_RATE, sizes), effect.process(dry, SAMPLE_RATE))


@pytest.mark.parametrize("name", ["Distortion", "LowpassFilter", "Compressor", "Delay", "Reverb"])
def test_the_sound_is_pedalboards_own(name: str):
    """An effect without a modulation of its own returns to the last bit what pedalboard returns."""
    dry = noise(2, 20_000)
    assert np.array_equal(
        PedalboardEffect(name).process(dry, SAMPLE_RATE), getattr(pedalboard, name)().process(dry, SAMPLE_RATE)
    )


@pytest.mark.parametrize("name", LATE)
def test_latency_is_taken_out(name: str):
    """What an effect that holds frames back returns lies on its dry, to the frame."""
    rng = np.random.default_rng(1)
    smooth = np.convolve(rng.normal(0, 0.3, 30_000), np.hanning(65) / 16, "same").astype(np.float32)[None]
    wet = PedalboardEffect(name).process(smooth, SAMPLE_RATE)
    lags = np.correlate(wet[0, 10_000:16_000], smooth[0, 10_200:15_800], "valid")
    assert abs(int(lags.argmax()) - 200) <= 1


@pytest.mark.parametrize("name", [*LATE, "Compressor"])
def test_what_was_heard_is_forgotten_after_a_reset(name: str):
    """Processing the same signal twice gives the same sound, even after a stream broken off."""
    dry = noise(1, 9000)
    effect = PedalboardEffect(name, STRONG.get(name))
    first = effect.process(dry, SAMPLE_RATE)
    effect.feed(dry[:, :5000], SAMPLE_RATE)
    assert np.array_equal(effect.process(dry, SAMPLE_RATE), first)


@pytest.mark.parametrize("name", EFFECT_NAMES)
def test_nothing_and_one_frame_are_signals_too(name: str):
    """No frames give no frames and one gives one; a flush without a stream gives nothing."""
    effect = PedalboardEffect(name)
    assert effect.flush().shape == (1, 0)
    assert effect.process(np.zeros((2, 0), np.float32), SAMPLE_RATE).shape == (2, 0)
    one = effect.process(np.full((1, 1), 0.5, np.float32), SAMPLE_RATE)
    assert one.shape == (1, 1)
    assert np.isfinite(one).all()


def test_a_knob_turns_at_the_very_frame():
    """Turned between two feeds, a knob is heard from the next frame on and not before."""
    dry = noise(1, 4000) + np.float32(0.05)
    effect = PedalboardEffect("Bitcrush", {"bit_depth": 16})
    before = effect.feed(dry[:, :1234], SAMPLE_RATE)
    effect.turn("bit_depth", 3)
    after = effect.feed(dry[:, 1234:], SAMPLE_RATE)
    fine, coarse = (PedalboardEffect("Bitcrush", {"bit_depth": bits}).process(dry, SAMPLE_RATE) for bits in (16, 3))
    assert np.array_equal(np.concatenate([before, after], axis=1), np.hstack([fine[:, :1234], coarse[:, 1234:]]))


def test_turning_a_late_effect_loses_no_frame():
    """A knob turned in the middle of a late effect's stream moves nothing, and blocks still do not matter."""
    dry = noise(1, 20_000)
    streams = []
    for step in (5000, 250):
        effect = PedalboardEffect("BrickwallLimiter", {"ceiling_db": -10})
        wet = []
        for at in range(0, 20_000, step):
            if at == 10_000:
                effect.turn("ceiling_db", -30)
            wet.append(effect.feed(dry[:, at : at + step], SAMPLE_RATE))
        streams.append(np.concatenate([*wet, effect.flush()], axis=1))
    assert streams[0].shape == dry.shape
    assert np.array_equal(streams[0], streams[1])
    peaks = [np.abs(streams[0][:, part]).max() for part in (slice(0, 9000), slice(12_000, None))]
    assert peaks == pytest.approx([10 ** (-10 / 20), 10 ** (-30 / 20)], rel=0.02)


def test_channels_and_rate_do_not_change_within_a_stream():
    """Another number of channels or another rate needs a reset first."""
    effect = PedalboardEffect("Delay")
    effect.feed(np.zeros((1, 10), np.float32), SAMPLE_RATE)
    with pytest.raises(AudioError, match="1 channel"):
        effect.feed(np.zeros((2, 10), np.float32), SAMPLE_RATE)
    with pytest.raises(AudioError, match="44100 Hz"):
        effect.feed(np.zeros((1, 10), np.float32), 44_100)
    assert effect.process(np.zeros((2, 10), np.float32), 44_100).shape == (2, 10)


def test_knobs_have_units_switches_and_the_effects_own_defaults():
    """A knob's name, unit, range and default come from the effect; booleans and enumerations become switches."""
    (drive,) = effect_knobs("Distortion")
    assert (drive.id, drive.name, drive.unit, drive.default) == ("drive_db", "drive", "dB", 25.0)
    ladder = {knob.id: knob for knob in effect_knobs("LadderFilter")}
    assert ladder["mode"].choices == ("LPF12", "HPF12", "BPF12", "LPF24", "HPF24", "BPF24")
    assert ladder["cutoff_hz"].scale == "log"
    assert {knob.id: knob.choices for knob in effect_knobs("BrickwallLimiter")}["true_peak"] == ("off", "on")
    assert effect_knobs("Invert") == ()


def test_a_switch_is_heard():
    """A ladder filter turned to high-pass lets through what its low-pass takes away."""
    tone = np.sin(2 * np.pi * 100 * np.arange(9600) / SAMPLE_RATE).astype(np.float32)[None]
    low, high = (
        PedalboardEffect("LadderFilter", {"mode": mode, "cutoff_hz": 2000}).process(tone, SAMPLE_RATE)
        for mode in ("LPF24", "HPF24")
    )
    assert np.abs(low[:, 4800:]).max() > 30 * np.abs(high[:, 4800:]).max()


@pytest.mark.parametrize(
    ("settings", "said"),
    [({"drive_db": 101}, "-60 to 100 dB"), ({"gain": 1}, "not a knob"), ({"drive_db": "much"}, "takes a number")],
)
def test_a_wrong_setting_says_what_was_expected(settings: dict[str, float | str], said: str):
    """A value out of range, a knob that is not there and a word for a number are refused by name."""
    with pytest.raises(KnobError, match=said):
        PedalboardEffect("Distortion", settings)


def test_an_unknown_effect_lists_those_there_are():
    """A misspelt effect is answered with the list."""
    with pytest.raises(GearError, match=r"'Fuzz'.*Distortion"):
        effect_knobs("Fuzz")


def test_channels_an_effect_cannot_play_are_refused():
    """Three channels into an MP3 coder are an error that names the effect, not a crash."""
    with pytest.raises(GearError, match="MP3Compressor refused 3 channel"):
        PedalboardEffect("MP3Compressor").process(np.zeros((3, 100), np.float32), SAMPLE_RATE)
