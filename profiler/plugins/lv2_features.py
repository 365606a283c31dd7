"""What an LV2 plugin may ask of its host: numbers for URIs, the sample rate and block size, work beside the audio.

https://lv2plug.in/ns/ext/urid, https://lv2plug.in/ns/ext/options, https://lv2plug.in/ns/ext/buf-size,
https://lv2plug.in/ns/ext/worker
"""

import ctypes
from ctypes import CFUNCTYPE, POINTER, Structure, c_char_p, c_float, c_int, c_int32, c_uint32, c_void_p
from typing import Any

__all__ = ["SUPPORTED", "Features", "Worker"]

_URID = "http://lv2plug.in/ns/ext/urid#"
_OPTIONS = "http://lv2plug.in/ns/ext/options#options"
_BUFFERS = "http://lv2plug.in/ns/ext/buf-size#"
_SCHEDULE = "http://lv2plug.in/ns/ext/worker#schedule"
_ATOM = "http://lv2plug.in/ns/ext/atom#"
_FLAGS = (
    f"{_BUFFERS}boundedBlockLength",
    f"{_BUFFERS}fixedBlockLength",
    f"{_BUFFERS}powerOf2BlockLength",
    "http://lv2plug.in/ns/ext/state#loadDefaultState",
    "http://lv2plug.in/ns/lv2core#hardRTCapable",
    "http://lv2plug.in/ns/lv2core#inPlaceBroken",
)
SUPPORTED = frozenset(
    {f"{_URID}map", f"{_URID}unmap", _OPTIONS, _SCHEDULE, *_FLAGS, "http://lv2plug.in/ns/lv2core#isLive"}
)
"""Features that a plugin may require. Audio is never processed in place here, and offline is no slower than live."""

_Map = CFUNCTYPE(c_uint32, c_void_p, c_char_p)
_Unmap = CFUNCTYPE(c_void_p, c_void_p, c_uint32)
_Respond = CFUNCTYPE(c_int, c_void_p, c_uint32, c_void_p)
_Schedule = CFUNCTYPE(c_int, c_void_p, c_uint32, c_void_p)


class _Feature(Structure):
    _fields_ = (("uri", c_char_p), ("data", c_void_p))


class _Pair(Structure):
    """A handle, which we need not, and a function: what most features look like in C."""

    _fields_ = (("handle", c_void_p), ("function", c_void_p))


class _Option(Structure):
    _fields_ = (
        ("context", c_int),
        ("subject", c_uint32),
        ("key", c_uint32),
        ("size", c_uint32),
        ("type", c_uint32),
        ("value", c_void_p),
    )


class _WorkerInterface(Structure):
    _fields_ = (
        ("work", CFUNCTYPE(c_int, c_void_p, _Respond, c_void_p, c_uint32, c_void_p)),
        ("work_response", CFUNCTYPE(c_int, c_void_p, c_uint32, c_void_p)),
        ("end_run", CFUNCTYPE(c_int, c_void_p)),
    )


class Worker:
    """Work that a plugin puts off while it plays, such as loading an impulse response.

    It is done as soon as the block is over, so that a take sounds the same however busy the machine is.
    """

    def __init__(self) -> None:
        self._todo: list[bytes] = []
        self._responses: list[bytes] = []
        self._interface: Any = None
        self._handle: int | None = None
        self.schedule = _Schedule(self._put_off)
        self._respond = _Respond(self._answer)

    def attach(self, handle: int, interface: int | None) -> None:
        """Name the plugin that the work is for, and its functions for it, if it has any."""
        self._handle = handle
        self._interface = ctypes.cast(interface, POINTER(_WorkerInterface)).contents if interface else None

    def work(self) -> None:
        """Do all that was put off, and give the plugin the answers."""
        if not self._todo or self._interface is None:
            return
        while self._todo:
            task = self._todo.pop(0)
            self._interface.work(self._handle, self._respond, None, len(task), task)
        while self._responses:
            response = self._responses.pop(0)
            self._interface.work_response(self._handle, len(response), response)
        if self._interface.end_run:
            self._interface.end_run(self._handle)

    def _put_off(self, _handle: int, size: int, data: int | None) -> int:
        self._todo.append(ctypes.string_at(data, size) if data else b"")
        return 0

    def _answer(self, _handle: int, size: int, data: int | None) -> int:
        self._responses.append(ctypes.string_at(data, size) if data else b"")
        return 0


class Features:
    """The features of one instance at one rate, and `pointer`, the list of them in C. Keep it while the plugin lives.

    Blocks are always of `block_frames`, which is what `bounded`, `fixed` and `power of 2` promise.
    """

    def __init__(self, sample_rate: int, block_frames: int) -> None:
        self.worker = Worker()
        self._numbers: dict[bytes, int] = {}
        self._texts: list[Any] = []
        self._map, self._unmap = _Map(self._number), _Unmap(self._text)
        self.map = _pair(self._map)
        self._unmap_feature, self._schedule_feature = _pair(self._unmap), _pair(self.worker.schedule)
        self._option_values = (c_float(sample_rate), c_int32(block_frames))
        self._options = self._all_options(*self._option_values)
        data: dict[str, Any] = {
            f"{_URID}map": self.map,
            f"{_URID}unmap": self._unmap_feature,
            _SCHEDULE: self._schedule_feature,
            _OPTIONS: self._options,
        }
        self._features = [_Feature(uri.encode(), ctypes.addressof(each)) for uri, each in data.items()]
        self._features += [_Feature(uri.encode(), None) for uri in _FLAGS]
        self.pointer = (c_void_p * (len(self._features) + 1))(
            *(ctypes.addressof(each) for each in self._features), None
        )

    def number(self, uri: str) -> int:
        """Return the number that stands for a URI in this instance."""
        return self._number(None, uri.encode())

    def _number(self, _handle: int | None, uri: bytes) -> int:
        if uri not in self._numbers:
            self._texts.append(ctypes.create_string_buffer(uri))
            self._numbers[uri] = len(self._texts)
        return self._numbers[uri]

    def _text(self, _handle: int | None, number: int) -> int | None:
        return ctypes.addressof(self._texts[number - 1]) if 0 < number <= len(self._texts) else None

    def _all_options(self, rate: c_float, frames: c_int32) -> Any:
        number = self.number
        lengths = ("minBlockLength", "maxBlockLength", "nominalBlockLength")
        options = [
            _Option(0, 0, number("http://lv2plug.in/ns/ext/parameters#sampleRate"), 4, number(f"{_ATOM}Float"))
        ] + [_Option(0, 0, number(f"{_BUFFERS}{length}"), 4, number(f"{_ATOM}Int")) for length in lengths]
        options[0].value = ctypes.addressof(rate)
        for option in options[1:]:
            option.value = ctypes.addressof(frames)
        return (_Option * (len(options) + 1))(*options)


def _pair(function: Any) -> _Pair:
    return _Pair(None, ctypes.cast(function, c_void_p))
