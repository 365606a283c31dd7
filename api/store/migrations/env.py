"""What Alembic runs: the migrations, on the connection that it is handed."""

from alembic import context

from api.store.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,  # SQLite changes tables by making them anew
    transaction_per_migration=False,
)
context.run_migrations()
