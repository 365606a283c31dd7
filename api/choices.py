"""What may be chosen from in a library. It loads nothing: the command line's options are made of it at every start."""

from typing import Literal, TypeAlias

__all__ = ["GearKind", "Licence", "Role", "Sort"]

GearKind: TypeAlias = Literal["amp", "amp-cab", "pedal", "outboard", "cab", "space", "experimental"]
"""The kinds of gear that TONE3000 tells apart."""

Licence: TypeAlias = Literal[
    "all-rights-reserved",
    "cc0",
    "cc-by",
    "cc-by-sa",
    "cc-by-nc",
    "cc-by-nc-sa",
    "cc-by-nd",
    "cc-by-nc-nd",
    "gpl-3.0-or-later",
    "t3k",
]

Role: TypeAlias = Literal["admin", "member", "reader"]

Sort: TypeAlias = Literal["best-match", "newest", "oldest", "updated", "name", "score", "downloads"]
