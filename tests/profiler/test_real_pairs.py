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


def sigmoid(x):
    """Return the logistic function."""
    return 1 / (1 + np.exp(-x))


def play_by_hand(weights, config, dry):
    """Return what a recurrent profile without knobs makes of dry (frames,), written out frame by frame."""
    hidden = np.tanh(weights["0.shaper.0.weight"] @ [-1.0] + weights["0.shaper.0.bias"])
    shaped = weights["0.shaper.2.weight"] @ hidden + weights["0.shaper.2.bias"]
    features, (before, clean, after) = np.tanh(shaped[:-3]), np.exp(shaped[-3:])
    inputs, recurrent = weights["0.lstm.weight_ih_l0"], weights["0.lstm.weight_hh_l0"]
    constant = weights["0.lstm.bias_ih_l0"] + weights["0.lstm.bias_hh_l0"] + inputs[:, 2:] @ features
    of_dry = inputs[:, 0] + before * inputs[:, 1]
    size = recurrent.shape[1]
    h, c = np.zeros(size), np.zeros(size)
    out = np.zeros(len(dry))
    read, bias = weights["0.out.weight"][0], weights["0.out.bias"][0]
    for frame, x in enumerate(np.asarray(dry, np.float64) * config["input_scale"]):
        gates = of_dry * x + recurrent @ h + constant
        i, f, o = (sigmoid(gates[part * size : (part + 1) * size]) for part in (0, 1, 3))
        c = f * c + i * np.tanh(gates[2 * size : 3 * size])
        h = o * np.tanh(c)
        out[frame] = after * (read @ h + bias + 0.1 * clean * x)
    return out * config["output_scale"]


@pytest.fixture(scope="module")
def ts9(tmp_path_factory):
    """Return the pedal's files, its session, and a profile trained on its first four fifths for 400 steps."""
    folder = SHARED_DATA / "pairs" / "ts9_pedal"
    if not folder.is_dir():
        pytest.skip(f"no real recordings at {SHARED_DATA}")
    table = read_pairs_table(folder / "takes.csv")
    session = CaptureSession(gear=Gear(name="TS9", kind="files"), knobs=(), sample_rate=common_rate(table))
    taken = SessionFolder.create(tmp_path_factory.mktemp("ts9") / "session", session)
    take_in(taken, table)
    plan = TrainingPlan(schedule=Schedule(steps=400), split=Split(hold_outs=(parse_hold_out("time=last:0.2"),)))
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
