"""The ledger's tables. Money is integer nano-USD, time is UTC as text in ISO 8601, so both databases agree."""

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, MetaData, Table, Text

metadata = MetaData()

batches = Table(
    "batches",
    metadata,
    Column("batch_id", Text, primary_key=True),
    Column("revision", Text, nullable=False, comment="the revision that is current"),
    Column("parts", Text, nullable=False, comment="JSON: digest of each editable part of that revision"),
    Column("version", Integer, nullable=False, comment="grows with every change of a job of the batch"),
    Column("reserved_nano_usd", BigInteger, nullable=False, comment="upper bounds of bills still open"),
    Column("spent_nano_usd", BigInteger, nullable=False, comment="booked, over all revisions"),
    Column("created_at", Text, nullable=False),
)

approvals = Table(
    "approvals",
    metadata,
    Column("approval_id", Integer, primary_key=True),
    Column("batch_id", Text, ForeignKey("batches.batch_id"), nullable=False, index=True),
    Column("revision", Text, nullable=False),
    Column("approved_by", Text, nullable=False),
    Column("approved_at", Text, nullable=False),
    Column("max_nano_usd", BigInteger, nullable=False, comment="ceiling on the batch's spending in total"),
)

waves = Table(
    "waves",
    metadata,
    Column("batch_id", Text, ForeignKey("batches.batch_id"), primary_key=True),
    Column("revision", Text, primary_key=True),
    Column("wave", Integer, primary_key=True),
    Column("decision", Text, nullable=False, comment="why this wave exists"),
    Column("pairs", Integer, nullable=False),
    Column("pairs_path", Text, nullable=False, comment="immutable Parquet file in the store"),
    Column("decided_at", Text, nullable=False),
    Column("jobs_planned_at", Text, comment="set with the rows of its first jobs, in one transaction"),
    Column("mode", Text, nullable=False, server_default="provider_batch_api", comment="the batch's effective mode"),
    Column("kind", Text, nullable=False, server_default="coverage", comment="coverage | resampling"),
)

decisions = Table(
    "decisions",
    metadata,
    Column("batch_id", Text, ForeignKey("batches.batch_id"), primary_key=True),
    Column("revision", Text, primary_key=True),
    Column("wave", Integer, primary_key=True, comment="the wave after whose scores it was taken"),
    Column("decision", Text, nullable=False, comment="finalize_scoring | finalize_failure | request_more_comparisons"),
    Column("label", Text, comment="how the batch ended; null while it goes on"),
    Column("reason", Text, nullable=False),
    Column("processing_metadata", Text, nullable=False, comment="JSON: what it stood on, see docs/waves.md"),
    Column("decided_at", Text, nullable=False),
)

jobs = Table(
    "jobs",
    metadata,
    Column("job_id", Text, primary_key=True),
    Column("batch_id", Text, ForeignKey("batches.batch_id"), nullable=False),
    Column("revision", Text, nullable=False),
    Column("wave", Integer, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("judge_id", Text, nullable=False),
    Column("provider", Text, nullable=False),
    Column("model", Text, nullable=False),
    Column("account", Text, nullable=False),
    Column("base_url", Text, nullable=False, server_default="", comment="where the provider is reached"),
    Column("transport", Text, nullable=False, server_default="batch", comment="batch | calls"),
    Column("slots", Integer, comment="calls that may be on their way at once; null for a batch job"),
    Column("state", Text, nullable=False),
    Column("phase", Text, comment="as the provider said last"),
    Column("reason", Text),
    Column("items", Integer, nullable=False),
    Column("request_path", Text, nullable=False),
    Column("items_path", Text, nullable=False),
    Column("request_bytes", BigInteger, nullable=False),
    Column("request_sha256", Text, nullable=False),
    Column("estimated_tokens", BigInteger, nullable=False, server_default="0", comment="prompt tokens it queues"),
    Column("cacheable_tokens", BigInteger, comment="prompt tokens shared with the line before"),
    Column("bound_nano_usd", BigInteger, nullable=False, comment="no bill can be higher"),
    Column("reserved_nano_usd", BigInteger, nullable=False),
    Column("spent_nano_usd", BigInteger),
    Column("price_source", Text),
    Column("price", Text, comment="JSON: the price it was booked with"),
    Column("input_tokens", BigInteger),
    Column("cached_tokens", BigInteger),
    Column("cache_write_tokens", BigInteger),
    Column("output_tokens", BigInteger),
    Column("unanswered", Integer, comment="items without a verdict; null until it is reconciled"),
    Column("input_file_id", Text),
    Column("provider_job_id", Text),
    Column("failure_code", Text, comment="the provider's code for a job that failed as a whole"),
    Column("looks", Integer, nullable=False, comment="searches for a job whose creation is uncertain"),
    Column("not_before", Text, comment="not submitted earlier: the provider asked for a pause"),
    Column("missing_since", Text, comment="the provider's list does not show it since then"),
    Column("output_path", Text),
    Column("output_sha256", Text),
    Column("error_path", Text),
    Column("error_sha256", Text),
    Column("planned_at", Text, nullable=False),
    Column("reserved_at", Text),
    Column("submitting_at", Text),
    Column("submitted_at", Text),
    Column("ended_at", Text),
    Column("fetched_at", Text),
    Column("reconciled_at", Text),
    Column("erased_at", Text, comment="nothing of it is left at the provider"),
    Index("jobs_of_a_wave", "batch_id", "revision", "wave", "attempt"),
    Index("jobs_in_a_state", "state"),
    Index("jobs_of_an_account", "account", "reserved_at"),
)

calls = Table(
    "calls",
    metadata,
    Column("job_id", Text, ForeignKey("jobs.job_id"), primary_key=True),
    Column("custom_id", Text, primary_key=True),
    Column("state", Text, nullable=False, comment="asked | turned_away | answered | uncertain | expired | cancelled"),
    Column("times_asked", Integer, nullable=False, comment="how often it left; all but the last were turned away"),
    Column("bound_nano_usd", BigInteger, nullable=False, comment="what it counts with while its bill is not known"),
    Column("asked_at", Text, comment="committed before the call left; null for one that never did"),
    Column("ended_at", Text),
    Column("reason", Text),
)

tallies = Table(
    "tallies",
    metadata,
    Column("job_id", Text, ForeignKey("jobs.job_id"), primary_key=True),
    Column("kind", Text, primary_key=True, comment="failure | cache | winner"),
    Column("name", Text, primary_key=True, comment="an error code; hit | miss | bypass; a seat or tie"),
    Column("items", Integer, nullable=False),
)

account_leases = Table(
    "account_leases",
    metadata,
    Column("account", Text, primary_key=True, comment="provider/account, or job/ID of a job whose calls are made"),
    Column("holder", Text, comment="host:pid of the process that submits, and for a job when it began and which"),
    Column("expires_at", Text),
)

bookings = Table(
    "bookings",
    metadata,
    Column("booking_id", Integer, primary_key=True),
    Column("job_id", Text, ForeignKey("jobs.job_id"), nullable=False, index=True),
    Column("batch_id", Text, nullable=False, index=True),
    Column("account", Text, nullable=False),
    Column("kind", Text, nullable=False, comment="reserve | release | spend"),
    Column("nano_usd", BigInteger, nullable=False),
    Column("price_source", Text),
    Column("booked_at", Text, nullable=False),
)

account_holds = Table(
    "account_holds",
    metadata,
    Column("hold_id", Integer, primary_key=True),
    Column("account", Text, nullable=False, index=True, comment="provider/account"),
    Column("reason", Text, nullable=False),
    Column("since", Text, nullable=False),
    Column("lifted_at", Text),
    Column("lifted_by", Text),
)

erasures = Table(
    "erasures",
    metadata,
    Column("erasure_id", Integer, primary_key=True),
    Column("batch_id", Text, nullable=False, index=True),
    Column("job_id", Text),
    Column("what", Text, nullable=False, comment="the kind of copy: input, output, error, essay, ..."),
    Column("name", Text, nullable=False, comment="the provider's name, a path in the store, or a SHA-256"),
    Column("how", Text, nullable=False, comment="deleted | was gone | redacted"),
    Column("why", Text, nullable=False, comment="reconciled | retention | asked for"),
    Column("erased_by", Text, nullable=False),
    Column("erased_at", Text, nullable=False),
)
