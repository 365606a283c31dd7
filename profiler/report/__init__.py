"""The report: what was captured and learnt, to look at and listen to."""

from profiler.report.page import write_report

__all__ = ["write_report"]
