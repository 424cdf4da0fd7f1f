"""The copy of a report for others than the school: no text, no reason of a judge, no group of pupils, no name of a
person at work. Essay ids stay, since a report without them is of no use to anyone; they should not be names.
"""

import re
from collections.abc import Mapping
from dataclasses import replace

import pyarrow as pa
import pyarrow.compute as pc

from cj_pipeline.batch import FROM_BATCH
from cj_pipeline.findings import Finding
from cj_pipeline.report.evidence import Evidence
from cj_pipeline.report.figures import stored
from cj_pipeline.report.words import Catalogue, catalogue
from cj_pipeline.tables import CONTRACTS

EMPTIED = ("group_effects", "human_judgments")  # rows that are about groups of pupils, or by one person each
JUDGE_COLUMNS = frozenset({"judge_id", "judge_1", "judge_2"})


def public_copy(evidence: Evidence) -> Evidence:
    """The same evidence with what is personal left out; `render_report` shows no texts of it."""
    t = catalogue(evidence.language)
    named = _persons(evidence, t)
    return replace(
        evidence,
        public=True,
        tables={name: _public_table(name, table, named) for name, table in evidence.tables.items()},
        findings=[_public_finding(finding, named, t) for finding in evidence.findings],
        approvals=[replace(approval, approved_by="") for approval in evidence.approvals],
    )


def _persons(evidence: Evidence, t: Catalogue) -> dict[str, str]:
    people = [row["judge_id"] for row in stored(evidence, "judge_fit").to_pylist() if row["kind"] == "person"]
    return {person: t("public.person", number=place) for place, person in enumerate(people, start=1)}


def _public_table(name: str, table: pa.Table, named: Mapping[str, str]) -> pa.Table:
    if name in EMPTIED:
        return table.slice(0, 0)
    if name == "essays":
        kept = [column for column in table.column_names if column in {*CONTRACTS[name].names, FROM_BATCH}]
        return _with(table.select(kept), "text", pa.array([""] * table.num_rows))
    if name == "judgments":
        table = _with(table, "justification", pa.nulls(table.num_rows, pa.string()))
    for column in JUDGE_COLUMNS & set(table.column_names):
        judges = [named.get(judge, judge) for judge in pc.cast(table[column], pa.string()).to_pylist()]
        table = _with(table, column, pa.array(judges, pa.string()))
    return table


def _with(table: pa.Table, column: str, values: pa.Array) -> pa.Table:
    place = table.schema.get_field_index(column)
    return table.set_column(place, column, values.cast(table.schema.field(place).type))


def _public_finding(finding: Finding, named: Mapping[str, str], t: Catalogue) -> Finding:
    if finding.name == "groups":
        return replace(finding, summary=t("public.groups"), numbers={})
    if not named:
        return finding
    person = re.compile("|".join(rf"(?<!\w){re.escape(name)}(?!\w)" for name in sorted(named, key=len, reverse=True)))
    numbers = {
        person.sub(lambda found: named[found[0]], key): person.sub(lambda found: named[found[0]], value)
        if isinstance(value, str)
        else value
        for key, value in finding.numbers.items()
    }
    return replace(finding, summary=person.sub(lambda found: named[found[0]], finding.summary), numbers=numbers)
