"""The command line as tests run it."""

from collections.abc import Callable

import pytest

from tonecast.cli import run


@pytest.fixture
def ran(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """A function that runs a command and returns its exit code, standard output and standard error."""

    def command(*arguments: object) -> tuple[int, str, str]:
        code = run([str(each) for each in arguments])
        out, err = capsys.readouterr()
        return code, out, err

    return command
