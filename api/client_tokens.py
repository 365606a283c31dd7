"""The tokens that this user has for servers: from TONECAST_TOKEN, or a file that nobody else can read."""

import json
import os
import stat
from collections.abc import Mapping
from pathlib import Path

from profiler.errors import LibraryError
from profiler.storage import replacing

__all__ = ["keep_token", "only_server", "token_for", "tokens_path"]

_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_LARGEST_BYTES = 1 << 20


def tokens_path() -> Path:
    """Return where tokens are kept: TONECAST_CONFIG, or the user's folder for settings."""
    if told := os.environ.get("TONECAST_CONFIG"):
        return Path(told)
    folder = os.environ.get("XDG_CONFIG_HOME") or (os.environ.get("APPDATA") if os.name == "nt" else None)
    return (Path(folder) if folder else Path.home() / ".config") / "tonecast" / "tokens.json"


def token_for(server: str) -> str | None:
    """Return the token for a server, None where there is none. Raises LibraryError for a file that others can read."""
    if told := os.environ.get("TONECAST_TOKEN"):
        return told
    return _kept().get(_key(server))


def only_server() -> str | None:
    """Return the server that there is a token for, if it is one."""
    servers = list(_kept())
    return servers[0] if len(servers) == 1 else None


def keep_token(server: str, token: str) -> Path:
    """Keep a token, readable by this user alone, and return the file."""
    path = tokens_path()
    kept = {**_kept(), _key(server): token}
    with replacing(path, mode=stat.S_IRUSR | stat.S_IWUSR) as scratch:
        scratch.write_text(json.dumps(kept, indent=1) + "\n")
    return path


def _kept() -> Mapping[str, str]:
    path = tokens_path()
    try:
        found = path.stat()
    except OSError:
        return {}
    if os.name == "posix" and found.st_mode & _OTHERS:
        raise LibraryError(f"{path} holds tokens, and others can read it. Run: chmod 600 {path}")
    try:
        if found.st_size > _LARGEST_BYTES:
            raise ValueError("it is too large")
        kept = json.loads(path.read_text())
        if not isinstance(kept, dict) or not all(isinstance(each, str) for each in kept.values()):
            raise ValueError("it is not an object of tokens by server")
    except (OSError, ValueError) as error:
        raise LibraryError(f"{path} is not a file of tokens: {error}. Remove it and log in again.") from error
    return kept


def _key(server: str) -> str:
    return server.rstrip("/").lower()
