"""Alembic's environment: runs within the transaction that db/migrate.py opens."""

from alembic import context

from db.tables import STORE, metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table_schema=STORE,
    include_schemas=True,
)
with context.begin_transaction():
    context.run_migrations()
