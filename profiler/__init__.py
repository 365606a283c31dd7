"""Tonecast's library: values, effects, training, scores, rendering and formats.

Importing it loads no torch. What renders is in `profiler.rendering`, what trains in `profiler.training`.
"""

from profiler.audio import Audio
from profiler.errors import ProfilerError
from profiler.knob import Knob, KnobSettings
from profiler.knob_track import Breakpoint, KnobTrack
from profiler.profile import LoadedProfile, Profile
from profiler.profile_file import load, save
from profiler.session import CaptureSession, Gear, Take
from profiler.session_folder import SessionFolder
from profiler.split import Split

__all__ = [
    "Audio",
    "Breakpoint",
    "CaptureSession",
    "Gear",
    "Knob",
    "KnobSettings",
    "KnobTrack",
    "LoadedProfile",
    "Profile",
    "ProfilerError",
    "SessionFolder",
    "Split",
    "Take",
    "load",
    "save",
]
