"""What `tonecast search` does with recordings: a sound alone, or a dry and the wet that was made of it."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from tonecast.commands.watching import watched
from tonecast.console import Screen, plain, text_table

if TYPE_CHECKING:
    from api.client import LibraryClient
    from api.values import Entry

__all__ = ["search_by_pair", "search_by_sound"]

_HARDLY = 0.2
"""A knob that can be turned by more of its way before that is heard is told with a question mark."""


def search_by_sound(screen: Screen, client: "LibraryClient", recording: Path) -> None:
    """Show the profiles that sound most like a recording."""
    found = client.search_by_sound(recording)
    rows = (
        (str(match.entry.id), match.entry.name, _at(match.entry, match.settings), f"{match.distance:.2f}")
        for match in found.data
    )
    _show(screen, ("id", "profile", "at", "distance"), rows)
    screen.say(f"Of {found.heard} profiles." if found.data else "The library has listened to no profile yet.")
    if found.unheard:
        screen.say(f"{found.unheard} more have not been listened to yet. Ask again in a while.")
    screen.result(plain(found))


def search_by_pair(screen: Screen, client: "LibraryClient", dry: Path, wet: Path) -> None:
    """Have a library fit the knobs of profiles to a dry and its wet, and show those that come nearest."""
    screen.say(f"Sending {dry} and {wet} to {client.server}")
    job = watched(screen, client, client.match(dry, wet, {"name": wet.stem[:120]}))
    found = client.matches(job.id)
    rows = []
    for match in found.data:
        unsure = {id_ for id_, give in match.give.items() if give > _HARDLY}
        at = _at(client.entry(match.profile_id), match.settings, unsure)
        rows.append((str(match.profile_id), match.name, at, f"{match.esr:.2g}", f"{match.gain_db:+.1f}"))
    _show(screen, ("id", "profile", "at", "ESR", "louder, dB"), rows)
    screen.say(f"The nearest of {found.compared} that sound alike. A ? says that a knob is hardly heard there.")
    screen.result({"job": job.id, **plain(found)})


def _at(entry: "Entry", settings: Mapping[str, float | str], unsure: Iterable[str] = ()) -> str:
    knobs = {knob.id: knob for knob in entry.version.facts.knobs}
    spelt = {id_: knobs[id_].spelt(value) if id_ in knobs else str(value) for id_, value in settings.items()}
    return ", ".join(f"{id_} {text}{' ?' if id_ in unsure else ''}" for id_, text in spelt.items())


def _show(screen: Screen, titles: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> None:
    figures = [title for title in titles if title not in ("profile", "at")]
    screen.show(text_table(titles, rows, to_the_right=figures))
