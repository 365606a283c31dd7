"""What a server is told when it starts."""

from dataclasses import dataclass
from pathlib import Path

__all__ = ["ServiceSettings"]


@dataclass(frozen=True, kw_only=True)
class ServiceSettings:
    """How one server runs. Without URLs, rows and files live in the folder `data`, which is made if need be.

    `database` is a SQLAlchemy URL, `storage` one that fsspec knows. `quota_bytes` is what each account may keep unless
    the account says otherwise. One that `hears` listens to profiles as they come, for the search by sound.
    `workers` is how many processes the server starts that carry out jobs.
    """

    data: Path
    database: str | None = None
    storage: str | None = None
    host: str = "127.0.0.1"
    port: int = 8000
    anonymous_read: bool = False
    upload_limit_bytes: int = 88 << 20  # what the largest profile has
    material_limit_bytes: int = 2 << 30  # for jobs: sessions and recordings
    unfinished_jobs: int = 20  # of each account
    workers: int = 0
    quota_bytes: int = 10 << 30
    requests_a_minute: int = 600
    inspection_seconds: float = 20.0
    audition_seconds: float = 20.0
    track_limit_bytes: int = 32 << 20
    idle_seconds: float = 30.0
    hears: bool = True

    @property
    def database_url(self) -> str:
        """The URL of the database: SQLite in the folder unless told otherwise."""
        return self.database or f"sqlite:///{self.data.resolve() / 'library.db'}"

    @property
    def storage_url(self) -> str:
        """Where profile files are kept: in the folder unless told otherwise."""
        return self.storage or str(self.data.resolve() / "files")

    @property
    def scratch(self) -> Path:
        """Where uploads wait until they are known to be profiles."""
        return self.data / "scratch"

    @property
    def tracks_folder(self) -> Path:
        """Where people's own dry tracks are."""
        return self.data / "tracks"

    @property
    def jobs_url(self) -> str:
        """The URL of the database with the queue of jobs: a file in the folder, or the PostgreSQL database itself."""
        own = self.database is None or self.database.startswith("sqlite")
        return f"sqlite:///{self.jobs_folder / 'queue.db'}" if own else self.database_url

    @property
    def jobs_folder(self) -> Path:
        """Where jobs are worked on, in a folder each."""
        return self.data.resolve() / "jobs"
