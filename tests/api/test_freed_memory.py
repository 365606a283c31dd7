"""What a long-lived process has freed goes back to the machine."""

import subprocess
import sys

import pytest

from api import freed_memory
from api.freed_memory import give_back, giving_back

FREES_MUCH = """
import os
from pathlib import Path
from api.freed_memory import give_back

def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")

pieces = [bytes(4_000) for _ in range(50_000)]
kept = pieces[::500]
del pieces
before = resident()
give_back()
print(before - resident())
"""
"""200 MB in pieces, of which a few from all over are still in use."""


@pytest.mark.skipif(sys.platform != "linux", reason="glibc's memory, and what Linux tells of it")
def test_what_lies_between_what_is_in_use_is_given_back():
    """More than half of it; a C library that cannot be told to gives back nothing, and nothing fails."""
    told = subprocess.run([sys.executable, "-c", FREES_MUCH], capture_output=True, text=True, check=True).stdout
    has_trim = freed_memory._trim() is not None
    assert int(told) > 100e6 if has_trim else int(told) < 1e6


def test_it_is_done_over_and_over(monkeypatch):
    """For as long as the block lasts."""
    done = []
    monkeypatch.setattr(freed_memory, "_PAUSE_SECONDS", 0.001)
    monkeypatch.setattr(freed_memory, "give_back", lambda: done.append(True))
    with giving_back():
        while len(done) < 3:
            pass
    count = len(done)
    give_back()
    assert len(done) == count
