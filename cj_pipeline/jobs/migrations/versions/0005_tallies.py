"""What the answers of a job were, counted once when they were read."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Add the table; jobs that were read before have no rows in it."""
    op.create_table(
        "tallies",
        sa.Column("job_id", sa.Text(), sa.ForeignKey("jobs.job_id"), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False, comment="failure | cache | winner"),
        sa.Column("name", sa.Text(), nullable=False, comment="an error code; hit | miss | bypass; a seat or tie"),
        sa.Column("items", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("job_id", "kind", "name"),
    )
