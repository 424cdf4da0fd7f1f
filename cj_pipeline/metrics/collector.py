"""The families in the text format of Prometheus, computed anew from ledger and store at every scrape."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from typing import cast

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector, CollectorRegistry

from cj_pipeline.deployment import Deployment
from cj_pipeline.metrics.families import FAMILIES
from cj_pipeline.metrics.family import Amount, Family, Kind, LabelValues, Observation
from cj_pipeline.metrics.figures import Figures
from cj_pipeline.metrics.reading import read_figures


class LedgerCollector(Collector):
    """What a registry asks at every scrape. Raises when ledger or store cannot be read: the scrape then fails."""

    def __init__(self, open_deployment: Callable[[], Deployment]) -> None:
        self._open_deployment = open_deployment

    def collect(self) -> Iterator[Metric]:
        """All families, from one look."""
        figures = read_figures(self._open_deployment())
        return (metric_of(family, figures) for family in FAMILIES)


def registry_of(deployment: Deployment) -> CollectorRegistry:
    """A registry with our families and nothing of this process."""
    registry = CollectorRegistry()
    registry.register(LedgerCollector(lambda: deployment))
    return registry


def metric_of(family: Family, figures: Figures) -> Metric:
    """One family with its samples, sorted by labels."""
    if family.kind is Kind.HISTOGRAM:
        return _histogram(family, cast(Iterable[Observation], family.read(figures)))
    totals: defaultdict[LabelValues, float] = defaultdict(float)
    for labels, amount in cast(Iterable[Amount], family.read(figures)):
        totals[labels] += amount
    form = CounterMetricFamily if family.kind is Kind.COUNTER else GaugeMetricFamily
    metric = form(family.name, family.help, labels=family.labels)
    for labels, total in sorted(totals.items()):
        metric.add_metric(labels, total)
    return metric


def _histogram(family: Family, observations: Iterable[Observation]) -> HistogramMetricFamily:
    counts: dict[LabelValues, list[int]] = defaultdict(lambda: [0] * (len(family.buckets) + 1))
    sums: defaultdict[LabelValues, float] = defaultdict(float)
    for labels, value, times in observations:
        counts[labels][bisect_left(family.buckets, value)] += times  # a value on a bound belongs below it
        sums[labels] += value * times
    metric = HistogramMetricFamily(family.name, family.help, labels=family.labels)
    bounds = [*(str(float(bound)) for bound in family.buckets), "+Inf"]
    for labels in sorted(counts):
        cumulated, total = [], 0
        for bound, count in zip(bounds, counts[labels], strict=True):
            total += count
            cumulated.append((bound, total))
        metric.add_metric(labels, cumulated, sums[labels])
    return metric
