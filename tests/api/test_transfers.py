"""Many uploads and downloads at once: none fails, and each is the file that was meant."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from profiler.storage import sha256_of

_AT_ONCE = 24


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_none_fails_and_none_is_mixed_up(serving, new_settings, profile_file, tmp_path, kind):
    """Each client has a file of its own; afterwards half of them upload anew while the others download."""
    settings = replace(new_settings(kind, tmp_path / "library"), requests_a_minute=1_000_000)
    with serving(settings) as served, ThreadPoolExecutor(_AT_ONCE) as pool:

        def pushed(path):
            with served.client() as client:
                return client.push(path).entry

        def pulled(entry):
            path = tmp_path / f"{entry.id}-{entry.version.sha256[:8]}.tonecast"
            with served.client("reader") as client:
                client.pull(entry, path)
            return sha256_of(path)

        paths = [profile_file(stored=True) for _ in range(_AT_ONCE)]
        entries = list(pool.map(pushed, paths))
        assert [each.version.sha256 for each in entries] == [sha256_of(path) for path in paths]
        assert len({each.id for each in entries}) == _AT_ONCE
        assert list(pool.map(pulled, entries)) == [each.version.sha256 for each in entries]

        more = [profile_file(stored=True) for _ in range(_AT_ONCE // 2)]
        ups = [pool.submit(pushed, path) for path in more]
        downs = [pool.submit(pulled, entry) for entry in entries[: _AT_ONCE // 2]]
        assert [each.result().version.sha256 for each in ups] == [sha256_of(path) for path in more]
        assert [each.result() for each in downs] == [each.version.sha256 for each in entries[: _AT_ONCE // 2]]
        assert list(settings.scratch.iterdir()) == []
