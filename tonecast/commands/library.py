"""`tonecast login`, `push`, `pull`, `search` and `invite`: a library that a server holds."""

import platform
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from api.choices import GearKind, Licence, Role, Sort
from api.file_names import file_name
from profiler.errors import LibraryError
from tonecast.commands.listening import search_by_pair, search_by_sound
from tonecast.console import Screen, plain, text_table
from tonecast.options import AsJson

if TYPE_CHECKING:
    from api.client import LibraryClient
    from api.values import Entry

__all__ = ["invite", "login", "open_client", "pull", "push", "search"]

Server = Annotated[
    str | None,
    typer.Option(envvar="TONECAST_SERVER", metavar="URL", help="The server; the one logged in to, if it is one."),
]
Tags = Annotated[list[str] | None, typer.Option("--tag", help="A tag. Repeat for more.")]


def login(
    link: Annotated[str, typer.Argument(help="The one-time link that the server or an admin gave: URL/#SECRET.")],
    *,
    as_json: AsJson = False,
) -> None:
    """Turn a one-time link into a token, and keep it where only you can read it."""
    from api.client import LibraryClient
    from api.client_tokens import keep_token

    server, _, secret = link.partition("#")
    if not secret:
        raise LibraryError(f"{link!r} has no secret. Copy the whole link, with what stands behind the #.")
    server = server.rstrip("/")
    with LibraryClient(server) as client:
        made = client.claim(secret, (platform.node() or "a computer")[:100])
    path = keep_token(server, made.secret)
    screen = Screen(as_json)
    screen.say(f"You are {made.account} at {server}. The token is in {path}.")
    screen.result({"server": server, "account": made.account, "scopes": made.token.scopes, "file": str(path)})


def push(  # noqa: PLR0913 - options
    profile: Annotated[Path, typer.Argument(help="The profile file.")],
    *,
    server: Server = None,
    name: Annotated[str, typer.Option(help="What to call it; the file's own name unless told.")] = "",
    gear: Annotated[GearKind | None, typer.Option(help="What kind of gear it is.")] = None,
    make: Annotated[str, typer.Option(help="Who makes the gear.")] = "",
    model: Annotated[str, typer.Option(help="Which gear it is.")] = "",
    maker: Annotated[str, typer.Option(help="Who made the profile.")] = "",
    tags: Tags = None,
    about: Annotated[str, typer.Option(help="All else there is to say.")] = "",
    licence: Annotated[Licence, typer.Option(help="What others may do with it.")] = "all-rights-reserved",
    version_of: Annotated[
        str | None, typer.Option(metavar="NAME_OR_ID", help="The entry that this is a new version of.")
    ] = None,
    note: Annotated[str, typer.Option(help="What is new in this version.")] = "",
    as_json: AsJson = False,
) -> None:
    """Upload a profile to a library."""
    from api.values import Description

    told = Description(
        name=name,
        gear=gear,
        make=make,
        model=model,
        maker=maker,
        tags=tuple(tags or ()),
        about=about,
        licence=licence,
        note=note,
    )
    screen = Screen(as_json)
    with open_client(server) as client:
        entry_id = None if version_of is None else client.find(version_of).id
        pushed = client.push(profile, told, version_of=entry_id)
    entry, number = pushed.entry, pushed.entry.version.number
    if pushed.is_new:
        screen.say(f"{entry.name} is profile {entry.id} of the library, version {number}.")
    else:
        screen.say(f"The library has this very file already: profile {entry.id}, {entry.name}. Nothing was added.")
    screen.result({"id": entry.id, "name": entry.name, "is_new": pushed.is_new, "version": plain(entry.version)})


def pull(
    name_or_id: Annotated[str, typer.Argument(help="The name of an entry, or its number.")],
    *,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Where the file goes; NAME.tonecast here.")] = None,
    version: Annotated[int | None, typer.Option(min=1, help="An older version; the newest unless told.")] = None,
    server: Server = None,
    as_json: AsJson = False,
) -> None:
    """Download a profile from a library."""
    from profiler.profile_file import SUFFIX, check_suffix

    if out is not None:
        check_suffix(out)
    with open_client(server) as client:
        entry = client.find(name_or_id)
        wanted = entry.version
        if version is not None:
            numbers = {each.number: each for each in client.versions(entry.id)}
            if version not in numbers:
                raise LibraryError(f"{entry.name} has versions {', '.join(map(str, sorted(numbers)))}; not {version}.")
            wanted = numbers[version]
        path = out or Path(file_name(entry.name, otherwise="profile") + SUFFIX)
        client.pull(entry, path, version=wanted)
    screen = Screen(as_json)
    screen.say(f"{entry.name}, version {wanted.number}, is in {path}. Its licence: {entry.licence}.")
    screen.result({"file": str(path), "id": entry.id, "version": wanted.number, "sha256": wanted.sha256})


def search(  # noqa: PLR0913 - options
    words: Annotated[list[str] | None, typer.Argument(help="Words, or beginnings of words.")] = None,
    *,
    server: Server = None,
    tags: Tags = None,
    gear: Annotated[GearKind | None, typer.Option(help="What kind of gear.")] = None,
    make: Annotated[str | None, typer.Option(help="Whose gear.")] = None,
    licence: Annotated[Licence | None, typer.Option(help="With which licence.")] = None,
    max_esr: Annotated[float | None, typer.Option(min=0, help="The largest error.")] = None,
    favourites: Annotated[bool, typer.Option("--favourites", help="Only your favourites.")] = False,
    sort: Annotated[Sort, typer.Option(help="In which order.")] = "best-match",
    page: Annotated[int, typer.Option(min=1, help="Which page of 25.")] = 1,
    sound: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A recording of gear: find what sounds like it.")
    ] = None,
    dry: Annotated[Path | None, typer.Option(metavar="FILE", help="What went into the gear, with --wet.")] = None,
    wet: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="What came out: find what makes it of --dry, at which knobs."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Search a library by words and by what is known of its profiles, by a recording, or by a dry and its wet."""
    if sound is not None or dry is not None or wet is not None:
        given: dict[str, object] = {"WORDS": words, "--tag": tags, "--gear": gear, "--make": make, "--licence": licence}
        given |= {"--max-esr": max_esr, "--favourites": favourites}
        also = [name for name, value in given.items() if value]
        _search_by_recordings(server, Screen(as_json), sound, dry, wet, also)
        return
    filters = {"tags": tags, "gears": gear, "makes": make, "licence": licence, "max_esr": max_esr, "page": page}
    with open_client(server) as client:
        found = client.search(" ".join(words or ()), sort=sort, favourites=favourites or None, **filters)
    screen = Screen(as_json)
    titles = ("id", "profile", "gear", "knobs", "ESR", "downloads", "by")
    screen.show(text_table(titles, map(_cells, found.data), to_the_right=("id", "ESR", "downloads")))
    more = "" if found.total_is_exact else "more than "
    screen.say(f"Page {found.page} of {found.total_pages}; {more}{found.total} in all." if found.data else "Nothing.")
    screen.result(plain(found))


def _search_by_recordings(
    server: str | None, screen: Screen, sound: Path | None, dry: Path | None, wet: Path | None, also: list[str]
) -> None:
    if sound is None and (dry is None or wet is None):
        raise LibraryError("--dry and --wet go together: what went into the gear, and what came out. Name both.")
    if sound is not None and (dry or wet):
        raise LibraryError("--sound goes by one recording, --dry and --wet by two. Leave one or the other out.")
    if also:
        what = "--sound goes by the recording" if sound else "--dry and --wet go by the recordings"
        raise LibraryError(f"{what} alone; found {', '.join(also)} too. Leave one out.")
    with open_client(server) as client:
        if sound is not None:
            search_by_sound(screen, client, sound)
        elif dry is not None and wet is not None:
            search_by_pair(screen, client, dry, wet)


def invite(
    name: Annotated[str, typer.Argument(help="The name of the new account: small letters, digits, . _ -")],
    *,
    role: Annotated[Role, typer.Option(help="What it may do.")] = "member",
    server: Server = None,
    as_json: AsJson = False,
) -> None:
    """Make an account for somebody, and a one-time link for them. Takes an admin's token."""
    from api.people import NewAccount

    screen = Screen(as_json)
    with open_client(server) as client:
        made = client.add_account(NewAccount(name=name, role=role))
        link = f"{client.server}/#{made.secret}"
    screen.say(f"Within a day, once, {name} opens this in a browser, or types `tonecast login` and it:")
    screen.say(link)
    screen.result({"account": made.account.name, "role": made.account.role, "link": link})


def open_client(server: str | None) -> "LibraryClient":
    """Return a client of a server, or of the one that there is a token for. Raises LibraryError for neither."""
    from api.client import LibraryClient
    from api.client_tokens import only_server, token_for

    server = server or only_server()
    if server is None:
        raise LibraryError("Which library? Name it with --server URL or TONECAST_SERVER, or log in to one.")
    return LibraryClient(server, token_for(server))


def _cells(entry: "Entry") -> tuple[str, ...]:
    facts = entry.version.facts
    gear = " ".join(part for part in (entry.make, entry.model, entry.gear and f"({entry.gear})") if part)
    esr = "" if facts.esr is None else f"{facts.esr:.4f}"
    tags = f" [{', '.join(entry.tags)}]" if entry.tags else ""
    knobs = ", ".join(knob.id for knob in facts.knobs)
    return str(entry.id), entry.name + tags, gear, knobs, esr, f"{entry.downloads:,}", entry.owner
