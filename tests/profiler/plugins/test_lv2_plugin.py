"""LV2 plugins, real ones and odd ones: their knobs, exact values, exact frames, latency, channels."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from profiler.errors import AudioError, GearError, KnobError
from profiler.plugins import HostedPlugin
from profiler.plugins.suites import how_to_install

RATE = 48_000
GUITARIX = "http://guitarix.sourceforge.net/plugins/"
TUBE_SCREAMER = f"lv2:{GUITARIX}gxts9#ts9sim"
AMP = f"lv2:{GUITARIX}gx_amp#GUITARIX"


def noise(channels: int = 1, frames: int = 9600) -> np.ndarray:
    """Return noise that swells and fades."""
    rng = np.random.default_rng([channels, frames])
    swell = 0.6 + 0.4 * np.sin(np.arange(frames) / 700)
    return (rng.normal(0, 0.1, (channels, frames)) * swell).astype(np.float32)


@pytest.mark.usefixtures("lv2")
def test_knobs_are_the_plugins_own():
    """Ids, names, ranges, defaults and the labels of switches are what the bundle says; the host's ports are not."""
    with HostedPlugin(AMP) as amp:
        knobs = {knob.id: knob for knob in amp.knobs}
    assert amp.name == "GxAmplifier-X"
    assert (knobs["PreGain"].minimum, knobs["PreGain"].maximum, knobs["PreGain"].default) == (-20, 20, 0)
    assert (knobs["Drive"].minimum, knobs["Drive"].default) == (0.01, 0.25)
    assert (len(knobs["model"].choices), knobs["model"].choices[:2]) == (19, ("12ax7", "12AU7"))
    assert knobs["t_model"].default == "Bassman Style"
    assert knobs["HIGHGAIN"].choices == ("off", "on")
    with HostedPlugin(TUBE_SCREAMER) as screamer:
        assert [knob.name for knob in screamer.knobs] == ["Level", "Tone", "Drive"]  # BYPASS is the host's


def test_every_kind_of_port_becomes_what_it_is(odd: str):
    """Toggles, labels, whole numbers, logarithmic ranges and units are read; what is the host's is left out."""
    with HostedPlugin(odd + "knobs") as plugin:
        knobs = {knob.id: knob for knob in plugin.knobs}
        assert plugin.description.version == "2.1"
    assert list(knobs) == ["p2", "p3", "p4", "p5", "p6", "p7"]
    assert (knobs["p3"].choices, knobs["p3"].default) == (("off", "on"), "off")
    assert (knobs["p4"].choices, knobs["p4"].default) == (("clean", "a;b", "lead"), "a;b")
    assert (knobs["p5"].step, knobs["p5"].minimum, knobs["p5"].maximum) == (1, 1, 8)
    assert (knobs["p6"].scale, knobs["p6"].unit, knobs["p6"].default) == ("log", "Hz", 1000)
    assert (knobs["p7"].unit, knobs["p7"].minimum, knobs["p7"].name) == ("V", 0.1, "Port 7")


@pytest.mark.parametrize(
    ("port", "settings", "expected"),
    [
        (2, {}, 2.0),
        (3, {"p3": "on"}, 1.0),
        (4, {"p4": "lead"}, 2.0),
        (5, {"p5": 6.4}, 6.0),
        (6, {"p6": 440.1}, 440.1),
        (7, {}, 0.1),
        (8, {}, 1.0),
        (9, {}, 0.0),
        (11, {}, 0.25),
        (13, {}, 0.75),
    ],
)
def test_ports_get_exactly_what_they_should(odd: str, port: int, settings: dict[str, float | str], expected: float):
    """Knobs get their values to the last bit of single precision; the host's ports say on, and not freewheeling."""
    # Knob p2 of this plugin says which port's value it plays.
    with HostedPlugin(odd + "knobs", settings) as plugin:
        plugin.turn("p2", port)
        wet = plugin.process(noise(), RATE)
    assert (wet == np.float32(expected)).all()


def test_values_are_not_snapped(odd: str):
    """3.3 arrives as 3.3, and the smallest step of single precision as itself."""
    with HostedPlugin(odd + "value") as plugin:
        for value in (3.3, float(np.nextafter(np.float32(3.3), np.float32(4))), 0.0, 10.0):
            plugin.turn("p2", value)
            assert (plugin.process(noise(), RATE) == np.float32(value)).all()


@pytest.mark.parametrize("rate", [44_100, 48_000, 96_000])
def test_ranges_in_shares_of_the_rate_are_hertz(odd: str, rate: int):
    """A range stated in shares of the sample rate is a knob in Hz, which never goes beyond the share at any rate."""
    with HostedPlugin(odd + "rate", {"p3": 12_000}) as plugin:
        knob = plugin.knobs[1]
        assert (knob.unit, knob.minimum, knob.maximum, knob.default) == ("Hz", 0, 24_000, 6000)
        assert (plugin.process(noise(), rate) == 12_000).all()
        plugin.turn("p3", 24_000)
        assert (plugin.process(noise(), rate) == min(24_000, rate / 2)).all()


def test_a_knob_jumps_at_the_right_frame(odd: str):
    """A turn on the grid of 64 frames is heard from that frame on; one beside it from the next point of the grid."""
    for at, heard in ((640, 640), (641, 704), (700, 704), (64, 64), (63, 64), (0, 0)):
        with HostedPlugin(odd + "value", {"p2": 1}) as plugin:
            plugin.reset()
            wet = [plugin.feed(noise()[:, :at], RATE)]
            plugin.turn("p2", 9)
            wet += [plugin.feed(noise()[:, at:], RATE), plugin.flush()]
        expected = np.where(np.arange(9600) < heard, 1, 9)[None]
        assert np.array_equal(np.concatenate(wet, axis=1), expected), at


def test_it_always_runs_in_blocks_of_64(odd: str):
    """However it is fed, and for the last frames too, the plugin sees blocks of 64."""
    with HostedPlugin(odd + "blocks") as plugin:
        for frames in (1, 63, 64, 65, 1000):
            wet = plugin.process(noise(frames=frames), RATE)
            assert wet.shape == (1, frames)
            assert (wet == 64).all()


@pytest.mark.parametrize("rate", [44_100, 48_000, 96_000])
def test_a_second_of_silence_comes_before_each_stream_of_a_plugin_started_anew(odd: str, rate: int):
    """The plugin has heard a second, in whole blocks, when the first frame comes; and no more in the second stream."""
    with HostedPlugin(odd + "heard") as plugin:
        for _ in range(2):
            wet = plugin.process(noise(), rate)
            assert wet[0, 0] == -(-rate // 64) * 64
            assert (np.diff(wet[0]) == 1).all()


@pytest.mark.parametrize("sizes", [[9600], [1], [64], [63, 65], [1000, 7], [4096, 1, 333]])
def test_latency_is_taken_out(odd: str, sizes: list[int], in_blocks):
    """A plugin that comes 100 frames late and says so returns its dry in place, to the last bit and frame."""
    with HostedPlugin(odd + "late") as plugin:
        dry = noise(frames=2000)
        assert np.array_equal(in_blocks(plugin, dry, RATE, sizes), dry)
        assert plugin.process(dry[:, :30], RATE).shape == (1, 30)


@pytest.mark.usefixtures("lv2")
def test_the_latency_of_a_real_limiter_is_taken_out():
    """ZaMaximX2 looks 480 frames ahead; below its threshold a pulse comes out where it went in."""
    dry = np.zeros((2, 9600), np.float32)
    dry[:, 4000] = 0.25
    with HostedPlugin("lv2:urn:zamaudio:ZaMaximX2") as limiter:
        wet = limiter.process(dry, RATE)
    assert wet.shape == dry.shape
    assert np.abs(wet).argmax(axis=1).tolist() == [4000, 4000]
    assert np.abs(wet[:, 4000]).min() > 0.2


@pytest.mark.usefixtures("lv2")
@pytest.mark.parametrize(
    ("ref", "settings"), [(TUBE_SCREAMER, {}), (AMP, {}), ("lv2:urn:zamaudio:ZaMaximX2", {"thresh": -30})]
)
def test_blocks_of_any_size_sound_like_the_whole(ref: str, settings: dict[str, float], in_blocks):
    """Real plugins, one with a convolver among them, play the same to the last bit however they are fed."""
    with HostedPlugin(ref, settings) as plugin:
        dry = noise(frames=12_345)
        whole = plugin.process(dry, RATE)
        assert whole.shape == dry.shape
        assert np.abs(whole - dry).max() > 1e-3
        for sizes in ([1000, 7, 64], [63], [5000, 1]):
            assert np.array_equal(in_blocks(plugin, dry, RATE, sizes), whole), sizes


@pytest.mark.usefixtures("lv2")
def test_any_blocks_at_all(in_blocks):
    """Empty blocks and odd ones too: whatever their sizes, an equalizer sounds like the whole."""
    dry = noise(frames=1500)
    with HostedPlugin("lv2:urn:zamaudio:ZamEQ2", {"boost1": 12}) as plugin:
        whole = plugin.process(dry, RATE)

        @given(sizes=st.lists(st.integers(0, 700), min_size=1, max_size=5).filter(any))
        def sounds_like_the_whole(sizes: list[int]) -> None:
            assert np.array_equal(in_blocks(plugin, dry, RATE, sizes), whole)

        sounds_like_the_whole()


def test_channels_fit(odd: str):
    """Stereo through one input is two plugins; two outputs are averaged for mono, and the difference is told."""
    dry = noise(channels=2)
    with HostedPlugin(odd + "late") as plugin:
        assert np.array_equal(plugin.process(dry, RATE), dry)
        assert plugin.side_db is None
    with HostedPlugin(odd + "sides") as plugin:
        wet = plugin.process(dry[:1], RATE)
        assert np.allclose(wet, 0.25 * dry[:1], atol=1e-7)
        assert plugin.side_db == pytest.approx(20 * np.log10(1.5 / 0.5), abs=1e-3)


@pytest.mark.usefixtures("lv2")
def test_stereo_plugins_play_both_sides():
    """A stereo chorus keeps left and right apart, answers mono in stereo, and its mean is returned."""
    with HostedPlugin(f"lv2:{GUITARIX}gx_chorus_stereo#_chorus_stereo") as chorus:
        dry = noise(channels=2, frames=20_000)
        wet = chorus.process(dry, RATE)
        assert wet.shape == dry.shape
        assert np.abs(wet[0] - wet[1]).max() > 0.01
        left = np.stack([dry[0], np.zeros_like(dry[0])])
        assert np.abs(chorus.process(left, RATE)[0]).max() > 0.01
        assert chorus.process(dry[:1], RATE).shape == (1, 20_000)
        assert chorus.side_db is not None


@pytest.mark.usefixtures("lv2")
def test_nothing_is_plugged_into_a_side_chain():
    """A compressor that listens to its side chain hears silence there and lets all through; else it compresses."""
    dry = noise(frames=24_000) * 3
    with HostedPlugin("lv2:urn:zamaudio:ZamComp", {"thr": -40, "rat": 10}) as compressor:
        compressed = compressor.process(dry, RATE)
        compressor.turn("sidech", "on")
        untouched = compressor.process(dry, RATE)
    assert np.abs(compressed[:, 12_000:]).max() < 0.5 * np.abs(dry[:, 12_000:]).max()
    assert np.allclose(untouched, dry, atol=1e-4)


def test_streams_keep_their_kind(odd: str):
    """Another number of channels or another rate needs a reset; nothing, and a flush of nothing, is a signal too."""
    with HostedPlugin(odd + "value") as plugin:
        assert plugin.flush().shape == (1, 0)
        assert plugin.process(noise(frames=0), RATE).shape == (1, 0)
        plugin.feed(noise(frames=10), RATE)
        with pytest.raises(AudioError, match="1 channel"):
            plugin.feed(noise(channels=2, frames=10), RATE)
        with pytest.raises(AudioError, match="44100 Hz"):
            plugin.feed(noise(frames=10), 44_100)
        assert plugin.process(noise(channels=2, frames=10), 44_100).shape == (2, 10)


@pytest.mark.usefixtures("lv2")
@pytest.mark.parametrize(
    ("ref", "said"),
    [
        (f"lv2:{GUITARIX}gxts9", "No LV2 plugin .*Close to it: .*gxts9#ts9sim"),
        ("lv2:urn:nobody:knows", "No LV2 plugin 'urn:nobody:knows' is installed among"),
        ("lv2:", "No LV2 plugin ''"),
        ("lv2:no uri", "No LV2 plugin 'no uri'"),
    ],
)
def test_what_is_no_effect_is_refused(ref: str, said: str):
    """A misspelt URI is answered with what is close to it."""
    with pytest.raises(GearError, match=said):
        HostedPlugin(ref)


def test_what_cannot_be_hosted_is_refused(odd: str):
    """A plugin without an input is no effect, and one that needs what nobody has says what that is."""
    with pytest.raises(GearError, match="Odd source has 0 audio inputs"):
        HostedPlugin(odd + "source")
    with pytest.raises(GearError, match="needs a host with urn:nobody:has#this"):
        HostedPlugin(odd + "needy")


def test_wrong_settings_are_refused(odd: str):
    """Unknown knobs and values out of range are KnobErrors with the range, and no process is left."""
    for settings, said in (({"p2": 11}, "0 to 10"), ({"drive": 1}, "not a knob"), ({"p2": "much"}, "takes a number")):
        with pytest.raises(KnobError, match=said):
            HostedPlugin(odd + "value", settings)


@pytest.mark.parametrize(
    ("uri", "told"),
    [
        (f"{GUITARIX}gx_none", "Guitarix plugins; Debian and Ubuntu: apt-get install guitarix-lv2"),
        ("urn:zamaudio:ZamNone", "apt-get install zam-plugins"),
        ("http://nobody.org/none", "Install the plugins that it comes with"),
    ],
)
def test_what_is_missing_is_told_with_what_to_install(uri: str, told: str):
    """By the suite that its URI names, where that is known."""
    assert told in how_to_install(uri)
