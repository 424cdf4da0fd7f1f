"""Waves that follow one another: the mode and kind of each, and what was decided after it."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Add the columns and the table."""
    op.add_column(
        "waves",
        sa.Column(
            "mode",
            sa.Text(),
            nullable=False,
            server_default="provider_batch_api",
            comment="the batch's effective mode",
        ),
    )
    op.add_column(
        "waves",
        sa.Column("kind", sa.Text(), nullable=False, server_default="coverage", comment="coverage | resampling"),
    )
    op.create_table(
        "decisions",
        sa.Column("batch_id", sa.Text(), sa.ForeignKey("batches.batch_id"), nullable=False),
        sa.Column("revision", sa.Text(), nullable=False),
        sa.Column("wave", sa.Integer(), nullable=False, comment="the wave after whose scores it was taken"),
        sa.Column(
            "decision",
            sa.Text(),
            nullable=False,
            comment="finalize_scoring | finalize_failure | request_more_comparisons",
        ),
        sa.Column("label", sa.Text(), nullable=True, comment="how the batch ended; null while it goes on"),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column(
            "processing_metadata", sa.Text(), nullable=False, comment="JSON: what it stood on, see docs/waves.md"
        ),
        sa.Column("decided_at", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("batch_id", "revision", "wave"),
    )
