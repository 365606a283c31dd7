"""The OpenAPI page: Schemathesis asks all that it says may be asked, and more that it says may not."""

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from sqlalchemy import update

from api.store.tables import accounts, tokens

schema = schemathesis.pytest.from_fixture("page")


@pytest.fixture(scope="module")
def page(served):
    """The page of a server with the presets in it."""
    return schemathesis.openapi.from_url(f"{served.url}/openapi.json")


@pytest.fixture
def admin(served):
    """A function that returns an admin's headers, whatever was revoked or disabled before."""

    def headers() -> dict[str, str]:
        with served.library.database.writing() as connection:
            connection.execute(update(accounts).where(accounts.c.name == "admin").values(disabled_at=None, role="admin"))
            connection.execute(update(tokens).values(revoked_at=None))
        return {"Authorization": f"Bearer {served.tokens['admin']}"}

    return headers


@schema.parametrize()
@settings(
    max_examples=4,
    deadline=None,
    database=None,
    derandomize=True,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=list(HealthCheck),
)
def test_the_page_keeps_its_word(case, admin):
    """Every reply is one that the page tells of, in its form; what the page forbids is refused; nothing crashes."""
    case.call_and_validate(headers=admin())


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
