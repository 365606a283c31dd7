"""The plugin rig: gear by name or chain file, knobs by range, and knobs that move at the very frame."""

import json
from pathlib import Path

import numpy as np
import pytest

from capture.plugin_rig import PluginRig, choose_knobs, gear_knobs, open_gear
from profiler.audio import Audio
from profiler.chain_file import ChainFile, Slot, read_chain
from profiler.errors import ChainError, GearError, KnobError
from profiler.knob import Knob
from profiler.knob_track import Breakpoint, KnobTrack
from profiler.pedalboard_effect import PedalboardEffect
from profiler.rendering import build_chain
from profiler.session import Gear

RATE = 48_000
FRAMES = 20_000
DRY = Audio(samples=np.random.default_rng(0).normal(0, 0.1, (1, FRAMES)).astype(np.float32), sample_rate=RATE)


def unheard(_: float) -> None:
    """Tell nobody."""


def chain_gear(*slots: tuple[str, str, dict[str, float]]) -> Gear:
    """Return gear of these slots: id, effect, settings."""
    made = tuple(Slot(id=id_, kind="pedalboard", ref=ref, settings=settings) for id_, ref, settings in slots)
    return Gear(name="chain", kind="plugin", chain=ChainFile(slots=made))


def played(gear: Gear, knobs: tuple[Knob, ...], track: KnobTrack, dry: Audio = DRY) -> np.ndarray:
    """Return what a fresh rig plays."""
    return PluginRig(gear, knobs, sample_rate=RATE).play(dry, track, on_done=unheard).samples


def test_a_late_effect_does_not_delay_the_knobs_behind_it():
    """A limiter looks ahead; a gain behind it still jumps at the very frame that the track names."""
    gear = chain_gear(("limiter", "BrickwallLimiter", {}), ("gain", "Gain", {"gain_db": 0}))
    (knob,) = choose_knobs(gear, ["gain_db=-20:0"])
    moves = (Breakpoint(frame=0, settings={knob.id: 0.0}), Breakpoint(frame=12_000, settings={knob.id: -20.0}))
    moving = played(gear, (knob,), KnobTrack(breakpoints=moves))
    loud, quiet = (played(gear, (knob,), KnobTrack.still({knob.id: value})) for value in (0.0, -20.0))
    np.testing.assert_allclose(moving[:, :12_000], loud[:, :12_000], atol=1e-6)
    np.testing.assert_allclose(moving[:, 12_100:], quiet[:, 12_100:], atol=1e-6)


@pytest.fixture
def distortion() -> tuple[Gear, tuple[Knob, ...]]:
    """A distortion, which has no memory, and its drive from 0 to 40 dB."""
    gear = open_gear("pedalboard:Distortion")
    return gear, choose_knobs(gear, ["drive_db=0:40"])


@pytest.mark.parametrize("frame", [1, 777, 8192, 10_000, FRAMES - 1])
def test_a_knob_moves_at_the_very_frame(distortion: tuple[Gear, tuple[Knob, ...]], frame: int):
    """Up to the frame the sound is that of the one setting, from it on that of the other, to the last bit."""
    track = KnobTrack(
        breakpoints=(
            Breakpoint(frame=0, settings={"drive_db": 5.0}),
            Breakpoint(frame=frame, settings={"drive_db": 35.0}),
        )
    )
    wet = played(*distortion, track)
    low, high = (played(*distortion, KnobTrack.still({"drive_db": value})) for value in (5.0, 35.0))
    assert np.array_equal(wet, np.concatenate([low[:, :frame], high[:, frame:]], axis=1))


def test_a_ramp_slides_in_steps_of_32_frames(distortion: tuple[Gear, tuple[Knob, ...]]):
    """Within a ramp each 32 frames sound as the setting does at which they begin."""
    start, length = 1000, 1600
    track = KnobTrack(
        breakpoints=(
            Breakpoint(frame=0, settings={"drive_db": 0.0}),
            Breakpoint(frame=start, settings={"drive_db": 40.0}, ramp_frames=length),
        )
    )
    wet = played(*distortion, track)
    for frame in range(start, start + length, 160):
        expected = np.tanh(DRY.samples[:, frame : frame + 32] * 10 ** (40 * (frame - start) / length / 20))
        assert np.allclose(wet[:, frame : frame + 32], expected, atol=1e-4)
    assert np.allclose(wet[:, start + length :], np.tanh(100 * DRY.samples[:, start + length :]), atol=1e-4)


def test_a_breakpoint_interrupts_a_ramp(distortion: tuple[Gear, tuple[Knob, ...]]):
    """From the next breakpoint on the sound is that of its own setting."""
    track = KnobTrack(
        breakpoints=(
            Breakpoint(frame=0, settings={"drive_db": 0.0}),
            Breakpoint(frame=100, settings={"drive_db": 40.0}, ramp_frames=10_000),
            Breakpoint(frame=333, settings={"drive_db": 20.0}),
        )
    )
    wet = played(*distortion, track)
    still = played(*distortion, KnobTrack.still({"drive_db": 20.0}))
    assert np.array_equal(wet[:, 333:], still[:, 333:])
    assert not np.allclose(wet[:, 300:333], still[:, 300:333], atol=1e-3)


def test_what_an_effect_remembers_is_carried_over_a_move():
    """A delay whose knobs never change sounds the same however often the track names them, at any spacing."""
    gear = chain_gear(("echo", "Delay", {"delay_seconds": 0.05, "feedback": 0.5, "mix": 0.5}))
    knobs = choose_knobs(gear, ["mix=0:1"])
    frames = [0, 3, 500, 501, 12_000]
    track = KnobTrack(breakpoints=tuple(Breakpoint(frame=frame, settings={"mix": 0.5}) for frame in frames))
    still = played(gear, knobs, KnobTrack.still({"mix": 0.5}))
    assert np.array_equal(played(gear, knobs, track), still)
    assert np.abs(still[:, 2400:] - 0.5 * DRY.samples[:, 2400:]).max() > 0.01


def test_slots_play_in_order():
    """Gain before a distortion drives it, gain after does not; the rig plays what the effects one by one play."""
    gain, drive = ("gain", "Gain", {"gain_db": -20.0}), ("drive", "Distortion", {"drive_db": 30.0})
    wet = [played(chain_gear(*slots), (), KnobTrack.still({})) for slots in ((gain, drive), (drive, gain))]
    quiet = PedalboardEffect("Gain", {"gain_db": -20}).process(DRY.samples, RATE)
    assert np.array_equal(wet[0], PedalboardEffect("Distortion", {"drive_db": 30}).process(quiet, RATE))
    assert np.abs(wet[0] - wet[1]).max() > 0.1


def test_each_knob_of_a_chain_turns_its_own_slot():
    """In a chain knobs are `slot.knob`; the same effect twice has two of each."""
    gear = chain_gear(("one", "Gain", {"gain_db": 0.0}), ("two", "Gain", {"gain_db": 0.0}))
    assert [knob.id for knob in gear_knobs(gear)] == ["one.gain_db", "two.gain_db"]
    knobs = choose_knobs(gear, ["one.gain_db=-40:0", "two.gain_db=0:20"])
    wet = played(gear, knobs, KnobTrack.still({"one.gain_db": -40.0, "two.gain_db": 20.0}))
    assert np.allclose(wet, 0.1 * DRY.samples, atol=1e-6)


def test_switches_turn_in_ramps_too():
    """A switch flips as the ramp begins, while the drive beside it slides."""
    gear = open_gear("pedalboard:LadderFilter")
    knobs = choose_knobs(gear, ["mode=LPF12,HPF24", "cutoff_hz=200:8000"])
    assert knobs[0].choices == ("LPF12", "HPF24")
    track = KnobTrack(
        breakpoints=(
            Breakpoint(frame=0, settings={"mode": "LPF12", "cutoff_hz": 200.0}),
            Breakpoint(frame=8000, settings={"mode": "HPF24", "cutoff_hz": 8000.0}, ramp_frames=640),
        )
    )
    wet = played(gear, knobs, track)
    still = played(gear, knobs, KnobTrack.still({"mode": "LPF12", "cutoff_hz": 200.0}))
    assert np.array_equal(wet[:, :8000], still[:, :8000])
    spectrum = np.abs(np.fft.rfft(wet[0, 12_000:]))
    assert spectrum[-500:].mean() > 100 * spectrum[1:20].mean()


def test_latency_of_gear_is_taken_out_and_plays_repeat():
    """A limiter's look-ahead does not show; a rig plays the same twice over, from rest each time."""
    gear = chain_gear(("limit", "BrickwallLimiter", {}), ("echo", "Delay", {"delay_seconds": 0.01}))
    rig = PluginRig(gear, (), sample_rate=RATE)
    heard: list[float] = []
    first = rig.play(DRY, KnobTrack.still({}), on_done=heard.append)
    second = rig.play(DRY, KnobTrack.still({}), on_done=unheard)
    assert np.array_equal(first.samples, second.samples)
    assert first.samples.shape == DRY.samples.shape
    assert np.abs(first.samples[:, :400] - 0.5 * DRY.samples[:, :400]).max() < 1e-3
    assert heard[-1] == 1.0
    assert heard == sorted(heard)


def test_gear_that_returns_nonsense_is_an_error():
    """NaN or infinity from the gear is a GearError that says where and what to do."""
    # Two gains of 100 dB each and a dry of 1e30 leave the range of float32.
    gear = chain_gear(("one", "Gain", {"gain_db": 100.0}), ("two", "Gain", {"gain_db": 100.0}))
    samples = np.zeros((1, 1000), np.float32)
    samples[0, 600:] = 1e30
    with pytest.raises(GearError, match=r"NaN or infinity at frame 600.*Narrow"):
        played(gear, (), KnobTrack.still({}), Audio(samples=samples, sample_rate=RATE))


def test_gear_is_named_by_effect_or_chain_file(tmp_path: Path):
    """`pedalboard:NAME` and a JSON file are gear; a chain's settings are its knobs' defaults."""
    assert open_gear("pedalboard:Reverb").name == "Reverb"
    file = tmp_path / "my_amp.json"
    slots = [
        {"id": "drive", "kind": "pedalboard", "ref": "Distortion", "settings": {"drive_db": 12}},
        {"id": "tone", "kind": "pedalboard", "ref": "LowpassFilter"},
    ]
    file.write_text(json.dumps({"version": 0, "slots": slots}))
    gear = open_gear(str(file))
    assert gear.name == "my_amp"
    defaults = {knob.id: knob.default for knob in gear_knobs(gear)}
    assert defaults == {"drive.drive_db": 12.0, "tone.cutoff_frequency_hz": 50.0}


@pytest.mark.parametrize(
    ("plugin", "said"),
    [
        ("pedalboard:Fuzz", "no effect 'Fuzz'"),
        ("pedalboard:", "no effect ''"),
        ("Distortion", "is no gear known here"),
        ("amp.vst3", "is not there"),
        ("amp.dll", "is no gear known here"),
    ],
)
def test_unknown_gear_is_refused(plugin: str, said: str):
    """What is neither an effect nor a chain file is answered with what can be given."""
    with pytest.raises(GearError, match=said):
        open_gear(plugin)


@pytest.mark.parametrize(
    ("slot", "error", "said"),
    [
        ({"id": "a", "kind": "pedalboard", "ref": "Fuzz"}, GearError, "no effect 'Fuzz'"),
        ({"id": "a", "kind": "profile", "ref": "x.tonecast"}, GearError, "Slot a is of the kind profile"),
        ({"id": "a", "kind": "pedalboard", "ref": "Gain", "settings": {"tone": 1}}, KnobError, "not a knob"),
        ({"id": "a", "kind": "pedalboard", "ref": "Gain", "settings": {"gain_db": 1e9}}, KnobError, "cannot stand"),
        ({"id": "a", "kind": "vst", "ref": "x"}, ChainError, "kind"),
    ],
)
def test_a_chain_that_cannot_be_captured_is_refused(
    tmp_path: Path, slot: dict[str, object], error: type[Exception], said: str
):
    """Unknown effects, profiles, knobs and values in a chain file are found as it is opened."""
    file = tmp_path / "chain.json"
    file.write_text(json.dumps({"version": 0, "slots": [slot]}))
    with pytest.raises(error, match=said):
        open_gear(str(file))


def test_a_chain_file_that_is_not_there_or_no_json_is_refused(tmp_path: Path):
    """Both are a ChainError that names the file."""
    (tmp_path / "broken.json").write_text("{")
    for name in ("broken.json", "none.json"):
        with pytest.raises(ChainError, match=name):
            open_gear(str(tmp_path / name))


def test_knobs_are_chosen_by_range():
    """A range narrows the knob, keeps its default where that lies inside, else takes the middle."""
    gear = open_gear("pedalboard:Compressor")
    threshold, ratio, attack = choose_knobs(gear, ["threshold_db=-40:0", "ratio=2:8", "attack_ms=1:100:linear"])
    assert (threshold.minimum, threshold.maximum, threshold.default) == (-40, 0, 0)
    assert (ratio.default, ratio.scale) == (pytest.approx(4.0), "log")
    assert (attack.scale, attack.default) == ("linear", 1.0)
    assert choose_knobs(gear, []) == ()


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ("gain=0:1", "not a knob"),
        ("drive_db", "not understood"),
        ("drive_db=", "not understood"),
        ("drive_db=5", "not understood"),
        ("drive_db=0:40:cubic", "not understood"),
        ("drive_db=0:200", "-60 to 100 dB"),
        ("drive_db=-70:0", "-60 to 100 dB"),
        ("drive_db=40:0", "low end must come first"),
        ("drive_db=7:7", "low end must come first"),
        ("drive_db=a:b", "takes a number"),
        ("drive_db=nan:nan", "cannot stand at nan"),
        ("drive_db=0:inf", "cannot stand at inf"),
        ("drive_db=0:", "takes a number"),
        ("drive_db=-10:10:log", "logarithmic"),
    ],
)
def test_a_range_that_the_gear_does_not_have_is_refused(wanted: str, said: str):
    """Unknown knobs, misspelt ranges and ranges outside the gear's own are KnobErrors that say what is expected."""
    with pytest.raises(KnobError, match=said):
        choose_knobs(open_gear("pedalboard:Distortion"), [wanted])


@pytest.mark.parametrize("wanted", ["mode=LPF12", "mode=LPF12,LPF12", "mode=LPF12,NOTCH", "mode=0:1"])
def test_a_switch_needs_two_of_its_own_choices(wanted: str):
    """One choice, the same one twice and one the gear does not have are refused."""
    with pytest.raises(KnobError):
        choose_knobs(open_gear("pedalboard:LadderFilter"), [wanted])


def test_a_knob_is_chosen_once():
    """Naming one knob twice, by its whole name and by its end, is an error."""
    gear = chain_gear(("a", "Gain", {}), ("b", "Distortion", {}))
    with pytest.raises(KnobError, match="drive_db more than once"):
        choose_knobs(gear, ["b.drive_db=0:10", "drive_db=0:20"])


def test_a_slots_levels_are_recorded_too(tmp_path: Path):
    """A chain sounds the same in a capture as it does in a render."""
    file = tmp_path / "chain.json"
    slot = {"id": "a", "kind": "pedalboard", "ref": "Distortion", "settings": {"drive_db": 20}}
    file.write_text(json.dumps({"slots": [{**slot, "input_db": -6, "output_db": -12}]}))
    dry = Audio(samples=np.random.default_rng(0).normal(0, 0.2, (1, 9000)).astype(np.float32), sample_rate=48_000)
    with PluginRig(open_gear(str(file)), (), sample_rate=48_000) as rig:
        wet = rig.play(dry, KnobTrack.still({}), on_done=lambda _: None).samples
    with build_chain(read_chain(file), {}) as chain:
        assert np.abs(wet - chain.process(dry.samples, 48_000)).max() < 1e-6
