"""Whether a maximum of the likelihood exists at all; without a prior it often does not.

With 14 comparisons per essay the win graph of a class is hardly ever strongly connected (Ford 1957).
"""

import numpy as np
import scipy.sparse as sp
from scipy.sparse.csgraph import connected_components
from scipy.special import expit

from cj_pipeline.errors import CjError
from cj_pipeline.pairing.arrays import FloatArray, IntArray
from cj_pipeline.scoring.newton import ROUNDING, Mode
from cj_pipeline.scoring.pair_counts import Links, PairCounts, Rows, fewer_links


class NoMaximumLikelihood(CjError):
    """Maximum likelihood was asked for where it does not exist: some scores would be infinite."""


def proves_no_separation(counts: PairCounts, mode: Mode) -> bool:
    """Whether the gradient at a mode without a prior leaves no room for essays that beat all others they met.

    The gradients of such essays add up to what those wins are short of certain, P(loss) for each. No P(loss) is
    less than at the largest margin there can be, so where all gradients together are less, there are no such essays.
    """
    margin = float(np.ptp(mode.scores)) + float(np.abs(mode.orders).max(initial=0.0)) if mode.scores.size else 0.0
    least = 1.0 if counts.weight is None else float(counts.weight.min(initial=1.0))
    rounding = ROUNDING * float(counts.comparisons.sum())
    return bool(mode.gradient_total + rounding < least * expit(-margin))


def refuse_separated(first: IntArray, second: IntArray, won: FloatArray, components: IntArray) -> None:
    """Ford's condition: within a component everyone must beat everyone through some chain of wins."""

    def wins(rows: Rows) -> Links:
        a, b, outcome = first[rows], second[rows], won[rows]
        a_beats, both = outcome > 0, (outcome > 0) & (outcome < 1)  # a tie beats both ways
        beats, beaten = np.where(a_beats, a, b), np.where(a_beats, b, a)
        return np.concatenate([beats, b[both]]), np.concatenate([beaten, a[both]])

    links = fewer_links(first, second, components.size, wins, directed=True)
    shape = (components.size, components.size)
    graph = sp.csr_array((np.ones(links[0].size, dtype=np.int8), links), shape=shape)
    _, groups = connected_components(graph, directed=True, connection="strong")
    sizes = np.bincount(groups)[groups]
    apart = np.flatnonzero(sizes < np.bincount(components)[components])
    if apart.size:
        smallest = apart[np.argmin(sizes[apart])]
        example = np.flatnonzero(groups == groups[smallest])[:5].tolist()
        raise NoMaximumLikelihood(
            f"no finite maximum likelihood: essays {example} never lose to, or never beat, some of the others "
            "they are linked with (Ford 1957); use a finite prior_sd"
        )


def refuse_one_sided_ties(ties: float, comparisons: float) -> None:
    """A tie parameter has a likelihood maximum only between some ties and nothing but ties."""
    if not 0 < ties < comparisons:
        what = "no comparison is a tie" if ties == 0 else "every comparison is a tie"
        raise NoMaximumLikelihood(
            f"no finite maximum likelihood of the tie parameter: {what}; use ties='half' or a finite prior_sd"
        )
