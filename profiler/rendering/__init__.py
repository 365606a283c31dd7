"""Rendering: profiles and chains on signals and files."""

from profiler.rendering.build_chain import build_chain
from profiler.rendering.cost import measured_cost
from profiler.rendering.profile_processor import ProfileProcessor
from profiler.rendering.render_file import render_file

__all__ = ["ProfileProcessor", "build_chain", "measured_cost", "render_file"]
