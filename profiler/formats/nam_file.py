"""A Neural Amp Modeler file: one plain network as JSON, which other people's players read.

The format is that of file version 0.7.0, as `neural-amp-modeler` 0.13 writes it: architecture WaveNet with one layer
array, and a flat list of weights in the order of `NetworkShape.parts`, ended by the scale that multiplies the head.
Several networks of one sound are a container of such documents, architecture SlimmableContainer: a player that is given
a number below 1, from how fast it should be, plays the first whose `max_value` is above it.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray

from profiler.audio import Samples
from profiler.effects.convolution import run_in_torch
from profiler.effects.network_shape import NetworkShape
from profiler.effects.threads import on_one_thread
from profiler.errors import ExportError, ManifestError

__all__ = ["SUFFIX", "NamFile", "container_json", "nam_json", "read_container", "read_nam"]

SUFFIX = ".nam"

_T = TypeVar("_T")

_VERSION = "0.7.0"
_ARCHITECTURE, _CONTAINER = "WaveNet", "SlimmableContainer"
# A2's own. With it the head's weights are of the size of the others.
_HEAD_SCALE = 0.01
_LARGEST_FILE = 64 << 20
_MOST_SUBMODELS = 16
_FILMS = (
    "conv_pre_film",
    "conv_post_film",
    "input_mixin_pre_film",
    "input_mixin_post_film",
    "activation_pre_film",
    "activation_post_film",
    "layer1x1_post_film",
    "head1x1_post_film",
)


@dataclass(frozen=True, kw_only=True, eq=False)
class NamFile:
    """A network and what is said about it. `weights` are (shape.weight_count,) with the head's scale taken in."""

    shape: NetworkShape
    weights: NDArray[np.float64]
    sample_rate: int
    metadata: Mapping[str, Any]

    @on_one_thread()
    @torch.inference_mode()
    def play(self, dry: Samples) -> NDArray[np.float64]:
        """Return wet (1, frames) for dry of that shape after silence, in double precision."""
        heard = np.pad(dry.astype(np.float64), ((0, 0), (self.shape.history, 0)))
        return run_in_torch(self.shape, torch.from_numpy(heard), torch.from_numpy(self.weights)[None]).numpy()


def nam_json(file: NamFile) -> bytes:
    """Return the file's content. Raises ExportError for weights that are not finite, or text that is no text."""
    return _spelt(_document(file))


def container_json(files: Sequence[NamFile]) -> bytes:
    """Return the content of a container of networks, the cheapest first; what is said of the last is said of it all.

    Raises ExportError as `nam_json` does.
    """
    steps = [(number + 1) / len(files) for number in range(len(files))]
    submodels = [{"max_value": step, "model": _document(file)} for step, file in zip(steps, files, strict=True)]
    return _spelt(
        {
            "version": _VERSION,
            "metadata": files[-1].metadata,
            "architecture": _CONTAINER,
            "config": {"submodels": submodels},
            "weights": [],
            "sample_rate": files[-1].sample_rate,
        }
    )


def _document(file: NamFile) -> dict[str, Any]:
    weights = file.weights.copy()
    weights[_head(file.shape)] /= _HEAD_SCALE
    with np.errstate(over="ignore"):
        written = np.append(weights, _HEAD_SCALE).astype(np.float32)
    if not np.isfinite(written).all():
        raise ExportError(
            "At these knob settings the network's weights are infinite, so there is nothing to export. Try others."
        )
    return {
        "version": _VERSION,
        "metadata": file.metadata,
        "architecture": _ARCHITECTURE,
        "config": _config(file.shape),
        "weights": written.tolist(),
        "sample_rate": file.sample_rate,
    }


def _spelt(document: Mapping[str, Any]) -> bytes:
    try:
        # A torn character, which a name typed in another encoding may hold, can be escaped, but players choke on it.
        json.dumps(document["metadata"], ensure_ascii=False).encode()
        return json.dumps(document, allow_nan=False).encode()
    except ValueError as error:
        raise ExportError(f"What the file should say about itself is not text: {error}. Spell it anew.") from error


def read_nam(path: Path) -> NamFile:
    """Read a file of the kind that `nam_json` makes. Raises ManifestError for any other."""
    return _read(path, _network)


def read_container(path: Path) -> list[NamFile]:
    """Read a file of the kind that `container_json` makes, the cheapest network first. Raises ManifestError."""
    return _read(path, _networks)


def _read(path: Path, understood: Callable[[Mapping[str, Any]], _T]) -> _T:
    try:
        if path.stat().st_size > _LARGEST_FILE:
            raise ManifestError(f"{path} is {path.stat().st_size >> 20} MB; at most {_LARGEST_FILE >> 20} are read.")
        return understood(json.loads(path.read_bytes()))
    except OSError as error:
        raise ManifestError(
            f"{path} cannot be read: {error.strerror or error}. Check the name and the permissions."
        ) from error
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError) as error:
        raise ManifestError(f"{path} is not a .nam file as Tonecast writes it: {error}.") from error


def _network(document: Mapping[str, Any]) -> NamFile:
    config, weights = document["config"], np.asarray(document["weights"], np.float32).astype(np.float64)
    shape = _shape(config["layers"][0])
    fits = (document["version"], document["architecture"]) == (_VERSION, _ARCHITECTURE)
    fits = fits and {**config, "head_scale": _HEAD_SCALE} == _config(shape)
    if not fits or weights.shape != (shape.weight_count + 1,) or not np.isfinite(weights).all():
        raise ValueError("its version, layers or weights are others")
    weights[:-1][_head(shape)] *= weights[-1]  # this one counts, not the config's
    return NamFile(
        shape=shape, weights=weights[:-1], sample_rate=int(document["sample_rate"]), metadata=document["metadata"]
    )


def _networks(document: Mapping[str, Any]) -> list[NamFile]:
    submodels = document["config"]["submodels"]
    steps = [each["max_value"] for each in submodels[: _MOST_SUBMODELS + 1]]
    fits = (document["version"], document["architecture"]) == (_VERSION, _CONTAINER)
    if not fits or not 1 <= len(steps) <= _MOST_SUBMODELS or steps != sorted(set(steps)) or steps[-1] < 1:
        raise ValueError("its version or the steps of its container are others")
    files = [_network(each["model"]) for each in submodels]
    if {file.sample_rate for file in files} != {document["sample_rate"]}:
        raise ValueError("its networks run at several rates")
    return files


def _head(shape: NetworkShape) -> slice:
    return slice(next(part.start for part in shape.parts if part.name == "head"), shape.weight_count)


def _shape(layers: Mapping[str, Any]) -> NetworkShape:
    return NetworkShape(
        channels=layers["channels"],
        taps=tuple(layers["kernel_sizes"]),
        dilations=tuple(layers["dilations"]),
        head_taps=layers["head"]["kernel_size"],
        slope=layers["activation"][0]["negative_slope"],
    )


def _config(shape: NetworkShape) -> dict[str, Any]:
    """Return the shape in NAM's words, with all that it does not have said to be off."""
    layers = {
        "input_size": 1,
        "condition_size": 1,
        "head": {"out_channels": 1, "kernel_size": shape.head_taps, "bias": True},
        "channels": shape.channels,
        "kernel_sizes": list(shape.taps),
        "dilations": list(shape.dilations),
        "activation": [{"type": "LeakyReLU", "negative_slope": shape.slope}] * shape.layers,
        "bottleneck": shape.channels,
        "head1x1": {"active": False, "out_channels": 1, "groups": 1},
        "layer1x1": {"active": True, "groups": 1},
        "groups_input": 1,
        "groups_input_mixin": 1,
        **{film: {"active": False, "shift": True, "groups": 1} for film in _FILMS},
        "gating_mode": ["none"] * shape.layers,
        "secondary_activation": [None] * shape.layers,
        "slimmable": None,
    }
    return {"layers": [layers], "head": None, "head_scale": _HEAD_SCALE}
