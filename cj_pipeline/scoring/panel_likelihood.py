"""The likelihood of a panel: its value, gradient and curvature at scores, order effects and discriminations."""

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from scipy.linalg import cho_factor, cho_solve
from scipy.sparse.linalg import LinearOperator, cg
from scipy.special import expit

from cj_pipeline.pairing.arrays import FloatArray, IntArray, grouped_sums
from cj_pipeline.scoring.fit import ORDER_EFFECT_PRIOR_SD

DISCRIMINATION_PRIOR_SD = 0.5  # of log a: a judge is expected to be between .37 and 2.7 times as sharp as the panel
LEAST_CURVATURE = 0.01  # beside the priors' 1/9 and 4; a flatter Hessian gives steps without end
DENSE_UP_TO = 500  # essays; above, conjugate gradients beat a Cholesky factor


@dataclass(frozen=True, slots=True)
class PanelInformation:
    """Negative Hessian over (scores, orders, log discriminations), the latter confined to sum zero.

    `bend` (2J, 2J) and `pull` (n, 2J) are what the residuals add to the Fisher information of the small block and of
    the coupling; near the mode they make the steps quadratic, far from it they can make the matrix indefinite.
    """

    upper: "sp.csr_array[np.float64]"  # (n, n) information a^2 p(1-p) per pair of essays
    diagonal: FloatArray  # (n,) with the prior
    coupling: FloatArray  # (n, 2J) of scores with orders and log discriminations
    small: FloatArray  # (2J, 2J) with the priors
    pull: FloatArray
    bend: FloatArray

    def solve(self, gradient: FloatArray) -> FloatArray:
        """Solve matrix @ x = gradient (n + 2J,), x confined to sum zero."""
        n_items = self.diagonal.size
        coupling, schur, solved = self.eliminated()
        of_gradient = self.solve_scores(gradient[:n_items, None])[:, 0]
        contrasts = self.contrasts()
        small = np.linalg.solve(schur, contrasts.T @ gradient[n_items:] - coupling.T @ of_gradient)
        return np.concatenate([of_gradient - solved @ small, contrasts @ small])

    def eliminated(self) -> tuple[FloatArray, FloatArray, FloatArray]:
        """(coupling, Schur complement, scores' block^-1 coupling) on the contrasts; Fisher's if not positive."""
        contrasts = self.contrasts()
        for weight in (1.0, 0.0):
            coupling = (self.coupling + weight * self.pull) @ contrasts
            solved = self.solve_scores(coupling)
            schur = contrasts.T @ (self.small + weight * self.bend) @ contrasts - coupling.T @ solved
            if np.linalg.eigvalsh(schur)[0] > LEAST_CURVATURE:
                break
        return coupling, schur, solved

    def contrasts(self) -> FloatArray:
        """(2J, 2J - 1): orders as they are, log discriminations as an orthonormal basis of those that sum to zero."""
        n_judges = self.small.shape[0] // 2
        helmert = np.linalg.qr(np.hstack([np.ones((n_judges, 1)), np.eye(n_judges)[:, 1:]]))[0][:, 1:]
        return np.block(
            [
                [np.eye(n_judges), np.zeros((n_judges, n_judges - 1))],
                [np.zeros((n_judges, n_judges)), helmert],
            ]
        )

    def solve_scores(self, right: FloatArray) -> FloatArray:
        """Solve the scores' own block for the columns of `right`: Cholesky, or Jacobi-PCG above 500 essays."""
        if self.diagonal.size <= DENSE_UP_TO:
            return np.asarray(cho_solve(cho_factor(self.dense(), check_finite=False), right, check_finite=False))
        matrix = sp.diags_array(self.diagonal) - self.upper - self.upper.T
        jacobi = LinearOperator(matrix.shape, matvec=lambda x: x / self.diagonal, dtype=np.float64)
        return np.column_stack([cg(matrix, column, rtol=1e-10, M=jacobi)[0] for column in right.T])

    def dense(self) -> FloatArray:
        """The scores' own block (n, n)."""
        upper = self.upper.toarray()
        return np.diag(self.diagonal) - upper - upper.T


@dataclass(frozen=True, slots=True)
class PanelLikelihood:
    """Comparisons (m,) of J judges with their priors. A point (n + 2J,) is scores, orders, log discriminations."""

    first: IntArray
    second: IntArray
    outcome: FloatArray
    judge: IntArray
    n_items: int
    n_judges: int
    score_precision: float

    def parts(self, point: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """(scores, orders, log discriminations) of a point."""
        n_shared = self.n_items + self.n_judges
        return point[: self.n_items], point[self.n_items : n_shared], point[n_shared:]

    def margins(self, point: FloatArray) -> tuple[FloatArray, FloatArray]:
        """(a[judge], a[judge] (score[A] - score[B])) of each comparison."""
        scores, _, logs = self.parts(point)
        slope = np.exp(logs)[self.judge]
        return slope, slope * (scores[self.first] - scores[self.second])

    def probability(self, point: FloatArray) -> FloatArray:
        """P(A wins) of each comparison."""
        orders = self.parts(point)[1]
        return np.asarray(expit(self.margins(point)[1] + orders[self.judge]))

    def log_posterior(self, point: FloatArray) -> float:
        """Log-likelihood with the priors, up to a constant."""
        scores, orders, logs = self.parts(point)
        logit = self.margins(point)[1] + orders[self.judge]
        likelihood = self.outcome @ logit - np.logaddexp(0.0, logit).sum()
        penalty = self.score_precision * scores @ scores + orders @ orders / ORDER_EFFECT_PRIOR_SD**2
        return float(likelihood - 0.5 * (penalty + logs @ logs / DISCRIMINATION_PRIOR_SD**2))

    def derivatives(self, point: FloatArray) -> tuple[FloatArray, PanelInformation]:
        """Gradient along the constraint, and Fisher information."""
        scores, orders, logs = self.parts(point)
        slope, margin = self.margins(point)
        expected = expit(margin + orders[self.judge])
        residual, information = self.outcome - expected, expected * (1 - expected)
        of_logs = grouped_sums(self.judge, residual * margin, self.n_judges) - logs / DISCRIMINATION_PRIOR_SD**2
        gradient = np.concatenate(
            [
                self.by_item(slope * residual) - self.score_precision * scores,
                grouped_sums(self.judge, residual, self.n_judges) - orders / ORDER_EFFECT_PRIOR_SD**2,
                of_logs - of_logs.mean(),
            ]
        )
        return gradient, self.blocks(slope, margin, information, residual)

    def blocks(
        self, slope: FloatArray, margin: FloatArray, information: FloatArray, residual: FloatArray
    ) -> PanelInformation:
        """The curvature's blocks from slope, margin, p(1-p) and residual of each comparison."""
        squared = slope**2 * information
        low, high = np.minimum(self.first, self.second), np.maximum(self.first, self.second)
        upper = sp.coo_array((squared, (low, high)), shape=(self.n_items, self.n_items)).tocsr()
        both = grouped_sums(self.first, squared, self.n_items) + grouped_sums(self.second, squared, self.n_items)
        by_judge = [grouped_sums(self.judge, information * power, self.n_judges) for power in (1.0, margin, margin**2)]
        orders = np.diag(by_judge[0] + ORDER_EFFECT_PRIOR_SD**-2)
        logs = np.diag(by_judge[2] + DISCRIMINATION_PRIOR_SD**-2)
        crossed = np.diag(by_judge[1])
        coupling = [self.by_item_and_judge(slope * information), self.by_item_and_judge(slope * information * margin)]
        surplus = residual * margin
        return PanelInformation(
            upper=upper,
            diagonal=both + self.score_precision,
            coupling=np.hstack(coupling),
            small=np.block([[orders, crossed], [crossed, logs]]),
            pull=np.hstack([np.zeros_like(coupling[0]), -self.by_item_and_judge(slope * residual)]),
            bend=np.diag(np.append(np.zeros(self.n_judges), -grouped_sums(self.judge, surplus, self.n_judges))),
        )

    def by_item(self, values: FloatArray) -> FloatArray:
        """(n,) sum of a value per comparison, as first less as second."""
        return grouped_sums(self.first, values, self.n_items) - grouped_sums(self.second, values, self.n_items)

    def by_item_and_judge(self, values: FloatArray) -> FloatArray:
        """(n, J) the same, by judge."""
        cells = self.n_items * self.n_judges
        as_first = grouped_sums(self.first * self.n_judges + self.judge, values, cells)
        as_second = grouped_sums(self.second * self.n_judges + self.judge, values, cells)
        return (as_first - as_second).reshape(self.n_items, self.n_judges)
