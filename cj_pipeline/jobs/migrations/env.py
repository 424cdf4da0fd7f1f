"""Alembic's entry point: the connection is handed over by `cj_pipeline.jobs.ledger`, inside its transaction."""

from alembic import context

from cj_pipeline.jobs.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transactional_ddl=False,  # the caller's transaction covers the whole upgrade
)
context.run_migrations()
