"""The first schema: batches, approvals, waves, jobs, account leases, bookings."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create the tables."""

    op.create_table(
        "account_leases",
        sa.Column("account", sa.Text(), nullable=False, comment="provider/account"),
        sa.Column("holder", sa.Text(), nullable=True, comment="host:pid of the process that submits"),
        sa.Column("expires_at", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("account"),
    )
    op.create_table(
        "batches",
        sa.Column("batch_id", sa.Text(), nullable=False),
        sa.Column("revision", sa.Text(), nullable=False, comment="the revision that is current"),
        sa.Column("parts", sa.Text(), nullable=False, comment="JSON: digest of each editable part of that revision"),
        sa.Column("version", sa.Integer(), nullable=False, comment="grows with every change of a job of the batch"),
        sa.Column("reserved_nano_usd", sa.BigInteger(), nullable=False, comment="upper bounds of bills still open"),
        sa.Column("spent_nano_usd", sa.BigInteger(), nullable=False, comment="booked, over all revisions"),
        sa.Column("created_at", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("batch_id"),
    )
    op.create_table(
        "approvals",
        sa.Column("approval_id", sa.Integer(), nullable=False),
        sa.Column("batch_id", sa.Text(), nullable=False),
        sa.Column("revision", sa.Text(), nullable=False),
        sa.Column("approved_by", sa.Text(), nullable=False),
        sa.Column("approved_at", sa.Text(), nullable=False),
        sa.Column(
            "max_nano_usd",
            sa.BigInteger(),
            nullable=False,
            comment="ceiling on the batch's spending in total",
        ),
        sa.ForeignKeyConstraint(
            ["batch_id"],
            ["batches.batch_id"],
        ),
        sa.PrimaryKeyConstraint("approval_id"),
    )
    op.create_index(op.f("ix_approvals_batch_id"), "approvals", ["batch_id"], unique=False)
    op.create_table(
        "jobs",
        sa.Column("job_id", sa.Text(), nullable=False),
        sa.Column("batch_id", sa.Text(), nullable=False),
        sa.Column("revision", sa.Text(), nullable=False),
        sa.Column("wave", sa.Integer(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("judge_id", sa.Text(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("phase", sa.Text(), nullable=True, comment="as the provider said last"),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("items", sa.Integer(), nullable=False),
        sa.Column("request_path", sa.Text(), nullable=False),
        sa.Column("items_path", sa.Text(), nullable=False),
        sa.Column("request_bytes", sa.BigInteger(), nullable=False),
        sa.Column("request_sha256", sa.Text(), nullable=False),
        sa.Column("bound_nano_usd", sa.BigInteger(), nullable=False, comment="no bill can be higher"),
        sa.Column("reserved_nano_usd", sa.BigInteger(), nullable=False),
        sa.Column("spent_nano_usd", sa.BigInteger(), nullable=True),
        sa.Column("price_source", sa.Text(), nullable=True),
        sa.Column("input_file_id", sa.Text(), nullable=True),
        sa.Column("provider_job_id", sa.Text(), nullable=True),
        sa.Column(
            "failure_code",
            sa.Text(),
            nullable=True,
            comment="the provider's code for a job that failed as a whole",
        ),
        sa.Column("looks", sa.Integer(), nullable=False, comment="searches for a job whose creation is uncertain"),
        sa.Column("output_path", sa.Text(), nullable=True),
        sa.Column("output_sha256", sa.Text(), nullable=True),
        sa.Column("error_path", sa.Text(), nullable=True),
        sa.Column("error_sha256", sa.Text(), nullable=True),
        sa.Column("planned_at", sa.Text(), nullable=False),
        sa.Column("reserved_at", sa.Text(), nullable=True),
        sa.Column("submitting_at", sa.Text(), nullable=True),
        sa.Column("submitted_at", sa.Text(), nullable=True),
        sa.Column("ended_at", sa.Text(), nullable=True),
        sa.Column("fetched_at", sa.Text(), nullable=True),
        sa.Column("reconciled_at", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["batch_id"],
            ["batches.batch_id"],
        ),
        sa.PrimaryKeyConstraint("job_id"),
    )
    op.create_index("jobs_in_a_state", "jobs", ["state"], unique=False)
    op.create_index("jobs_of_a_wave", "jobs", ["batch_id", "revision", "wave", "attempt"], unique=False)
    op.create_index("jobs_of_an_account", "jobs", ["account", "reserved_at"], unique=False)
    op.create_table(
        "waves",
        sa.Column("batch_id", sa.Text(), nullable=False),
        sa.Column("revision", sa.Text(), nullable=False),
        sa.Column("wave", sa.Integer(), nullable=False),
        sa.Column("decision", sa.Text(), nullable=False, comment="why this wave exists"),
        sa.Column("pairs", sa.Integer(), nullable=False),
        sa.Column("pairs_path", sa.Text(), nullable=False, comment="immutable Parquet file in the store"),
        sa.Column("decided_at", sa.Text(), nullable=False),
        sa.Column(
            "jobs_planned_at",
            sa.Text(),
            nullable=True,
            comment="set with the rows of its first jobs, in one transaction",
        ),
        sa.ForeignKeyConstraint(
            ["batch_id"],
            ["batches.batch_id"],
        ),
        sa.PrimaryKeyConstraint("batch_id", "revision", "wave"),
    )
    op.create_table(
        "bookings",
        sa.Column("booking_id", sa.Integer(), nullable=False),
        sa.Column("job_id", sa.Text(), nullable=False),
        sa.Column("batch_id", sa.Text(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False, comment="reserve | release | spend"),
        sa.Column("nano_usd", sa.BigInteger(), nullable=False),
        sa.Column("price_source", sa.Text(), nullable=True),
        sa.Column("booked_at", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["job_id"],
            ["jobs.job_id"],
        ),
        sa.PrimaryKeyConstraint("booking_id"),
    )
    op.create_index(op.f("ix_bookings_batch_id"), "bookings", ["batch_id"], unique=False)
    op.create_index(op.f("ix_bookings_job_id"), "bookings", ["job_id"], unique=False)
