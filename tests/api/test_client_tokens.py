"""The tokens that a user has: kept where nobody else reads them."""

import pytest

from api.client import LibraryClient
from api.client_tokens import keep_token, only_server, token_for
from profiler.errors import LibraryError


@pytest.fixture(autouse=True)
def path(tmp_path, monkeypatch):
    """Where tokens are kept in these tests."""
    path = tmp_path / "deep" / "tokens.json"
    monkeypatch.setenv("TONECAST_CONFIG", str(path))
    monkeypatch.delenv("TONECAST_TOKEN", raising=False)
    return path


def test_tokens_are_kept_by_server(path, monkeypatch):
    """One each, in a file of mode 600; the environment goes before it."""
    assert token_for("http://a") is None
    assert only_server() is None
    keep_token("http://a/", "one")
    assert only_server() == "http://a"
    keep_token("http://b", "two")
    assert path.stat().st_mode & 0o777 == 0o600
    assert (token_for("HTTP://A"), token_for("http://b"), only_server()) == ("one", "two", None)
    monkeypatch.setenv("TONECAST_TOKEN", "three")
    assert token_for("http://a") == "three"


@pytest.mark.parametrize(
    ("content", "mode", "words"),
    [("{}", 0o644, "chmod 600"), ("[", 0o600, "log in again"), ("[]", 0o600, "an object of tokens")],
)
def test_a_file_that_is_not_right_is_told(path, content, mode, words):
    """One that others can read, and one that holds something else."""
    path.parent.mkdir()
    path.write_text(content)
    path.chmod(mode)
    with pytest.raises(LibraryError, match=words):
        token_for("http://a")


@pytest.mark.parametrize(
    ("server", "words"),
    [
        ("http://127.0.0.1:1", "cannot be reached"),
        ("nonsense", "cannot be reached"),
        ("http://[", "is no server|cannot be reached"),
        ("ftp://127.0.0.1", "cannot be reached"),
    ],
)
def test_a_server_that_is_not_there_is_told(server, words):
    """One clear error, whatever was typed."""
    with pytest.raises(LibraryError, match=words), LibraryClient(server) as client:
        client.search("x")


def test_somebody_else_who_answers_is_told(served):
    """A page that is not a library's is not believed."""
    with LibraryClient(f"{served.url}/health", served.tokens["member"]) as client, pytest.raises(LibraryError):
        client.search("x")
