"""What people see."""

from rich.console import Console

from profiler.knob import Knob
from profiler.score import Listening, TakeScore, summed_up
from profiler.session import CaptureSession, Gear
from tonecast.console import listening_words, score_table

KNOBS = tuple(Knob(id=name, name=name.title(), maximum=10.0) for name in ("gain", "treble", "presence"))
SESSION = CaptureSession(gear=Gear(name="Amp", kind="plugin"), knobs=KNOBS, sample_rate=48_000)


def row(number: int, esr: float | None, *, settings_seen: bool) -> TakeScore:
    """Return a row of an evaluation."""
    return TakeScore(
        take=number,
        knobs={"gain": 1.25, "treble": 10.0, "presence": 3.333},
        seconds=10.0,
        seen=False,
        settings_seen=settings_seen,
        material_seen=settings_seen,
        esr=esr,
        esr_pre_emphasis=esr,
        target_db=-23.0,
        predicted_db=-23.4,
        error_energy=esr or 0.0,
        target_energy=1.0,
        listening=Listening(mr_stft=0.415, mfcc_l1=11.25, listening_score=59.0, loudness_difference=-1.234),
    )


def test_the_table_fits_100_columns():
    """Every figure and word of a row stands in it, whole, whatever the settings are called."""
    score = summed_up([row(1000, 0.2, settings_seen=False), row(2, 0.0123, settings_seen=True)], None)
    console = Console(width=100, record=True, file=None, quiet=False)
    with console.capture() as captured:
        console.print(score_table(score, SESSION))
    text = captured.get()
    lines = text.splitlines()
    assert max(len(line.rstrip()) for line in lines) <= 100
    for whole in ("1000", "0.2000", "0.415", "11.25", "-1.23", "-23", "does not match", "usable", "Presence"):
        assert whole in text
    assert len(lines) <= 2 + 2 * 3


def test_listening_in_words():
    """One line, with a dash for what is not known."""
    listening = row(0, 0.1, settings_seen=False).listening
    assert listening_words(listening) == (
        "MR-STFT 0.415, MFCC-L1 11.25 (listeners would give 59 of 100), loudness -1.23 LU"
    )
    assert listening_words(None) == "MR-STFT -, MFCC-L1 - (listeners would give - of 100), loudness - LU"
