"""Audio interfaces: which there are, and playing through one while recording what comes back."""

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from capture.worker import Worker
from profiler.audio import Samples
from profiler.errors import GearError
from profiler.session import Wiring

__all__ = [
    "Interface",
    "Live",
    "Meter",
    "Returned",
    "check_wiring",
    "find_interface",
    "list_interfaces",
    "play_and_record",
]

_PATIENCE_SECONDS = 20.0  # PortAudio asks every driver of the system before it says its first word
_STALLED_SECONDS = 8.0
_AROUND_SECONDS = 1.0  # before, some gear fades in when sound first reaches it; after, longer than any round trip
_LEAST_OF_REAL_TIME = 0.9
_HOSTS = ("ASIO", "Core Audio", "JACK Audio Connection Kit", "Windows WASAPI", "ALSA", "Windows WDM-KS")
"""Hosts under which one interface may be listed several times, the best first."""


@dataclass(frozen=True, kw_only=True)
class Interface:
    """An interface as PortAudio lists it: name, host API, how many channels go in and out, and its usual rate in Hz."""

    name: str
    host: str
    inputs: int
    outputs: int
    default_rate: int


@dataclass(frozen=True, kw_only=True)
class Meter:
    """How far playing is, from 0 to 1, how long it still takes, and the peaks since the last time in dBFS.

    `clock` is a time of `time.monotonic` and the dry's frame that was handed to the interface then; it is negative
    before the dry begins.
    """

    done: float
    seconds_left: float
    clock: tuple[float, int]
    send_db: float
    return_db: float


@dataclass(frozen=True, kw_only=True)
class Live:
    """A player at the input `channel`, counted from 1, for `seconds` at the most; `is_over` says when to end before."""

    channel: int
    seconds: float
    is_over: Callable[[], bool] = lambda: False


@dataclass(frozen=True, kw_only=True, eq=False)
class Returned:
    """What came back, of shape (frames,), from the frame on at which the dry was sent; longer than the dry.

    `before` is what came back in the silence before it. `flagged` are frames at which the driver spoke of lost blocks:
    a flag is no damage by itself, and damage comes without a flag too. `block_frames` is how many frames the driver
    handed over at once, the first time with the first frame of `before`; None when it was not always as many. `live` is
    what was sent where a player was passed on: the dry and what was played after it, as it came in.
    """

    wet: Samples
    before: Samples
    loopback: Samples | None
    flagged: tuple[int, ...]
    block_frames: int | None = None
    live: Samples | None = None


def list_interfaces() -> tuple[Interface, ...]:
    """Return the interfaces there are now. Raises GearError when PortAudio is not installed or does not answer."""
    return tuple(Interface(**each) for each in _asked({"do": "list"}))


def find_interface(name: str, *, sends: bool = True, returns: bool = True) -> Interface:
    """Return the interface called `name`, or the only one whose name holds that; `NAME, HOST` names one of several.

    It must have outputs when it `sends`, and inputs when something `returns` to it. Raises GearError that lists the
    interfaces there are.
    """
    return _among(list_interfaces(), name, sends=sends, returns=returns)


def _among(there: Sequence[Interface], name: str, *, sends: bool = True, returns: bool = True) -> Interface:
    able = [each for each in there if (each.outputs or not sends) and (each.inputs or not returns)]
    wanted = name.casefold()
    found = [each for each in able if wanted in (each.name.casefold(), f"{each.name}, {each.host}".casefold())]
    found = found or [each for each in able if wanted in each.name.casefold()]
    if found and len({each.name for each in found}) == 1:
        return min(found, key=lambda each: _HOSTS.index(each.host) if each.host in _HOSTS else len(_HOSTS))
    listed = "; ".join(_described(each) for each in there) or "none. Is it plugged in, or the sound server running?"
    problem = "means several interfaces" if found else "is no interface here that can play and record"
    raise GearError(f"{name!r} {problem}. There are: {listed}")


def check_wiring(wiring: Wiring, sample_rate: int, *, live_channel: int | None = None) -> None:
    """Raise GearError when an interface is gone, lacks a channel, a player's included, or does not run at that rate."""
    there = list_interfaces()
    output, found = (
        _among(there, f"{name}, {wiring.host}", sends=sends, returns=not sends)
        for name, sends in ((wiring.output, True), (wiring.input, False))
    )
    wanted = [(output.name, "outputs", output.outputs, wiring.send_channel)]
    wanted += [
        (found.name, "inputs", found.inputs, channel)
        for channel in (wiring.return_channel, wiring.loopback_channel or 1, live_channel or 1)
    ]
    for name, kind, count, channel in wanted:
        if not 1 <= channel <= count:
            raise GearError(f"{name} has {count} {kind}, numbered from 1; asked for number {channel}.")
    try:
        _asked({"do": "check", **_request(wiring, sample_rate)})
    except GearError as error:
        raise GearError(
            f"{wiring.output} does not play and record at {sample_rate} Hz: {error} It usually runs at "
            f"{output.default_rate} Hz; give that with --sample-rate, or set the interface to {sample_rate} Hz."
        ) from error


def play_and_record(
    wiring: Wiring,
    dry: Samples,
    sample_rate: int,
    *,
    around_seconds: float = _AROUND_SECONDS,
    live: Live | None = None,
    on_meter: Callable[[Meter], None] = lambda _: None,
) -> Returned:
    """Send `dry`, of shape (frames,), and record what returns, `around_seconds` longer at both ends.

    With `live`, what comes in at its channel is sent after that, until it `is_over`.

    Raises GearError when the interface does not take it, stops in the midst of it, or does not play in real time.
    """
    before = int(around_seconds * sample_rate)
    gain = 10 ** (wiring.send_db / 20)
    out = np.pad(dry * gain, (before, 0 if live else before)).astype(np.float32)
    request = _request(wiring, sample_rate, live)
    most = len(out)
    if live is not None:
        most += int(live.seconds * sample_rate) + before
        request["live"] = {"channel": live.channel, "gain": gain, "frames": most - len(out), "after": before}

    def tell(message: dict[str, Any]) -> None:
        when, frame = message["clock"]
        peaks = (20 * float(np.log10(max(message[name], 1e-10))) for name in ("send_peak", "return_peak"))
        send, back = peaks
        left = (most - message["frames"]) / sample_rate
        done = min(message["frames"] / most, 1.0)
        on_meter(Meter(done=done, seconds_left=left, clock=(when, frame - before), send_db=send, return_db=back))

    with tempfile.TemporaryDirectory(prefix="tonecast-") as folder:
        files = {name: str(Path(folder) / f"{name}.npy") for name in ("out_file", "kept_file")}
        np.save(files["out_file"], out)
        is_over = live.is_over if live else None
        found = _asked({"do": "play", **files, **request}, on_message=tell, is_over=is_over)
        kept = np.load(files["kept_file"])
    _check_whole(wiring, found, most, sample_rate)
    wet = np.ascontiguousarray(kept[:, 0])
    _check_finite(wiring, wet)
    flagged = tuple(frame - before for frame in found["flagged"] if frame >= before)
    return Returned(
        wet=wet[before:],
        before=wet[:before],
        loopback=None if wiring.loopback_channel is None else np.ascontiguousarray(kept[before:, 1]),
        flagged=flagged,
        live=None if live is None else np.concatenate([dry, kept[len(out) : -before or None, -1]]),
        block_frames=found["block"],
    )


def _request(wiring: Wiring, sample_rate: int, live: Live | None = None) -> dict[str, Any]:
    keep = [wiring.return_channel, wiring.loopback_channel, live.channel if live else None]
    channels = [channel for channel in keep if channel is not None]
    return {
        "output": {"name": wiring.output, "host": wiring.host},
        "input": {"name": wiring.input, "host": wiring.host},
        "outputs": wiring.send_channel,
        "inputs": max(channels),
        "keep": channels,
        "sample_rate": sample_rate,
    }


def _check_whole(wiring: Wiring, found: dict[str, Any], most: int, sample_rate: int) -> None:
    if not found["is_whole"]:
        raise GearError(
            f"{wiring.input} stopped after {found['frames'] / sample_rate:.1f} of {most / sample_rate:.1f} s: was it "
            "unplugged, did another program take it, or did the sound server end? The takes before are kept. Set it "
            "right and run the same command again."
        )
    if found["seconds"] < _LEAST_OF_REAL_TIME * found["frames"] / sample_rate:
        raise GearError(
            f"{wiring.output} took {found['frames'] / sample_rate:.1f} s of sound in {found['seconds']:.1f} s: it was "
            "not played. Set the interface, or the sound server, to the rate of the session."
        )


def _check_finite(wiring: Wiring, wet: Samples) -> None:
    if not np.isfinite(wet).all():
        raise GearError(f"{wiring.input} gave NaN or infinity. Restart the interface's driver or the sound server.")


def _described(interface: Interface) -> str:
    rate = f"{interface.default_rate} Hz"
    return f"{interface.name}, {interface.host} ({interface.inputs} in, {interface.outputs} out, {rate})"


def _asked(
    request: dict[str, Any],
    *,
    on_message: Callable[[dict[str, Any]], None] = lambda _: None,
    is_over: Callable[[], bool] | None = None,
) -> Any:
    """Return the worker's answer to a request. Raises GearError for what it cannot do, or when it falls silent."""
    with Worker("capture.interface_worker") as worker:
        worker.ask(request)
        patience = _PATIENCE_SECONDS
        while True:
            try:
                message = worker.answer(patience)
            except TimeoutError:
                raise GearError(
                    f"The audio driver has not answered for {patience:.0f} s. Was the interface unplugged, or did the "
                    "sound server end? The takes before are kept."
                ) from None
            if message is None:
                raise GearError("The audio process ended at once. Run tonecast doctor: is PortAudio installed?")
            if "error" in message:
                raise GearError(f"{message['error']}.")
            if "done" in message:
                return message["done"]
            on_message(message)
            patience = _STALLED_SECONDS
            if is_over is not None and is_over():
                worker.ask({"do": "stop"})
                is_over = None
