"""Names of files, from what people call what is in them."""

__all__ = ["file_name"]


def file_name(title: str, *, otherwise: str, longest: int = 80, ascii_only: bool = False) -> str:
    """Return a name that is safe on any disk, without a suffix; `otherwise` where nothing is left of the title.

    `ascii_only` makes it safe in a header too.
    """
    kept = "".join(letter if _is_kept(letter, ascii_only=ascii_only) else "-" for letter in title)
    return kept.strip(" -")[:longest] or otherwise


def _is_kept(letter: str, *, ascii_only: bool) -> bool:
    return letter in " -_" or (letter.isalnum() and (letter.isascii() or not ascii_only))
