"""The README: what it shows is what there is."""

import re
import shlex
from pathlib import Path

import typer.main

from tonecast.cli import app

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()


def commands() -> dict[str, set[str]]:
    """Return every command of the program with its options."""
    found = {}

    def walk(command: object, name: str) -> None:
        children = getattr(command, "commands", None)
        if children:
            for each, child in children.items():
                walk(child, f"{name} {each}".strip())
        else:
            found[name] = {option for parameter in command.params for option in parameter.opts}

    walk(typer.main.get_command(app), "")
    return found


def test_every_command_is_in_the_readme():
    """A command that the README does not show does not exist for users."""
    for name in commands():
        assert f"tonecast {name}" in README, name


def test_every_line_of_the_readme_is_a_command():
    """What the README tells people to type is understood: command and options alike."""
    lines = re.findall(r"^(?:.*&& \S*/)?tonecast (.+)$", README, re.MULTILINE)
    assert len(lines) >= 8
    for line in lines:
        words = shlex.split(line)
        name = next(each for each in (" ".join(words[:2]), words[0]) if each in commands())
        assert {word for word in words if word.startswith("--")} <= commands()[name], line


def test_the_test_command_is_one_line():
    """CI runs the line of the README that calls pytest: there is one, and it brings what the tests need."""
    (command,) = re.findall(r"^python3 .*/pytest(?: .*)?$", README, re.MULTILINE)
    assert ".[test]" in command


def test_links_lead_somewhere():
    """Every relative link and picture is there."""
    for target in re.findall(r"\]\((?!http)([^)#]+)\)", README):
        assert (ROOT / target).exists(), target
