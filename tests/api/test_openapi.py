"""The OpenAPI page: Schemathesis asks all that it says may be asked, and more that it says may not."""

import contextlib
import io
import re
import zipfile

import httpx
import numpy as np
import pytest
import schemathesis
import soundfile
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from sqlalchemy import update

from api.store.tables import accounts, tokens

_EXAMPLES = 6
_TAKEN = {200, 201, 404, 409}  # no such profile; nobody has listened to any here, and there is no GPU
_PATIENCE_SECONDS = 120  # the first sound waits for a process that loads torch


@pytest.fixture
def admin(served):
    """A function that returns an admin's headers, whatever was revoked or disabled before."""

    def headers() -> dict[str, str]:
        with served.library.database.writing() as connection:
            admins = update(accounts).where(accounts.c.name == "admin")
            connection.execute(admins.values(disabled_at=None, role="admin", quota_bytes=None))
            connection.execute(update(tokens).values(revoked_at=None))
        return {"Authorization": f"Bearer {served.tokens['admin']}"}

    return headers


@pytest.fixture
def made_real(profile_file):
    """A function that gives a request the file or the profile that no page can name; returns whether it needs one."""
    sound, session = io.BytesIO(), io.BytesIO()
    soundfile.write(sound, np.random.default_rng(1).normal(0, 0.1, 48_000), 48_000, format="WAV")
    with zipfile.ZipFile(session, "w") as archive:
        archive.writestr("takes.csv", "dry,wet\n")
    recording = sound.getvalue()
    slots = '{"slots": [{"id": "fuzz", "kind": "profile", "ref": "library:1"}]}'
    told = {
        "/profiles": (None, {}),
        "/versions": (None, {}),
        "/tracks": (recording, {"start": None, "original_of": None}),
        "/search/sound": (recording, {}),
        "/train": (session.getvalue(), {"hold_out": None, "steps": None, "version_of": None}),
        "/render": (recording, {"profile_id": 1, "version": None, "set": None}),
        "/chain": (recording, {"chain": slots, "set": None, "response_bytes": None}),
        "/match": (2 * recording, {"dry_bytes": len(recording)}),
    }

    def made(case) -> bool:
        if case.path.endswith("/export"):
            case.body = {**case.body, "profile_id": 1, "settings": {}}
            case.body.pop("version", None)
            return True
        if case.method == "GET":
            (case.query or {}).pop("set", None)
            return False
        kind = next((each for each in told if case.path.endswith(each) and case.method == "POST"), None)
        if kind is None:
            return False
        body, query = told[kind]
        case.body = profile_file().read_bytes() if body is None else body
        case.query = {name: value for name, value in {**case.query, **query}.items() if value is not None}
        if kind == "/versions":
            case.path_parameters["entry_id"] = 1
        return True

    return made


@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value)
def test_the_page_keeps_its_word(served, admin, made_real, mode, subtests):
    """Every reply is one that the page tells of, in its form; nothing crashes. What the page forbids is refused, and
    what it allows is taken.
    """
    page = schemathesis.openapi.from_url(f"{served.url}/openapi.json")
    operations = [result.ok() for result in page.get_all_operations()]
    assert len(operations) > 25
    for operation in operations:
        with subtests.test(operation.label), contextlib.suppress(Unsatisfiable):  # nothing about /health can be wrong
            _asked(operation.as_strategy(generation_mode=mode), served, admin, made_real if mode.is_positive else None)


def _asked(cases, served, admin, made_real) -> None:
    statuses = set()

    @settings(
        max_examples=_EXAMPLES,
        deadline=None,
        database=None,
        derandomize=True,
        phases=(Phase.explicit, Phase.generate),
        suppress_health_check=list(HealthCheck),
    )
    @given(case=cases)
    def asked(case) -> None:
        is_real = made_real is not None and made_real(case)
        reply = case.call_and_validate(headers=admin(), timeout=_PATIENCE_SECONDS)
        if is_real:
            assert reply.status_code in _TAKEN, reply.text
            statuses.add(reply.status_code)
        if "/jobs/" in case.path and reply.status_code == 201:  # an account has so many that have not ended
            httpx.post(f"{served.url}/api/v1/jobs/{reply.json()['id']}/cancel", headers=admin()).raise_for_status()

    asked()
    assert not statuses or statuses & _TAKEN - {404}


def test_the_page_has_examples(served):
    """Whoever reads it sees what bodies look like, and every operation tells its problems."""
    page = httpx.get(f"{served.url}/openapi.json").json()
    for path, operations in page["paths"].items():
        for method, operation in operations.items():
            assert {"4XX", "5XX"} <= operation["responses"].keys(), (method, path)
            body = operation.get("requestBody", {}).get("content", {}).get("application/json")
            if body:
                shape = page["components"]["schemas"][body["schema"]["$ref"].rsplit("/", 1)[-1]]
                assert shape["examples"], (method, path)


def test_no_misspelt_name_is_passed_over(served, admin):
    """Whatever operation of the API it is, what its URL may not say is told by name, and nothing is done."""
    page = httpx.get(f"{served.url}/openapi.json").json()
    asked = 0
    with httpx.Client(base_url=served.url, headers=admin()) as http:
        for path, operations in page["paths"].items():
            for method, operation in operations.items() if path.startswith("/api/v1/") else ():
                said = {each["name"]: 1 for each in operation.get("parameters", ()) if each["in"] == "query"}
                where = re.sub(r"\{\w+\}", "0123456789abcdef" if "/jobs/" in path else "1", path)
                reply = http.request(method, where, params={**said, "nonsense": 1, "page_sizes": 2})
                assert reply.status_code == 422, (method, path, reply.text)
                places = {each["place"] for each in reply.json()["errors"]}
                assert places == {"query.nonsense", "query.page_sizes"}, (method, path)
                asked += 1
        assert asked > 40
        for path in ("/api/v1/jobs?state=queued&page_size=2", "/api/v1/tags/proposals?most=3", "/api/v1/me"):
            assert http.get(path).status_code == 200, path
