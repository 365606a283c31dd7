"""`tonecast presets`: what ships with Tonecast."""

from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from tonecast.commands.knob_list import knob_span
from tonecast.console import Screen, plain, sizes_json
from tonecast.options import AsJson

if TYPE_CHECKING:
    from profiler.presets import Preset
    from profiler.profile import LightEffect, Profile

__all__ = ["presets"]


def presets(
    name: Annotated[str | None, typer.Argument(help="Show this one alone, in full.")] = None, *, as_json: AsJson = False
) -> None:
    """List the profiles and chains that ship: what they are, their knobs, and how close they are to their gear."""
    from profiler.presets import catalogue, preset_path

    screen, found = Screen(as_json), catalogue()
    if name is not None:
        preset_path(name)
        (preset,) = (each for each in (*found.presets, *found.chains) if each.name == name)
        _show_one(screen, preset, is_chain=preset in found.chains)
        return
    profiles = [(each, _profile(each)) for each in found.presets]
    screen.show(_profile_table(profiles))
    screen.say("")
    screen.show(_chain_table(found.chains))
    screen.say("Play one by its name: tonecast render NAME IN OUT")
    screen.result(
        {
            "presets": [_profile_json(preset, profile) for preset, profile in profiles],
            "chains": [_chain_json(preset) for preset in found.chains],
        }
    )


def _show_one(screen: Screen, preset: "Preset", *, is_chain: bool) -> None:
    """Show one preset in full: the knobs of a profile, or the slots of a chain."""
    from profiler.chain_file import read_chain
    from profiler.presets import preset_path

    screen.say(f"{preset.title}: {preset.about} Good for {', '.join(preset.good_for)}.")
    if is_chain:
        for part in read_chain(preset_path(preset.name)).parts():
            screen.say(f"  {part.id}: {_played(part)}")
        screen.result(_chain_json(preset))
        return
    profile = _profile(preset)
    screen.say(f"Learnt from {preset.made_from}, at {profile.sample_rate} Hz.")
    table = _table("knob", "range", "default")
    for knob in profile.knobs:
        table.add_row(*(Text(cell) for cell in (knob.id, knob_span(knob), knob.spelt(knob.default))))
    screen.show(table)
    for size, of in (("full", profile), ("light", profile.light)):
        if of and of.score and of.score.esr is not None:
            by_setting = f"by setting: median {of.score.esr_median:.4f}, worst {of.score.esr_worst:.4f}"
            screen.say(f"{size}: ESR {of.score.esr:.4f}; {by_setting}: {of.score.grade}")
    screen.result(_profile_json(preset, profile))


def _profile(preset: "Preset") -> "Profile":
    from profiler.presets import preset_path
    from profiler.profile_file import load

    return load(preset_path(preset.name)).profile


def _played(part: Any) -> str:
    """Return what a slot plays, in words."""
    from profiler.presets import named

    kind = getattr(part, "kind", "branch")
    level = f", {part.output_db:+g} dB" if part.output_db else ""
    settings = ", ".join(f"{knob} {value}" for knob, value in getattr(part, "settings", {}).items())
    words = [kind, named(part.ref) if getattr(part, "ref", "") else "", f"({settings})" if settings else ""]
    return " ".join(word for word in words if word) + level


def _table(*titles: str) -> Table:
    table = Table(box=None, pad_edge=False)
    for number, title in enumerate(titles):
        table.add_column(title, overflow="fold", no_wrap=number == 0)  # a name is there to be copied
    return table


def _profile_table(profiles: "list[tuple[Preset, Profile]]") -> Table:
    table = _table("preset", "what it is, and its knobs", "ESR", "grade")
    for preset, profile in profiles:
        score = profile.score
        figures = ("", "") if score is None or score.esr is None else (f"{score.esr:.4f}", str(score.grade))
        knobs = ", ".join(f"{knob.id} {knob_span(knob)}" for knob in profile.knobs)
        what = Text.assemble(f"{preset.title}. {preset.about}\n", (knobs, "dim"))
        table.add_row(Text(preset.name), what, *(Text(figure) for figure in figures))
    return table


def _chain_table(chains: "tuple[Preset, ...]") -> Table:
    table = _table("chain", "what it is", "good for")
    for chain in chains:
        cells = (chain.name, f"{chain.title}. {chain.about}", ", ".join(chain.good_for))
        table.add_row(*(Text(cell) for cell in cells))
    return table


def _profile_json(preset: "Preset", profile: "Profile") -> dict[str, Any]:
    from profiler.presets import preset_path

    path = preset_path(preset.name)
    return {
        **_told(preset),
        "made_from": preset.made_from,
        "file": str(path),
        "bytes": path.stat().st_size,
        "sample_rate": profile.sample_rate,
        "knobs": [plain(knob) for knob in profile.knobs],
        **_score_json(profile),
        **sizes_json(profile),
    }


def _score_json(of: "Profile | LightEffect") -> dict[str, Any]:
    names = ("esr", "esr_median", "esr_worst", "grade")
    return {name: of.score and getattr(of.score, name) for name in names}


def _chain_json(preset: "Preset") -> dict[str, Any]:
    from profiler.chain_file import read_chain
    from profiler.presets import preset_path

    path = preset_path(preset.name)
    return {**_told(preset), "file": str(path), "slots": [plain(slot) for slot in read_chain(path).slots]}


def _told(preset: "Preset") -> dict[str, Any]:
    return {"name": preset.name, "title": preset.title, "about": preset.about, "good_for": list(preset.good_for)}
