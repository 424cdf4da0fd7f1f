"""Synchronous calls: how a job travels, and every call of it, written ahead."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add two columns and a table; every job there is travelled as a batch."""
    op.add_column(
        "jobs", sa.Column("transport", sa.Text(), nullable=False, server_default="batch", comment="batch | calls")
    )
    op.add_column(
        "jobs",
        sa.Column(
            "slots", sa.Integer(), nullable=True, comment="calls that may be on their way at once; null for a batch job"
        ),
    )
    op.create_table(
        "calls",
        sa.Column("job_id", sa.Text(), nullable=False),
        sa.Column("custom_id", sa.Text(), nullable=False),
        sa.Column(
            "state",
            sa.Text(),
            nullable=False,
            comment="asked | turned_away | answered | uncertain | expired | cancelled",
        ),
        sa.Column(
            "times_asked", sa.Integer(), nullable=False, comment="how often it left; all but the last were turned away"
        ),
        sa.Column(
            "bound_nano_usd",
            sa.BigInteger(),
            nullable=False,
            comment="what it counts with while its bill is not known",
        ),
        sa.Column(
            "asked_at", sa.Text(), nullable=True, comment="committed before the call left; null for one that never did"
        ),
        sa.Column("ended_at", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.job_id"]),
        sa.PrimaryKeyConstraint("job_id", "custom_id"),
    )
