"""Recordings that drift, clip, come at other levels, wander or are swapped: mended, or refused for a reason."""

import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr
from scipy import signal

from profiler.checks import check_session
from profiler.errors import SessionError
from profiler.evaluation import noise_floor
from profiler.pairs import Refusal, common_rate, take_in
from profiler.pairs_table import read_pairs_table
from profiler.programme import programme
from profiler.recording import HeldRecording
from profiler.score import error_to_signal
from profiler.session import CaptureSession, Gear
from profiler.session_folder import SessionFolder
from profiler.varispeed import read_along

RATE = 48_000
FRAMES = 12 * RATE
DRY = programme(3, sample_rate=RATE, frames=FRAMES)


def driven(samples, rate: int = RATE):
    """Return the output of a soft overdrive into something like a speaker."""
    speaker = signal.butter(4, 0.2 * rate, fs=rate, output="sos")
    return signal.sosfilt(speaker, np.tanh(3 * samples)).astype(np.float32)


def wav(path: Path, samples, rate: int = RATE, subtype: str = "FLOAT") -> None:
    """Write samples of shape (frames,) or (frames, channels)."""
    soundfile.write(path, samples, rate, subtype=subtype)


def run_along(samples, start: float, ppm: float = 0.0):
    """Return samples as a recorder heard them whose clock starts late and runs fast."""
    step = 1 / (1 + ppm * 1e-6)
    frames = int(len(samples) * (1 + ppm * 1e-6) + max(start, 0))
    return np.concatenate(list(read_along(HeldRecording(samples), start=-start * step, step=step, frames=frames)))


@pytest.fixture
def taken(tmp_path: Path) -> Callable[..., tuple[SessionFolder, tuple[Refusal, ...]]]:
    """Return a function that takes a table of these lines into a session; dry.wav is there."""
    wav(tmp_path / "dry.wav", DRY)

    def take(*lines: str, **options: bool) -> tuple[SessionFolder, tuple[Refusal, ...]]:
        (tmp_path / "takes.csv").write_text("\n".join(lines))
        table = read_pairs_table(tmp_path / "takes.csv")
        session = CaptureSession(
            gear=Gear(name="Pedal", kind="files"), knobs=table.knobs, sample_rate=common_rate(table)
        )
        folder = SessionFolder.create(tmp_path / "session", session)
        return folder, take_in(folder, table, **options)

    return take


@pytest.mark.parametrize("ppm", [-100.0, 5.0, 80.0])
def test_a_drifting_clock_is_brought_onto_the_drys(taken, tmp_path, ppm):
    """After mending the wet runs with the dry from end to end, and the finding says by how much it did not."""
    wav(tmp_path / "wet.wav", run_along(driven(DRY), 500.0, ppm))
    folder, refused = taken("dry,wet", "dry.wav,wet.wav")
    assert refused == ()
    (take,) = folder.session.takes
    told = next(each for each in take.findings if each.kind == "drift")
    amount, way = re.search(r"ran ([\d.]+) ppm (fast|slow)", told.message).groups()
    assert float(amount) == pytest.approx(abs(ppm), abs=0.5)
    assert way == ("fast" if ppm > 0 else "slow")
    wet = folder.wet_of(take).samples[0]
    for at in (0, FRAMES // 2, FRAMES - 2 * RATE):
        target = driven(DRY)[at : at + RATE]
        ours = HeldRecording(wet).read(at + take.latency_frames, RATE + 4)
        # Up to a frame is left in, so the best of the shifts within it is taken, a sixteenth of a frame at a time.
        shifted = [
            np.concatenate(list(read_along(HeldRecording(ours), start=part / 16, step=1, frames=RATE)))
            for part in range(33)
        ]
        assert min(error_to_signal(target[None, 99:-99], each[None, 99:-99]) for each in shifted) < 1e-3


def test_takes_with_fractions_of_their_own_are_brought_together(taken, tmp_path):
    """Takes recorded at other fractions of a frame end up equally late."""
    for number, start in enumerate((100.0, 100.1, 340.5)):
        wav(tmp_path / f"{number}.wav", run_along(driven(DRY), start))
    folder, _ = taken("dry,wet", *(f"dry.wav,{number}.wav" for number in range(3)))
    first, _, third = folder.session.takes
    one, other = (
        HeldRecording(folder.wet_of(take).samples[0]).read(take.latency_frames, FRAMES) for take in (first, third)
    )
    apart = error_to_signal(one[None, 1000:-1000], other[None, 1000:-1000])
    assert apart < 1e-3  # half a frame apart they differ by .016
    assert third.latency_frames - first.latency_frames in (240, 241)


def wandering(samples, frames: float, seconds: float):
    """Return samples on a tape whose speed swings."""
    at = np.arange(len(samples))
    places = at + frames * np.sin(2 * np.pi * at / RATE / seconds)
    return np.interp(places, at, samples).astype(np.float32)


HOPELESS = {
    "slow tape": (lambda: wandering(driven(DRY), 5, 5.0), "wanders against the dry"),
    "lost buffer": (
        lambda: np.concatenate([driven(DRY)[: 7 * RATE], driven(DRY)[7 * RATE + 256 :]]),
        r"jumps against the dry at [67]\.\d s",
    ),
    "swapped": (lambda: DRY / 2, "look swapped"),
}


@pytest.mark.parametrize("how", HOPELESS)
def test_what_no_delay_mends_is_refused(taken, tmp_path, how):
    """The reason is told, and the take beside it comes in."""
    make, reason = HOPELESS[how]
    wav(tmp_path / "good.wav", driven(DRY))
    wav(tmp_path / "wet.wav", make())
    dry = "dry.wav"
    if how == "swapped":
        dry = "fuzz.wav"
        wav(tmp_path / dry, np.tanh(200 * DRY))
    folder, refused = taken("dry,wet", "dry.wav,good.wav", f"{dry},wet.wav")
    assert [each.line for each in refused] == [3]
    assert re.search(reason, refused[0].reason), refused[0].reason
    assert len(folder.session.takes) == 1


@pytest.mark.parametrize("seed", range(3, 7))
def test_a_tape_that_swings_within_a_second_is_refused_or_told(taken, tmp_path, seed):
    """As fast as a vibrato does it may be the gear itself; then the check says that the gear moves."""
    dry = programme(seed, sample_rate=RATE, frames=FRAMES)
    wav(tmp_path / "own.wav", dry)
    wav(tmp_path / "own_wet.wav", wandering(driven(dry), 30, 0.7))
    wav(tmp_path / "wet.wav", driven(DRY))
    folder, refused = taken("dry,wet", "dry.wav,wet.wav", "own.wav,own_wet.wav")
    told = {each.kind for take in check_session(folder).takes for each in take.findings}
    assert "time-variance" in told or re.search("wanders against the dry|does not follow", refused[0].reason)


def test_an_order_that_looks_wrong_can_be_kept(taken, tmp_path):
    """Gear that undoes distortion is let in when somebody says that the columns are right."""
    wav(tmp_path / "fuzz.wav", np.tanh(200 * DRY))
    wav(tmp_path / "wet.wav", DRY / 2)
    _, refused = taken("dry,wet", "fuzz.wav,wet.wav", keep_order=True)
    assert refused == ()


def test_clipped_frames_are_masked(taken, tmp_path):
    """A recording that ran out of range comes in with those places masked and nothing else."""
    loud = 1.6 * DRY / np.abs(DRY).max()
    wav(tmp_path / "wet.wav", np.clip(loud, -1, 1), subtype="PCM_24")
    folder, _ = taken("dry,wet", "dry.wav,wet.wav")
    (take,) = folder.session.takes
    assert [each.severity for each in take.findings if each.kind == "clipped"] == ["warning"]
    masked = np.zeros(FRAMES, np.bool_)
    for start, stop in take.masked:
        masked[start:stop] = True
    runs = np.convolve(np.abs(loud) > 1, np.ones(3), "same") >= 3
    assert masked[runs].all()
    near = np.convolve(runs, np.ones(2 * 250 + 1), "same") > 0.5
    assert not masked[~near].any()


def test_peaks_beyond_full_scale_in_floating_point_are_no_clipping(taken, tmp_path):
    """Nothing was cut off a float recording, so nothing of it is masked."""
    wav(tmp_path / "wet.wav", 3 * driven(DRY))
    folder, _ = taken("dry,wet", "dry.wav,wet.wav")
    assert folder.session.takes[0].masked == ()


@pytest.mark.parametrize("gain_db", [-12.0, 3.0])
def test_a_replicate_at_another_level_is_brought_level(taken, tmp_path, gain_db):
    """Level is undone with a finding, so that the noise floor is that of the noise alone."""
    rng = np.random.default_rng(0)
    level = float(np.sqrt(np.mean(driven(DRY) ** 2)))
    for number, gain in enumerate((1.0, 10 ** (gain_db / 20))):
        noise = rng.normal(0, level * 10 ** (-40 / 20), FRAMES)
        wav(tmp_path / f"{number}.wav", ((driven(DRY) + noise) * gain).astype(np.float32))
    folder, _ = taken("dry,wet", "dry.wav,0.wav", "dry.wav,1.wav")
    _, again = folder.session.takes
    assert again.replicate_of == 0
    assert again.gain_db == pytest.approx(gain_db, abs=0.05)
    assert [each.kind for each in again.findings] == ["gain"]
    assert 10 * np.log10(noise_floor(folder)) == pytest.approx(-40, abs=0.5)
    assert SessionFolder.open(folder.path).session == folder.session


def test_replicates_that_disagree_are_told(taken, tmp_path):
    """A knob that moved between two takes of the same settings shows, plain noise does not."""
    noise = np.random.default_rng(1).normal(0, 0.003, FRAMES)
    wav(tmp_path / "0.wav", driven(DRY))
    wav(tmp_path / "1.wav", (driven(DRY) + noise).astype(np.float32))
    wav(tmp_path / "2.wav", np.tanh(5 * DRY).astype(np.float32))
    folder, _ = taken("dry,wet", *(f"dry.wav,{number}.wav" for number in range(3)))
    first, noisy, turned = ([each.kind for each in take.findings] for take in folder.session.takes)
    assert first == noisy == []
    assert "disagreement" in turned


@pytest.mark.parametrize(("rate", "channels"), [(8000, 1), (44_100, 8), (96_000, 2), (192_000, 1)])
def test_any_rate_and_layout_is_taken(taken, tmp_path, rate, channels):
    """From 8 to 192 kHz and one to eight channels; a channel that carries nothing does not halve the level."""
    whole = programme(3, sample_rate=rate, frames=4 * rate)
    wet = np.zeros((len(whole), channels), np.float32)
    wet[:, 0] = driven(whole)
    wav(tmp_path / "own.wav", whole, rate)
    wav(tmp_path / "wet.wav", wet, rate)
    folder, refused = taken("dry,wet", "own.wav,wet.wav")
    assert refused == ()
    (take,) = folder.session.takes
    assert folder.session.sample_rate == rate
    assert np.array_equal(folder.wet_of(take).samples[0], driven(whole))
    assert ["channels"] * (channels > 1) == [each.kind for each in take.findings]


def test_two_at_a_time_are_kept_apart(taken, tmp_path):
    """While one process adds to a session another is turned away, and comes in later."""
    wav(tmp_path / "wet.wav", driven(DRY))
    folder, _ = taken("dry,wet", "dry.wav,wet.wav")
    with folder.writing(), pytest.raises(SessionError, match="Another process is recording"):
        taken("dry,wet", "dry.wav,wet.wav")
    assert taken("dry,wet", "dry.wav,wet.wav")[1] == ()


# A process of its own, which reads its largest size: getrusage would count what its parent had before it began.
PEAK_MEGABYTES = """
import re, sys
from pathlib import Path
from profiler.pairs import take_in
from profiler.pairs_table import read_pairs_table
from profiler.session import CaptureSession, Gear
from profiler.session_folder import SessionFolder

session = CaptureSession(gear=Gear(name="Pedal", kind="files"), knobs=(), sample_rate=48_000)
assert take_in(SessionFolder.create(Path(sys.argv[2]), session), read_pairs_table(Path(sys.argv[1]))) == ()
print(int(re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1]) // 1024)
"""


@pytest.mark.slow
def test_memory_does_not_grow_with_length(tmp_path):
    """Ten times as long a recording takes no more memory, drift and all: a day's would fit as well."""
    if not Path("/proc/self/status").is_file():
        pytest.skip("a process's largest size is read from /proc, which only Linux has")
    peaks = []
    for seconds in (60, 600):
        for name, gain in (("dry", 1.0), ("wet", 0.5)):
            with soundfile.SoundFile(tmp_path / f"{name}{seconds}.wav", "w", RATE, 1, subtype="PCM_16") as file:
                for part in range(seconds // 60):
                    dry = programme(part, sample_rate=RATE, frames=60 * RATE)
                    file.write(gain * (driven(dry) if name == "wet" else dry))
        (tmp_path / f"{seconds}.csv").write_text(f"dry,wet\ndry{seconds}.wav,wet{seconds}.wav\n")
        command = [sys.executable, "-c", PEAK_MEGABYTES, tmp_path / f"{seconds}.csv", tmp_path / f"s{seconds}"]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, timeout=300)
        peaks.append(int(done.stdout))
    assert peaks[1] < peaks[0] + 60
    assert peaks[1] < 1000


def test_clipping_lowers_the_forecast(taken, tmp_path):
    """What a recorder clipped is found by the check too, and costs the forecast a grade, though it is converted."""
    dry = np.concatenate([np.zeros(2 * RATE, np.float32), DRY])  # rest, from which the noise is known
    wav(tmp_path / "rested.wav", dry)
    loud = 1.6 * driven(dry) / np.abs(driven(dry)).max()
    resampled = soxr.resample(loud, RATE, 44_100)
    for number, samples in enumerate((resampled / 2, np.clip(resampled, -1, 1))):
        wav(tmp_path / f"{number}.wav", samples, 44_100, subtype="PCM_24")
        taken("dry,wet", f"rested.wav,{number}.wav")
        check = check_session(SessionFolder.open(tmp_path / "session"))
        shutil.rmtree(tmp_path / "session")
        assert (check.takes[0].clipped_share > 1e-4) == bool(number)
        assert ("clipped" in {each.kind for each in check.findings}) == bool(number)
        assert check.grade == ("good" if number else "transparent")
