"""The page a person sees at the emulator's address."""

import html
import time
from collections.abc import Mapping, Sequence
from typing import Any

from cj_pipeline.emulator.lifecycle import standing
from cj_pipeline.emulator.store import Batch

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta http-equiv="refresh" content="5"><title>cj_pipeline emulator</title>
<style>
:root {{ color-scheme: light dark }}
body {{ font: 15px/1.5 system-ui, sans-serif; max-width: 70rem; margin: 2rem auto; padding: 0 1rem }}
table {{ border-collapse: collapse; width: 100%; display: block; overflow-x: auto }}
th, td {{ text-align: left; padding: .3rem .8rem .3rem 0; border-bottom: 1px solid #8886; white-space: nowrap }}
td.number, th.number {{ text-align: right }}
</style></head><body>
<h1>An emulator with offline judges. No exam may rest on it.</h1>
<p>It speaks two providers' batch APIs on this machine, for trials and tests. Its judges count words
(<code>lexical</code>) or simulate (<code>latent</code>); none reads an essay, and nothing costs money.</p>
<p>{summary}</p>
<table><thead><tr><th>batch<th>API<th>status<th>model<th class="number">items<th class="number">completed
<th class="number">failed<th>created (UTC)<th>metadata</tr></thead><tbody>
{rows}
</tbody></table></body></html>
"""


def batches_page(batches: Sequence[Batch], now: float, bill: Mapping[str, Any]) -> str:
    """HTML from batches, newest first, and the bill; everything from outside is escaped."""
    summary = (
        f"{bill['batches_created']} batches, {bill['requests_seen']} requests seen,"
        f" {bill['distinct_bodies']} of them different, {len(bill['asked_more_than_once'])} asked more than once."
    )
    rows = "\n".join(_row(batch, now) for batch in batches) or '<tr><td colspan="9">No batch yet.</tr>'
    return _PAGE.format(summary=html.escape(summary), rows=rows)


def _row(batch: Batch, now: float) -> str:
    created = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(batch.created_at))
    metadata = ", ".join(f"{key}={value}" for key, value in (batch.metadata or {}).items())
    texts = [batch.id, batch.api, standing(batch, now).status, batch.model or ""]
    numbers = ["" if batch.total is None else batch.total, batch.completed, batch.failed]
    return (
        "<tr>"
        + "".join(f"<td>{html.escape(str(text))}" for text in texts)
        + "".join(f'<td class="number">{number}' for number in numbers)
        + f"<td>{created}<td>{html.escape(metadata)}</tr>"
    )
