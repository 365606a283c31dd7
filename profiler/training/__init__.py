"""Training: from a session's takes to a profile."""

from profiler.training.loop import Schedule
from profiler.training.train import TrainingPlan, forget_checkpoint, train

__all__ = ["Schedule", "TrainingPlan", "forget_checkpoint", "train"]
