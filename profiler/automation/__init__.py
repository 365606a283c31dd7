"""Automation: knobs that turn while a track plays, from the files that people draw and record it in."""

from profiler.automation.automation import Automation, Share, Turn
from profiler.automation.automation_file import read_automation
from profiler.automation.knob_lanes import KnobLanes
from profiler.automation.midi_controllers import Controller
from profiler.automation.rounded_lanes import ROUNDING_SECONDS, RoundedLanes, rounded
from profiler.automation.turned_processor import TurnedProcessor

__all__ = [
    "ROUNDING_SECONDS",
    "Automation",
    "Controller",
    "KnobLanes",
    "RoundedLanes",
    "Share",
    "Turn",
    "TurnedProcessor",
    "read_automation",
    "rounded",
]
