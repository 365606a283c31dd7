"""Accounts, tokens and one-time secrets, on SQLite and PostgreSQL alike."""

import threading
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update

from api.people import AccountChanges, NewAccount, NewToken
from api.problem import Problem
from api.store import audit, people
from api.store.tables import invitations, tokens


def test_a_secret_works_once(library):
    """The first start's secret makes an admin's token, once; then there is no other."""
    secret = library.admin_secret()
    with library.database.writing() as connection:
        made = people.claim(connection, secret, "laptop")
    assert made.token.scopes == ("read", "write", "admin")
    with library.database.writing() as connection:
        opened = people.opened_by(connection, made.secret)
        assert (opened.name, opened.role) == ("admin", "admin")
        with pytest.raises(Problem, match="unknown, used or older"):
            people.claim(connection, secret, "again")
    assert library.admin_secret() is None


def test_a_secret_works_once_at_once(library):
    """Eight claims of one secret at the same moment make one token."""
    secret, made, refused = library.admin_secret(), [], []

    def claim() -> None:
        try:
            with library.database.writing() as connection:
                made.append(people.claim(connection, secret, "laptop"))
        except Problem as problem:
            refused.append(problem.status)

    threads = [threading.Thread(target=claim) for _ in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert len(made) == 1
    assert refused == [403] * 7


def test_another_start_makes_the_secret_before_worthless(library):
    """A link that nobody used is replaced, and expires after a day."""
    first, second = library.admin_secret(), library.admin_secret()
    with library.database.writing() as connection, pytest.raises(Problem):
        people.claim(connection, first, "x")
    with library.database.writing() as connection:
        connection.execute(update(invitations).values(expires_at=datetime.now(UTC) - timedelta(seconds=1)))
        with pytest.raises(Problem):
            people.claim(connection, second, "x")


def test_tokens_open_only_while_they_may(library, caller_of):
    """Expired, revoked, made-up tokens and those of disabled accounts open nothing."""
    ann = caller_of("ann").account_id
    with library.database.writing() as connection:
        one, two, three = (people.add_token(connection, ann, NewToken(name="t", days=1)) for _ in range(3))
        assert people.opened_by(connection, one.secret).account_id == ann
        people.revoke_token(connection, one.token.id)
        past = datetime.now(UTC) - timedelta(seconds=1)
        connection.execute(update(tokens).where(tokens.c.id == two.token.id).values(expires_at=past))
        assert people.opened_by(connection, one.secret) is None
        assert people.opened_by(connection, two.secret) is None
        assert people.opened_by(connection, "tct_" + "x" * 43) is None
        assert people.opened_by(connection, "\ud800\x00") is None
        people.change_account(connection, ann, AccountChanges(is_disabled=True))
        assert people.opened_by(connection, three.secret) is None


def test_secrets_are_not_kept(library):
    """No column of the tables of tokens and invitations holds a secret."""
    secret = library.admin_secret()
    with library.database.writing() as connection:
        made = people.claim(connection, secret, "laptop")
        rows = [*connection.execute(select(tokens)), *connection.execute(select(invitations))]
    kept = repr(rows)
    assert secret not in kept
    assert made.secret not in kept


def test_the_last_admin_stays(library, caller_of):
    """An admin is not made anything less while there is no other."""
    root = caller_of("root", admin=True).account_id
    for changes in (AccountChanges(role="reader"), AccountChanges(is_disabled=True)):
        with pytest.raises(Problem, match="Nobody could administer"), library.database.writing() as connection:
            people.change_account(connection, root, changes)
    with library.database.writing() as connection:
        people.add_account(connection, NewAccount(name="second", role="admin"))
        people.change_account(connection, root, AccountChanges(role="reader"))
    with pytest.raises(Problem, match="account 'second' already"), library.database.writing() as connection:
        people.add_account(connection, NewAccount(name="second"))


def test_what_is_done_is_noted(library, take_in, profile_file):
    """The audit log has it in the same transaction."""
    entry_id = take_in(profile_file()).entry_id
    with library.database.reading() as connection:
        (row,) = audit.audit_rows(connection, page=1, page_size=10)
    assert (row.account, row.action, row.subject) == ("ann", "profile.add", f"profile {entry_id}")
