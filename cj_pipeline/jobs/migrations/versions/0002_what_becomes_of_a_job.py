"""What becomes of a job: when it may go, what it read and wrote, at what price; account holds and erasures."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_JOB_COLUMNS = (
    sa.Column("base_url", sa.Text(), nullable=False, server_default="", comment="where the provider is reached"),
    sa.Column(
        "estimated_tokens", sa.BigInteger(), nullable=False, server_default="0", comment="prompt tokens it queues"
    ),
    sa.Column("cacheable_tokens", sa.BigInteger(), nullable=True, comment="prompt tokens shared with the line before"),
    sa.Column("not_before", sa.Text(), nullable=True, comment="not submitted earlier: the provider asked for a pause"),
    sa.Column("missing_since", sa.Text(), nullable=True, comment="the provider's list does not show it since then"),
    sa.Column("price", sa.Text(), nullable=True, comment="JSON: the price it was booked with"),
    sa.Column("input_tokens", sa.BigInteger(), nullable=True),
    sa.Column("cached_tokens", sa.BigInteger(), nullable=True),
    sa.Column("cache_write_tokens", sa.BigInteger(), nullable=True),
    sa.Column("output_tokens", sa.BigInteger(), nullable=True),
    sa.Column(
        "unanswered", sa.Integer(), nullable=True, comment="items without a verdict; null until it is reconciled"
    ),
    sa.Column("erased_at", sa.Text(), nullable=True, comment="nothing of it is left at the provider"),
)


def upgrade() -> None:
    """Add the columns and the two tables."""
    for column in _JOB_COLUMNS:
        op.add_column("jobs", column)
    op.create_table(
        "account_holds",
        sa.Column("hold_id", sa.Integer(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False, comment="provider/account"),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("since", sa.Text(), nullable=False),
        sa.Column("lifted_at", sa.Text(), nullable=True),
        sa.Column("lifted_by", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("hold_id"),
    )
    op.create_index("ix_account_holds_account", "account_holds", ["account"])
    op.create_table(
        "erasures",
        sa.Column("erasure_id", sa.Integer(), nullable=False),
        sa.Column("batch_id", sa.Text(), nullable=False),
        sa.Column("job_id", sa.Text(), nullable=True),
        sa.Column("what", sa.Text(), nullable=False, comment="the kind of copy: input, output, error, essay, ..."),
        sa.Column("name", sa.Text(), nullable=False, comment="the provider's name, a path in the store, or a SHA-256"),
        sa.Column("how", sa.Text(), nullable=False, comment="deleted | was gone | redacted"),
        sa.Column("why", sa.Text(), nullable=False, comment="reconciled | retention | asked for"),
        sa.Column("erased_by", sa.Text(), nullable=False),
        sa.Column("erased_at", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("erasure_id"),
    )
    op.create_index("ix_erasures_batch_id", "erasures", ["batch_id"])
