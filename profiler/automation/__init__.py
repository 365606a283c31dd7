"""Automation: knobs that turn while a track plays, from the files that people draw and record it in."""

from profiler.automation.automation import Automation, Share, Turn
from profiler.automation.automation_file import read_automation
from profiler.automation.knob_lanes import KnobLanes
from profiler.automation.midi_controllers import Controller
from profiler.automation.turned_processor import TurnedProcessor

__all__ = ["Automation", "Controller", "KnobLanes", "Share", "Turn", "TurnedProcessor", "read_automation"]
