"""Plugins in processes of their own: what hangs, crashes, floods or is killed costs one clear error."""

import os
import re
import signal
import subprocess
import sys
import textwrap
import time

import numpy as np
import pytest

from capture.gear import open_gear
from capture.plugin_rig import PluginRig
from profiler.audio import Audio
from profiler.errors import GearError
from profiler.knob_track import KnobTrack
from profiler.plugins import HostedPlugin, describe_plugin

RATE = 48_000
DRY = np.random.default_rng(0).normal(0, 0.1, (1, 6400)).astype(np.float32)


def is_running(pid: int) -> bool:
    """Whether there is such a process, one that has ended and is still to be noticed not counted."""
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rpartition(")")[2].split()[0] not in {"Z", "X"}
    except FileNotFoundError:
        return False


def ends(pid: int) -> bool:
    """Whether a process ends within ten seconds."""
    for _ in range(200):
        if not is_running(pid):
            return True
        time.sleep(0.05)
    return False


def test_a_plugin_that_hangs_is_stopped(odd: str):
    """It stops answering in mid-stream: one GearError says for how long, and its process is gone."""
    with HostedPlugin(odd + "hang", grace_seconds=1.0) as plugin:
        pid = plugin.pid
        plugin.feed(DRY[:, :64], RATE)
        plugin.turn("p2", 10)
        with pytest.raises(GearError, match=r"test#hang was stopped: no answer within \S+ s of playing"):
            plugin.feed(DRY[:, :64], RATE)
        assert not is_running(pid)
        with pytest.raises(GearError, match="runs no more"):
            plugin.reset()


def test_a_plugin_that_crashes_says_why_as_far_as_it_said(odd: str):
    """The signal has its name, and what the plugin printed last is quoted."""
    with HostedPlugin(odd + "fault") as plugin:
        plugin.feed(DRY, RATE)
        plugin.turn("p2", 10)
        with pytest.raises(GearError, match=r"crashed while playing: .*SIGSEGV.*printed last: tube exploded"):
            plugin.feed(DRY, RATE)
    with HostedPlugin(odd + "leave") as plugin, pytest.raises(GearError, match=r"code 3.*trial period is over"):
        plugin.feed(DRY, RATE)


def test_a_plugin_whose_offspring_lives_on_has_ended_all_the_same(odd: str):
    """A process that the plugin started keeps the pipes open; the end of the plugin is noticed nonetheless."""
    with HostedPlugin(odd + "brood") as plugin, pytest.raises(GearError, match=r"crashed while playing: .*code 4"):
        plugin.feed(DRY, RATE)


def test_a_plugin_that_aborts_as_it_starts_is_quoted_plainly(odd: str):
    """Its last lines come without the escapes that would colour a terminal."""
    with HostedPlugin(odd + "abort") as plugin, pytest.raises(GearError) as caught:
        plugin.process(DRY, RATE)
    assert re.search("SIGABRT.*looking for a licence / .*no licence found", str(caught.value))
    assert str(caught.value).isprintable()


def test_a_plugin_that_does_not_start_is_refused(odd: str):
    """No instance is no crash: the process goes on, and the error names the rate."""
    with HostedPlugin(odd + "nothing") as plugin:
        with pytest.raises(GearError, match="did not start at 48000 Hz"):
            plugin.process(DRY, RATE)
        assert is_running(plugin.pid)


def test_a_plugin_that_prints_much_plays_on(odd: str):
    """Two megabytes on both of its outputs hurt neither the audio nor our memory."""
    with HostedPlugin(odd + "chatter", {"p2": 2}) as plugin:
        assert np.array_equal(plugin.process(DRY, RATE), DRY * np.float32(2))


def test_a_plugin_that_prints_for_ever_is_stopped_and_quoted_briefly(odd: str):
    """An endless flood ends with its deadline, and a short end of it is quoted."""
    with HostedPlugin(odd + "flood", grace_seconds=1.0) as plugin, pytest.raises(GearError) as caught:
        plugin.feed(DRY[:, :64], RATE)
    assert "printed last: samplerate mismatch / samplerate mismatch" in str(caught.value)
    assert len(str(caught.value)) < 600


def test_a_plugin_that_takes_too_long_to_load_is_told_about_patience(odd: str):
    """Loading has a deadline of its own, and the message says which option moves it."""
    with pytest.raises(GearError, match=r"no answer within 0.01 s of loading.*--patience"):
        HostedPlugin(odd + "value", patience_seconds=0.01)


def test_a_plugin_that_is_killed_is_one_error(odd: str):
    """Killed from outside between two blocks, it is a GearError that names the signal."""
    with HostedPlugin(odd + "value") as plugin:
        plugin.feed(DRY, RATE)
        os.kill(plugin.pid, signal.SIGKILL)
        with pytest.raises(GearError, match="SIGKILL"):
            plugin.feed(DRY, RATE)


def test_what_is_closed_has_ended(odd: str):
    """Closing ends the process, twice does no harm, and a plugin that nobody closes ends with its last reference."""
    plugin = HostedPlugin(odd + "value")
    pid = plugin.pid
    plugin.close()
    plugin.close()
    assert not is_running(pid)
    forgotten = HostedPlugin(odd + "value")
    pid = forgotten.pid
    del forgotten
    assert ends(pid)


def test_an_interrupted_plugin_has_ended(odd: str):
    """After Ctrl-C in mid-stream the plugin is gone, so that no late answer is taken for another's."""

    def interrupt(number: int, frame: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, interrupt)
    try:
        with HostedPlugin(odd + "hang", {"p2": 10}) as plugin:
            signal.setitimer(signal.ITIMER_REAL, 1.0)
            with pytest.raises(KeyboardInterrupt):
                plugin.feed(DRY, RATE)
            assert not is_running(plugin.pid)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@pytest.mark.parametrize("knob", [0, 10])
def test_no_plugin_outlives_its_parent(odd: str, knob: int):
    """A parent killed without a word leaves no process behind, not even one whose plugin hangs."""
    program = f"""
        import sys, numpy as np
        from profiler.plugins import HostedPlugin
        plugin = HostedPlugin({odd + "hang"!r}, {{"p2": {knob}}})
        print(plugin.pid, flush=True)
        plugin.feed(np.zeros((1, 64), np.float32), 48000)
        print("played", flush=True)
        sys.stdin.read()
    """
    parent = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(program)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        if knob:
            time.sleep(0.5)
        else:
            assert parent.stdout.readline() == "played\n"
        assert is_running(pid)
        parent.kill()
    assert ends(pid)


def test_a_description_is_asked_for_once(odd: str, monkeypatch: pytest.MonkeyPatch):
    """Describing loads the plugin, and does not the second time: then it may even be gone."""
    found = describe_plugin(odd + "value")
    monkeypatch.setenv("LV2_PATH", "/nowhere")
    assert describe_plugin(odd + "value") is found
    assert (found.name, found.version, found.step_frames) == ("Odd value", "2.1", 64)


def test_long_audio_goes_in_several_messages(odd: str):
    """More than a message carries arrives whole."""
    dry = np.random.default_rng(1).normal(0, 0.1, (1, (1 << 20) + 77)).astype(np.float32)
    with HostedPlugin(odd + "late") as plugin:
        assert np.array_equal(plugin.process(dry, RATE), dry)


def test_the_worker_starts_in_any_folder(odd: str, tmp_path, monkeypatch: pytest.MonkeyPatch):
    """A folder with modules named like ours or like the library's does not mislead the plugin's process."""
    for name in ("queue.py", "profiler.py", "numpy.py"):
        (tmp_path / name).write_text("raise SystemExit(7)")
    monkeypatch.chdir(tmp_path)
    with HostedPlugin(odd + "value") as plugin:
        assert (plugin.process(DRY, RATE) == 5).all()


def test_the_worker_loads_fast():
    """A plugin's process loads neither torch nor scipy, and pedalboard only for the files that need it."""
    program = "import sys, profiler.plugins.worker, profiler.plugins.lv2_plugin; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert not {"torch", "scipy", "pedalboard", "soxr"} & set(done.stdout.split())


def test_a_capture_of_nonsense_is_an_error(odd: str):
    """A plugin that returns what is no number is stopped by the rig, which says at which frame."""
    gear = open_gear(odd + "not_a_number")
    with (
        PluginRig(gear, (), sample_rate=RATE) as rig,
        pytest.raises(GearError, match="Odd not_a_number returned NaN or infinity at frame 0"),
    ):
        rig.play(Audio(samples=DRY, sample_rate=RATE), KnobTrack.still({}), on_done=lambda _: None)
