"""Whether a maximum of the likelihood exists at all; without a prior it often does not.

With 14 comparisons per essay the win graph of a class is hardly ever strongly connected (Ford 1957).
"""

import numpy as np
import scipy.sparse as sp
from scipy.sparse.csgraph import connected_components

from cj_pipeline.errors import CjError
from cj_pipeline.pairing.arrays import FloatArray, IntArray
from cj_pipeline.scoring.pair_counts import Links, Rows, fewer_links


class NoMaximumLikelihood(CjError):
    """Maximum likelihood was asked for where it does not exist: some scores would be infinite."""


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
