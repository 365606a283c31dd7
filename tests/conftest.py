"""What many tests start from: a small real capture, a profile trained on it, and a disk that really fills up."""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import profiler
from capture.plan import moving_plan
from capture.plugin_rig import PluginRig, choose_knobs, open_gear
from capture.recorder import record
from profiler.effects import ConvolutionalEffect
from profiler.effects.network_shape import A2, LIGHT
from profiler.errors import GearError
from profiler.knob import Knob, default_settings, positions_width
from profiler.plugins.lilv import World
from profiler.processor import Processor
from profiler.profile import LightEffect, LoadedProfile, Profile, Provenance, Stage
from profiler.rendering import ProfileProcessor
from profiler.session import CaptureSession, Gear
from profiler.session_folder import SessionFolder
from profiler.training import Schedule, TrainingPlan, train

SHARED_DATA = Path(__file__).parents[2] / "shared" / "data"
SAMPLE_RATE = 48_000
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
GUITARIX = "http://guitarix.sourceforge.net/plugins/"


LISTEN = """
// Records what reaches the loudspeakers, and lets the test draw what X is.
window.heard = [];
window.rate = Infinity;  // until something plays
window.draws = [];
const connect = AudioNode.prototype.connect;
AudioNode.prototype.connect = function (to, ...rest) {
  if (to instanceof AudioDestinationNode && !this.isTap) {
    const context = this.context;
    if (!context.tap) {
      context.tap = context.createScriptProcessor(4096, 1, 1);
      context.tap.isTap = true;
      context.tap.onaudioprocess = (event) => window.heard.push(...event.inputBuffer.getChannelData(0));
      connect.call(context.tap, context.destination);
      window.rate = context.sampleRate;
    }
    connect.call(this, context.tap);
  }
  return connect.call(this, to, ...rest);
};
const random = crypto.getRandomValues.bind(crypto);
crypto.getRandomValues = (array) => { random(array); window.draws.push(array[0] & 1); return array; };
"""

CONTRAST = """
(selectors) => {
  const parse = (text) => text.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b].map((c) => (c /= 255) <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
    .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = (node) => {
    for (; node; node = node.parentElement) {
      const colour = parse(getComputedStyle(node).backgroundColor);
      if (colour.length === 3 || colour[3] > 0) return colour;
    }
    return [255, 255, 255];
  };
  return selectors.flatMap((selector) => [...document.querySelectorAll(selector)].map((node) => {
    const style = getComputedStyle(node), ink = node.ownerSVGElement ? style.fill : style.color;
    const paper = behind(node.ownerSVGElement?.parentElement ?? node);
    const [one, two] = [light(parse(ink)), light(paper)].sort((a, b) => b - a);
    return [selector, (one + 0.05) / (two + 0.05)];
  }));
}
"""

NAMELESS = """
() => {
  const CONTROLS = "a, audio, button, input:not([type=hidden]), progress, select, summary, textarea";
  const named = (node) => node.labels?.length && node.labels[0].textContent.trim() || node.getAttribute("aria-label")
    || node.getAttribute("aria-labelledby") || node.matches("button, a, summary") && node.textContent.trim();
  const shown = (node) => node.getClientRects().length;
  return [...document.querySelectorAll(CONTROLS)]
    .filter((node) => shown(node) && !named(node)).map((node) => node.outerHTML);
}
"""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Have `-n 2 --dist loadgroup` run what plays in real time, which waits most of the time, beside all else."""
    if config.pluginmanager.hasplugin("xdist"):
        for item in items:
            item.add_marker(pytest.mark.xdist_group("hardware" if item.get_closest_marker("hardware") else "rest"))


_GIVES_WAY = 10


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Have a process of pytest-xdist that runs all else give way to the one that plays in real time."""
    is_one_of_two = hasattr(item.config, "workerinput")
    if is_one_of_two and hasattr(os, "nice") and not item.get_closest_marker("hardware") and os.nice(0) < _GIVES_WAY:
        os.nice(_GIVES_WAY)


@dataclass(frozen=True)
class SmallDisk:
    """A file system of one megabyte, and the ballast that fills it."""

    path: Path

    def fill(self, *, leave: int = 0) -> None:
        """Take all space but `leave` bytes."""
        found = os.statvfs(self.path)
        (self.path / "ballast").write_bytes(bytes(found.f_bavail * found.f_frsize - leave))

    def free(self) -> None:
        """Give the space back."""
        (self.path / "ballast").unlink()

    def scratch_files(self) -> list[Path]:
        """Return what a writer left behind that is not a finished file."""
        return [path for path in self.path.rglob(".*") if path.is_file()]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[SmallDisk]:
    """A real disk of one megabyte; tests that need it are skipped where none can be mounted."""
    mount, umount = shutil.which("mount"), shutil.which("umount")
    if mount is None or umount is None:
        pytest.skip("no small disk: this system has no mount command")
    folder = tmp_path / "small"
    folder.mkdir()
    command = [mount, "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)]
    done = subprocess.run(command, capture_output=True, check=False, text=True)
    if done.returncode:
        pytest.skip(f"no small disk: {done.stderr.strip()} (mounting one takes root on Linux)")
    try:
        yield SmallDisk(folder)
    finally:
        subprocess.run([umount, "--lazy", str(folder)], check=True)


@pytest.fixture(scope="session")
def captured(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A session of a distortion's drive: half a minute of moving knob, held-out takes and a replicate. Read only."""
    path = tmp_path_factory.mktemp("captured") / "session"
    gear = open_gear("pedalboard:Distortion")
    knobs = choose_knobs(gear, ["drive_db=0:40"])
    rig = PluginRig(gear, knobs, sample_rate=SAMPLE_RATE)
    folder = SessionFolder.create(path, CaptureSession(gear=gear, knobs=knobs, sample_rate=SAMPLE_RATE))
    record(folder, rig, moving_plan(knobs, sample_rate=SAMPLE_RATE, minutes=0.6, replicate=True))
    return path


@pytest.fixture
def session(captured: Path, tmp_path: Path) -> SessionFolder:
    """A copy of the captured session to do anything with."""
    shutil.copytree(captured, tmp_path / "session")
    return SessionFolder.open(tmp_path / "session")


@pytest.fixture(scope="session")
def trained(captured: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A profile file trained on the captured session for 60 steps. Read only."""
    path = tmp_path_factory.mktemp("trained") / "drive.tonecast"
    loaded = train(SessionFolder.open(captured), TrainingPlan(schedule=Schedule(steps=60)), path)
    profiler.save(path, loaded)
    return path


@pytest.fixture
def shared_data() -> Path:
    """The folder of real recordings; tests that need it are skipped where it is not."""
    if not (SHARED_DATA / "dry").is_dir():
        pytest.skip(f"no real recordings at {SHARED_DATA}")
    return SHARED_DATA


@pytest.fixture(scope="session")
def missing() -> Callable[[str, str], None]:
    """What a test calls that lacks a part of this machine: part, and reason.

    It skips the test, or fails it where the part is among those in TONECAST_REQUIRE, such as `lv2,vst3,cc`.
    """

    def tell(part: str, reason: str) -> None:
        if part in os.environ.get("TONECAST_REQUIRE", "").split(","):
            pytest.fail(f"TONECAST_REQUIRE asks for {part}, but: {reason}")
        pytest.skip(reason)

    return tell


@pytest.fixture(scope="session")
def in_blocks() -> Callable[[Processor, np.ndarray, int, Sequence[int]], np.ndarray]:
    """A function that returns what a stream returns whose blocks have these sizes, over and over."""

    def streamed(processor: Processor, dry: np.ndarray, rate: int, sizes: Sequence[int]) -> np.ndarray:
        processor.reset()
        wet, at, turn = [], 0, 0
        while at < dry.shape[1]:
            stop = at + sizes[turn % len(sizes)]
            wet.append(processor.process(dry[:, at:stop], rate, reset=False))
            at, turn = stop, turn + 1
        return np.concatenate([*wet, processor.flush()], axis=1)

    return streamed


@pytest.fixture(scope="session")
def lv2(missing: Callable[[str, str], None]) -> None:
    """LV2 plugins of guitarix and ZAM, and the library that finds them; tests are skipped without them."""
    try:
        installed = World().uris()
    except GearError as error:
        missing("lv2", str(error))
        raise
    for uri, package in ((GUITARIX + "gxts9#ts9sim", "guitarix-lv2"), ("urn:zamaudio:ZamTube", "zam-plugins")):
        if uri not in installed:
            missing("lv2", f"no LV2 plugin {uri} (Debian and Ubuntu: {package})")


@pytest.fixture(scope="session")
def vst3(missing: Callable[[str, str], None]) -> Path:
    """The folder of ZAM's VST3 plugins; tests are skipped without them."""
    folder = Path("/usr/lib/vst3")
    if not (folder / "ZamTube.vst3").exists():
        missing("vst3", f"no ZamTube.vst3 in {folder} (Debian and Ubuntu: zam-plugins)")
    return folder


@pytest.fixture(scope="session")
def convolutional() -> Callable[..., LoadedProfile]:
    """A function that makes a profile of a convolutional effect, with random weights and knobs that are heard."""
    three = (
        Knob(id="drive_db", name="Drive", unit="dB", maximum=40.0, default=10.0),
        Knob(id="tone_hz", name="Tone", unit="Hz", minimum=200.0, maximum=8000.0, default=1000.0, scale="log"),
        Knob(id="voice", name="Voice", choices=("dark", "bright"), default="dark"),
    )

    def made(*, knobs: tuple[Knob, ...] = three, name: str = "Amp", **sizes: object) -> LoadedProfile:
        torch.manual_seed(3)
        effect = ConvolutionalEffect(
            knob_positions=positions_width(knobs), **{**A2.config, "input_scale": 3.0, "output_scale": 0.5, **sizes}
        )
        with torch.no_grad():
            effect.shaper[-1].weight.normal_(0, 0.2)
            effect.shaper[-1].bias.normal_(0, 0.2)
        profile = Profile(
            name=name,
            gear=Gear(name="Pedal", kind="plugin"),
            knobs=knobs,
            sample_rate=SAMPLE_RATE,
            stages=(Stage(kind=effect.kind, config=effect.config, prefix="0."),),
            latency_frames=0,
            golden_settings=default_settings(knobs),
            provenance=Provenance(
                learnt=(),
                hold_outs=(),
                seed=0,
                steps=0,
                seconds=0.0,
                audio_seconds=0.0,
                limited_by="steps",
                curve=(),
                versions={},
            ),
        )
        weights = {"0." + name: tensor.numpy() for name, tensor in effect.state_dict().items()}
        dry = np.random.default_rng(3).normal(0, 0.2, (1, SAMPLE_RATE // 4)).astype(np.float32)
        loaded = LoadedProfile(profile=profile, weights=weights, golden_dry=dry, golden_wet=dry)
        return replace(loaded, golden_wet=ProfileProcessor(loaded).process(dry, SAMPLE_RATE))

    return made


@pytest.fixture(scope="session")
def both_sizes(convolutional: Callable[..., LoadedProfile]) -> LoadedProfile:
    """A profile of a convolutional effect with a light one beside it, which sounds different. Read only."""
    full, small = convolutional(), convolutional(**LIGHT.config)
    stage = replace(small.profile.stages[0], prefix="light.0.")
    light = LightEffect(stages=(stage,), steps=3, seconds=0.5)
    return replace(
        full,
        profile=replace(full.profile, light=light),
        weights={**full.weights, **{"light." + name: tensor for name, tensor in small.weights.items()}},
    )


@pytest.fixture(scope="module")
def browser(missing: Callable[[str, str], None]) -> Iterator[Any]:
    """Chromium of the system, driven by playwright; tests are skipped without either."""
    try:
        from playwright.sync_api import sync_playwright  # noqa: PLC0415
    except ImportError:
        missing("browser", "playwright is not installed (pip install playwright)")
    if CHROMIUM is None:
        missing("browser", "no chromium is installed (Debian and Ubuntu: chromium)")
    with sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def listen() -> str:
    """A script for the beginning of a page, which keeps what reaches the loudspeakers."""
    return LISTEN


@pytest.fixture(scope="session")
def contrasts() -> Callable[[Any, Sequence[str]], list[tuple[str, float]]]:
    """A function that returns how far each text of some selectors stands out from what is behind it."""

    def measured(page: Any, selectors: Sequence[str]) -> list[tuple[str, float]]:
        return [(selector, ratio) for selector, ratio in page.evaluate(CONTRAST, list(selectors))]

    return measured


@pytest.fixture(scope="session")
def nameless() -> Callable[[Any], list[str]]:
    """A function that returns the controls of a page that have no name."""
    return lambda page: page.evaluate(NAMELESS)
