"""Matching: which profile made a wet of a dry, and where its knobs stood."""

from profiler.matching.match import KnobMatch, match_profiles

__all__ = ["KnobMatch", "match_profiles"]
