"""Guidance in a terminal and from a script: real gear, turned as it is told."""

import io
import os
import pty
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from capture.guide import Guide, GuideOptions
from capture.hands import guided_plan
from capture.plugin_rig import PluginRig, choose_knobs, open_gear
from capture.recorder import PlayedTake
from profiler.errors import KnobError, SessionError
from profiler.finding import Finding
from profiler.session import CaptureSession
from profiler.session_folder import SessionFolder
from tonecast.console import Screen
from tonecast.guidance import guide_through

RATE = 8_000
LOUD = 9.0  # dB of gain at which the judge of these tests says that a take clips


def judge(played: PlayedTake) -> Sequence[Finding]:
    """Fail takes at a high gain, by what is heard of them."""
    gain_db = 20 * np.log10(np.abs(played.wet.samples).max() / np.abs(played.dry.samples).max())
    return (Finding(kind="clipped", severity="error", message="The return clips."),) if gain_db > LOUD else ()


def sitting(path: Path, *lines: str, as_json: bool = False, stdin: io.TextIOBase | None = None) -> bool:
    """Go through a plan of two captures, one of them loud, a held-out take and a replicate."""
    gear = open_gear("pedalboard:Gain")
    rig = PluginRig(gear, choose_knobs(gear, ["gain_db=0:10"]), sample_rate=RATE)
    plan = [replace(take, form="held-out", seconds=None) for take in guided_plan(rig.knobs, captures=2)]
    folder = SessionFolder.create(path, CaptureSession(gear=gear, knobs=rig.knobs, sample_rate=RATE))
    with Guide.begun(folder, rig, plan, GuideOptions(judge=judge)) as guide:
        script = io.StringIO("".join(line + "\n" for line in lines))
        done = guide_through(guide, Screen(as_json), stdin or script)
    for take in folder.session.takes:
        wet = rig.play(folder.dry_of(take), folder.track_of(take), on_done=lambda _: None)
        np.testing.assert_array_equal(folder.wet_of(take).samples, wet.samples)
    return done


def settings_of(path: Path) -> list[float | str]:
    """Return the gain of each take on disk."""
    return [take.settings["gain_db"] for take in SessionFolder.open(path).session.takes if take.settings]


def test_a_script_goes_through_the_plan(tmp_path, capsys):
    """Each step is said, a take that fails is told with its reason, and one redone at another value passes."""
    assert sitting(tmp_path / "s", "", "", "r", "n gain_db=8.5", "", "", "", "", "")
    out = capsys.readouterr().out
    assert "Take 0 (1 of 5). Set gain to 0 dB." in out
    assert "Take 1 (2 of 5). Turn gain from 0 dB to 10 dB." in out
    assert "  Failed: The return clips.\nTake 1: failed, and is kept until there is a better one. Redo?" in out
    assert "Take 1 (2 of 5; recorded already). Leave all knobs where they are." in out
    assert "Noted: gain at 8.5 dB." in out
    assert "Turn gain from 10 dB to 8.5 dB." in out
    assert "held out: it scores, and is never learnt from)" in out
    assert settings_of(tmp_path / "s")[:2] == [0.0, 8.5]
    assert len(settings_of(tmp_path / "s")) == 5


def test_takes_that_failed_are_told_at_the_end(tmp_path, capsys):
    """With no take left the player may still record one again, or leave it so."""
    assert sitting(tmp_path / "s", "", "", "", "s", "r 1", "n gain_db=7.5", "", "")
    out = capsys.readouterr().out
    assert "No take is left. Failed: 1; left out: 3." in out
    assert "No take is left. Left out: 3." in out
    assert settings_of(tmp_path / "s")[1] == 7.5


def test_stopping_and_going_on(tmp_path, capsys):
    """q leaves what was recorded; the next sitting begins at the take after, and says where all knobs go."""
    assert not sitting(tmp_path / "s", "", "?", "b", "s", "q")
    assert len(settings_of(tmp_path / "s")) == 1
    assert "q             stop" in capsys.readouterr().out
    assert sitting(tmp_path / "s", *[""] * 6)
    assert "Take 1 (2 of 5). Set gain to 10 dB." in capsys.readouterr().out


@pytest.mark.parametrize(
    ("line", "error", "words"),
    [
        ("x", SessionError, "'x' is no key here"),
        ("b 3", SessionError, "'b' is no key here"),
        ("b", SessionError, "first take"),
        ("r x", SessionError, "'x' is no take"),
        ("r 99", SessionError, "no take 99"),
        ("n", KnobError, "Write: n KNOB=VALUE"),
        ("n gain_db=99", KnobError, "cannot stand at 99"),
        ("n volume=1", KnobError, "'volume' is not a knob"),
    ],
)
def test_a_wrong_line_of_a_script_is_an_error(tmp_path, line, error, words):
    """Nobody is there to be asked again."""
    with pytest.raises(error, match=words):
        sitting(tmp_path / "s", line)


def test_a_script_that_ends_early_is_an_error(tmp_path):
    """What was recorded stays, and the message says what was wanted."""
    with pytest.raises(SessionError, match="wants a terminal, or a line for each step"):
        sitting(tmp_path / "s", "")
    assert settings_of(tmp_path / "s") == [0.0]


def test_with_json_words_go_to_standard_error(tmp_path, capsys):
    """Standard output is for the one JSON object."""
    assert not sitting(tmp_path / "s", "", "q", as_json=True)
    out, err = capsys.readouterr()
    assert out == ""
    assert "Take 0 (1 of 5)." in err


def test_in_a_terminal_mistakes_are_asked_again(tmp_path, capsys):
    """A real terminal: what cannot be is told, and the sitting goes on; its end stops."""
    player, terminal = pty.openpty()
    os.write(player, b"x\nn gain_db=99\n\nq\n")
    with os.fdopen(terminal, "r") as stdin:
        assert not sitting(tmp_path / "s", stdin=stdin)
    os.close(player)
    out = capsys.readouterr().out
    assert "'x' is no key here" in out
    assert "cannot stand at 99" in out
    assert "> " in out
    assert settings_of(tmp_path / "s") == [0.0]
