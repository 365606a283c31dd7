"""The report: a page on a profile, to look at and to listen to."""

from profiler.report.page import Written, write_report

__all__ = ["Written", "write_report"]
