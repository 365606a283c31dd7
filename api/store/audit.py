"""What was done, by whom: written in the transaction that does it, so that neither is there without the other."""

from datetime import UTC, datetime

from sqlalchemy import Connection, insert, select

from api.people import AuditRow, Caller
from api.store.tables import audit

__all__ = ["audit_rows", "note"]

_LETTERS = 200


def note(connection: Connection, caller: Caller, action: str, subject: str, **detail: object) -> None:
    """Note that somebody did something: `profile.add` to `profile 7`."""
    row = {
        "at": datetime.now(UTC),
        "account": caller.name,
        "action": action,
        "subject": subject,
        "detail": {name: str(value)[:_LETTERS] for name, value in detail.items() if value is not None},
        "request_id": caller.request_id,
        "address": caller.address,
    }
    connection.execute(insert(audit).values(row))


def audit_rows(connection: Connection, *, page: int, page_size: int) -> tuple[AuditRow, ...]:
    """Return a page of what was done, latest first."""
    query = select(audit).order_by(audit.c.id.desc()).limit(page_size).offset((page - 1) * page_size)
    return tuple(AuditRow(**row._asdict()) for row in connection.execute(query))
