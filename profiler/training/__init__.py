"""Training: from a session's takes to a profile."""

from profiler.training.loop import Schedule
from profiler.training.train import TrainingPlan, forget_checkpoint, train
from profiler.training.warm_start import WarmStart

__all__ = ["Schedule", "TrainingPlan", "WarmStart", "forget_checkpoint", "train"]
