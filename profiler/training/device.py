"""The device: the processor, or a GPU that convolutional effects learn on where there is one.

A recurrent effect takes its steps in time one after the other, so it learns on the processor anyway.
"""

import torch

from profiler.effects import ConvolutionalEffect, Effect
from profiler.errors import TrainingError

__all__ = ["DEVICES", "PROCESSOR", "device_name", "gpu_trouble", "placed", "training_device"]

PROCESSOR = torch.device("cpu")
DEVICES = ("auto", "cpu", "cuda")
"""What a musician may ask for."""


def training_device(wanted: str) -> torch.device:
    """Return the device that one of DEVICES names; `auto` is a GPU that works, or else the processor.

    Raises TrainingError for a GPU that is not there or that torch cannot use.
    """
    if wanted not in DEVICES:
        raise TrainingError(f"There is no device {wanted!r}. Train on one of: {', '.join(DEVICES)}.")
    if wanted == "cpu":
        return PROCESSOR
    reason = gpu_trouble()
    if reason is None:
        return torch.device("cuda")
    if wanted == "auto":
        return PROCESSOR
    raise TrainingError(f"Training on a GPU was asked for, and {reason}. Train with --device cpu, or auto.")


def placed(effect: Effect, device: torch.device) -> Effect:
    """Return the effect, moved to the device where effects of its kind learn there."""
    return effect.to(device) if isinstance(effect, ConvolutionalEffect) else effect


def device_name(device: torch.device) -> str:
    """Return what a profile calls a device: cpu, or the GPU's name."""
    return torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu"


def gpu_trouble() -> str | None:
    """Return why no GPU can be trained on; None where one can."""
    if torch.version.cuda is None:
        return "this build of torch knows none: install one with CUDA, from pytorch.org"
    if not torch.cuda.is_available():
        return "torch finds none that it can use: look at the driver with nvidia-smi"
    try:
        torch.ones(1, device="cuda").add_(1).item()
    except RuntimeError as error:  # too old for this build, or taken by another program
        return f"the {torch.cuda.get_device_name()} does not work: {str(error).splitlines()[0]}"
    return None
