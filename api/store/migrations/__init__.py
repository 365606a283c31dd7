"""Alembic's folder: how the tables came to be what they are. `upgrade` runs at every start."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util.exc import CommandError

from api.store.database import Connection, Database
from profiler.errors import LibraryError

__all__ = ["newest_revision", "upgrade", "upgrade_tables"]


def upgrade(database: Database) -> None:
    """Bring the tables up to date, in one transaction. Raises LibraryError for those of a newer Tonecast."""
    with database.writing() as connection:
        database.lock_name(connection, "migrations")  # of two servers that start at once, one waits
        upgrade_tables(connection)


def upgrade_tables(connection: Connection, revision: str = "head") -> None:
    """Bring the tables of a transaction to a revision. Raises LibraryError for those of a newer Tonecast."""
    config = _config()
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, revision)
    except CommandError as error:
        raise LibraryError(
            f"The library's database was made by a newer Tonecast ({error}). Update Tonecast to open it."
        ) from error


def newest_revision() -> str:
    """Return the name of the newest migration."""
    return str(ScriptDirectory.from_config(_config()).get_current_head())


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config
