"""The OpenAPI page: Schemathesis asks all that it says may be asked, and more that it says may not."""

import contextlib
import re

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import positive_data_acceptance
from sqlalchemy import update

from api.store.tables import accounts, tokens

_EXAMPLES = 6
_PATIENCE_SECONDS = 120  # the first sound waits for a process that loads torch


@pytest.fixture
def admin(served):
    """A function that returns an admin's headers, whatever was revoked or disabled before."""

    def headers() -> dict[str, str]:
        with served.library.database.writing() as connection:
            admins = update(accounts).where(accounts.c.name == "admin")
            connection.execute(admins.values(disabled_at=None, role="admin"))
            connection.execute(update(tokens).values(revoked_at=None))
        return {"Authorization": f"Bearer {served.tokens['admin']}"}

    return headers


@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value)
def test_the_page_keeps_its_word(served, admin, mode, subtests):
    """Every reply is one that the page tells of, in its form; what the page forbids is refused; nothing crashes."""
    page = schemathesis.openapi.from_url(f"{served.url}/openapi.json")
    operations = [result.ok() for result in page.get_all_operations()]
    assert len(operations) > 25
    for operation in operations:
        with subtests.test(operation.label), contextlib.suppress(Unsatisfiable):  # nothing about /health can be wrong
            _asked(operation.as_strategy(generation_mode=mode), admin)


def _asked(cases, admin) -> None:
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
        # A page cannot say which bytes are a profile or a recording, nor which knobs a profile has: others are refused.
        is_upload = case.method == "POST" and case.path.endswith(
            ("/profiles", "/versions", "/tracks", "/train", "/render", "/chain", "/match")
        )
        is_free = is_upload or case.path.endswith(("/sound", "/export"))
        excluded = [positive_data_acceptance] if is_free else []
        case.call_and_validate(headers=admin(), timeout=_PATIENCE_SECONDS, excluded_checks=excluded)

    asked()


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
