"""The command line of the benchmarks of a library: where they work, on which database, and where results go."""

import argparse
from pathlib import Path

__all__ = ["library_parser"]


def library_parser(description: str | None, **more: float | str) -> argparse.ArgumentParser:
    """Return a parser of --work, --database, --json, and `more` options by their defaults, whose types they have."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--database")
    for name, default in more.items():
        parser.add_argument(f"--{name}", type=type(default), default=default)
    parser.add_argument("--json", type=Path)
    return parser
