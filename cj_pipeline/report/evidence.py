"""Everything a report says, in one value: the tables of a batch, its findings, its money and its versions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import pyarrow as pa

from cj_pipeline.findings import Finding


@dataclass(frozen=True, slots=True)
class JudgeCard:
    """Who judged, as the report introduces them. `offline` judges are no judges of essays; the headline says so."""

    judge_id: str
    provider: str
    model: str
    max_output_tokens: int
    offline: bool


@dataclass(frozen=True, slots=True)
class Approval:
    """A person's consent to a purchase."""

    approved_by: str
    approved_at: datetime
    max_usd: float


@dataclass(frozen=True, slots=True)
class Evidence:
    """The tables follow the contracts of `cj_pipeline.tables`; `tables` is keyed by their names.

    `max_usd` is the batch's cap (None without a paid judge), `spent_usd` and `reserved_usd` come from the
    ledger. `prompt` is the system message as sent.
    """

    batch_id: str
    title: str
    language: str
    mode: str
    revision: str
    ledger_version: int
    made_at: datetime
    assignment: str
    rubric: str
    prompt: str
    judges: Sequence[JudgeCard]
    tables: Mapping[str, pa.Table]
    findings: Sequence[Finding]
    approvals: Sequence[Approval]
    max_usd: float | None
    spent_usd: float
    reserved_usd: float
    versions: Mapping[str, str]
    tops_up: str = ""  # the judged batch that this one joins, with its revision and ledger version
    public: bool = False  # a copy for others than the school, made by `public_copy`
