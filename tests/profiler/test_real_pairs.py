"""Real pairs from file to score, done a second time with nothing of Tonecast but the weights."""

import io
import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy
import soundfile

from profiler.evaluation import evaluate
from profiler.pairs import common_rate, take_in
from profiler.pairs_table import read_pairs_table
from profiler.profile_file import load, save
from profiler.session import CaptureSession, Gear
from profiler.session_folder import SessionFolder
from profiler.split import Split, parse_hold_out
from profiler.training import Schedule, TrainingPlan, train

SHARED_DATA = Path(__file__).parents[3] / "shared" / "data"
RATE = 44_100


def play_by_hand(weights, config, dry):
    """Return what a convolutional profile without knobs makes of dry (frames,), less what it makes of silence."""
    return network_by_hand(weights, config, dry) - network_by_hand(weights, config, np.zeros_like(dry))


def network_by_hand(weights, config, dry):
    """Return what the network of a convolutional profile makes of dry (frames,), written out tap by tap."""
    c, at = config["channels"], 0

    def take(*shape):
        nonlocal at
        at += int(np.prod(shape))
        return weights["0.weights"][at - int(np.prod(shape)) : at].reshape(shape).astype(np.float64)

    def convolved(h, kernel, dilation):
        frames = h.shape[1] - (kernel.shape[2] - 1) * dilation
        return sum(kernel[:, :, tap] @ h[:, tap * dilation : tap * dilation + frames] for tap in range(kernel.shape[2]))

    past = sum((taps - 1) * dilation for taps, dilation in zip(config["taps"], config["dilations"], strict=True))
    past += config["head_taps"] - 1
    x = np.concatenate([np.zeros(past), dry]) * config["input_scale"]
    h, summed = np.outer(take(c), x), 0
    for taps, dilation in zip(config["taps"], config["dilations"], strict=True):
        z = convolved(h, take(c, c, taps), dilation) + take(c)[:, None]
        frames = z.shape[1]
        z += np.outer(take(c), x[-frames:])
        a = np.where(z > 0, z, config["slope"] * z)
        summed = a + (summed[:, -frames:] if np.ndim(summed) else 0)
        h = h[:, -frames:] + take(c, c) @ a + take(c)[:, None]
    wet = convolved(summed, take(1, c, config["head_taps"]), 1)[0] + take(1)
    assert at == len(weights["0.weights"])
    return 0.01 * config["output_scale"] * wet


@pytest.fixture(scope="module")
def ts9(tmp_path_factory):
    """Return the pedal's files, its session, and a profile trained on its first four fifths for 300 steps."""
    folder = SHARED_DATA / "pairs" / "ts9_pedal"
    if not folder.is_dir():
        pytest.skip(f"no real recordings at {SHARED_DATA}")
    table = read_pairs_table(folder / "takes.csv")
    session = CaptureSession(gear=Gear(name="TS9", kind="files"), knobs=(), sample_rate=common_rate(table))
    taken = SessionFolder.create(tmp_path_factory.mktemp("ts9") / "session", session)
    take_in(taken, table)
    plan = TrainingPlan(schedule=Schedule(steps=300), split=Split(hold_outs=(parse_hold_out("time=last:0.2"),)))
    path = taken.path.parent / "ts9.tonecast"
    save(path, train(taken, plan, path))
    return folder, taken, path


def read_by_hand(folder):
    """Return the dry and wet that the table names."""
    _, names = (folder / "takes.csv").read_text().split()
    dry, wet = (soundfile.read(folder / name) for name in names.split(","))
    assert dry[1] == wet[1] == RATE
    return dry[0], wet[0]


def test_the_alignment_of_a_real_pedal_by_hand(ts9):
    """Plain cross-correlation agrees that the wet is upside down and no later than a filter makes it."""
    folder, taken, _ = ts9
    dry, wet = read_by_hand(folder)
    lags = np.fft.irfft(np.fft.rfft(wet, 1 << 22) * np.conj(np.fft.rfft(dry, 1 << 22)))
    best = int(np.argmax(np.abs(lags)))
    assert min(best, (1 << 22) - best) <= 3
    assert lags[best] < 0
    (take,) = taken.session.takes
    assert (take.latency_frames, take.polarity, take.gain_db, take.masked) == (0, -1, 0, ())
    assert np.array_equal(taken.wet_of(take).samples[0], wet.astype(np.float32))


@pytest.mark.slow
def test_the_score_of_a_real_pedal_by_hand(ts9):
    """Split and ESR come out the same from the files as they lie there, with the network written out in numpy."""
    folder, taken, path = ts9
    dry, wet = read_by_hand(folder)
    with zipfile.ZipFile(path) as file:
        weights = safetensors.numpy.load(file.read("weights.safetensors"))
        config = json.loads(file.read("profile.json"))["stages"][0]["config"]
        golden, _ = soundfile.read(io.BytesIO(file.read("golden.wav")))
    np.testing.assert_allclose(play_by_hand(weights, config, golden[:, 0]), golden[:, 1], atol=1e-5)

    frames = min(len(dry), len(wet))
    start = frames - int(0.2 * frames)
    begin = start - 2 * 48_000
    predicted = play_by_hand(weights, config, dry[begin:frames])[start - begin :]
    target = -wet[start:frames]
    by_hand = np.sum((target - predicted) ** 2) / np.sum(target**2)
    told = evaluate(load(path), taken)
    (score,) = told.takes
    assert told.esr == told.esr_worst == pytest.approx(by_hand, rel=1e-3)
    assert told.esr < 0.1
    assert (score.seen, score.material_seen) == (False, False)
    assert score.seconds == pytest.approx((frames - start) / RATE, abs=0.001)
