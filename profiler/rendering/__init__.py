"""Rendering: profiles and chains on signals and files."""

from profiler.rendering.build_chain import build_chain
from profiler.rendering.cost import measured_cost
from profiler.rendering.golden import with_golden
from profiler.rendering.profile_processor import ProfileProcessor
from profiler.rendering.render_file import render_file
from profiler.rendering.render_folder import Outcome, render_folder
from profiler.rendering.render_job import Bits, Rendered, RenderJob, run_job
from profiler.rendering.stems import read_stems_table, stem_jobs

__all__ = [
    "Bits",
    "Outcome",
    "ProfileProcessor",
    "RenderJob",
    "Rendered",
    "build_chain",
    "measured_cost",
    "read_stems_table",
    "render_file",
    "render_folder",
    "run_job",
    "stem_jobs",
    "with_golden",
]
