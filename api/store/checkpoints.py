"""Which file in the storage has the checkpoint of a job, for whoever goes on with it."""

from sqlalchemy import Connection, select, update

from api.store.tables import jobs

__all__ = ["checkpoint_of", "keep_checkpoint"]


def checkpoint_of(connection: Connection, job_id: str) -> tuple[str, int] | None:
    """Return hash and length of a job's checkpoint, None where there is none."""
    query = select(jobs.c.checkpoint_sha256, jobs.c.checkpoint_bytes).where(jobs.c.id == job_id)
    row = connection.execute(query).one_or_none()
    return None if row is None or row.checkpoint_sha256 is None else (row.checkpoint_sha256, int(row.checkpoint_bytes))


def keep_checkpoint(connection: Connection, job_id: str, claim: str, sha256: str, size: int) -> bool:
    """Note a job's newest checkpoint; false where the job is not the claim's any more."""
    under = (jobs.c.id == job_id, jobs.c.claim == claim, jobs.c.state == "running")
    kept = update(jobs).where(*under).values(checkpoint_sha256=sha256, checkpoint_bytes=size)
    return connection.execute(kept).rowcount > 0
