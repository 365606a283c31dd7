"""Training: from a session's takes to a profile."""

from profiler.training.checkpoint import steps_kept
from profiler.training.device import device_name, gpu_trouble, training_device
from profiler.training.loop import Schedule
from profiler.training.train import TrainingPlan, forget_checkpoint, train
from profiler.training.warm_start import WarmStart

__all__ = [
    "Schedule",
    "TrainingPlan",
    "WarmStart",
    "device_name",
    "forget_checkpoint",
    "gpu_trouble",
    "steps_kept",
    "train",
    "training_device",
]
