"""Checkpoints: a stopped training, in one file of tensors and JSON, from which it goes on exactly."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import safetensors.torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from profiler.errors import TrainingError
from profiler.storage import write_bytes

__all__ = ["Checkpoint", "checkpoint_path", "read_checkpoint", "steps_kept", "write_checkpoint"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Checkpoint:
    """Tensors by name, and plain values: the step, the seconds spent, the curve, the generator's state."""

    fingerprint: str
    tensors: Mapping[str, Tensor]
    values: Mapping[str, Any]

    @property
    def has_state(self) -> bool:
        """Whether there is something to go on from: a training in its audition only says that it has begun."""
        return bool(self.tensors)


def checkpoint_path(profile: Path) -> Path:
    """Return where the checkpoint of a profile that is being trained lies: beside it, hidden."""
    return profile.with_name(f".{profile.name}.checkpoint")


def write_checkpoint(path: Path, checkpoint: Checkpoint) -> None:
    """Write a checkpoint atomically. Raises StorageError."""
    metadata = {"fingerprint": checkpoint.fingerprint, "values": json.dumps(checkpoint.values)}
    tensors = {name: tensor.detach().contiguous() for name, tensor in checkpoint.tensors.items()}
    write_bytes(path, safetensors.torch.save(tensors, metadata))


def steps_kept(path: Path) -> int:
    """Return how many steps lie behind a checkpoint, a light effect's too; 0 where there is none, or no whole one."""
    try:
        with safe_open(path, framework="pt") as file:
            values = json.loads((file.metadata() or {})["values"])
        parts = [values, *(part for part in values.values() if isinstance(part, dict))]
        return sum(int(part.get("step", 0)) for part in parts)
    except (SafetensorError, KeyError, ValueError, OSError):
        return 0


def read_checkpoint(path: Path, *, fingerprint: str) -> Checkpoint:
    """Read the checkpoint of a training with this fingerprint. Raises TrainingError for any other or a damaged one."""
    if not path.is_file():
        raise TrainingError(f"There is no stopped training to go on with: {path} is not there. Train without --resume.")
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a mapping
        values = json.loads(metadata["values"])
    except (SafetensorError, KeyError, ValueError, OSError) as error:
        raise TrainingError(f"{path} is damaged: {error}. Train without --resume to start again.") from error
    if metadata.get("fingerprint") != fingerprint:
        raise TrainingError(
            f"{path} belongs to a training with another session, split, seed, budget or version of Tonecast. "
            "Give the same ones to go on with it, or train without --resume to start again."
        )
    return Checkpoint(fingerprint=fingerprint, tensors=tensors, values=values)
