"""The rows of workers: that each is alive, by a number that it counts up, and what it takes.

No clock is compared with another machine's: who watches sees whether the number still grows.
"""

from collections.abc import Mapping

from sqlalchemy import Connection, delete, insert, select, update

from api.store.tables import workers

__all__ = ["beat", "beats", "forget_worker", "queues_served"]


def beat(connection: Connection, worker_id: str, queues: str) -> None:
    """Say that a worker is alive, and which queues it takes from."""
    known = update(workers).where(workers.c.id == worker_id).values(queues=queues, beat=workers.c.beat + 1)
    if not connection.execute(known).rowcount:
        connection.execute(insert(workers).values(id=worker_id, queues=queues, beat=1))


def beats(connection: Connection) -> Mapping[str, int]:
    """Return how far each worker has counted."""
    return {row.id: row.beat for row in connection.execute(select(workers))}


def queues_served(connection: Connection) -> frozenset[str]:
    """Return the queues that workers take from."""
    rows = connection.execute(select(workers.c.queues)).scalars()
    return frozenset(queue for queues in rows for queue in queues.split())


def forget_worker(connection: Connection, worker_id: str) -> None:
    """Forget a worker that has ended."""
    connection.execute(delete(workers).where(workers.c.id == worker_id))
