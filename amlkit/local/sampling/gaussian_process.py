"""A small Gaussian process in numpy, and the expected improvement under it.

Matern 5/2 kernel with one length scale a parameter; length scales and noise by maximum posterior,
searched at random around the last ones. Source: C. E. Rasmussen and C. K. I. Williams, "Gaussian
Processes for Machine Learning" (2006), algorithm 2.1; D. R. Jones, M. Schonlau and W. J. Welch,
"Efficient Global Optimization of Expensive Black-Box Functions" (1998).
"""

from __future__ import annotations

import math
from typing import Any, TypeAlias

import numpy as np

from amlkit.light import dataclass

Array: TypeAlias = "np.ndarray[Any, np.dtype[np.float64]]"
Owners: TypeAlias = "np.ndarray[Any, np.dtype[np.int64]]"

SCALE_PRIOR = 0.4
"""Length scale that is thought likely, in units of the cube's edge."""


@dataclass(frozen=True)
class Fit:
    """A process fitted to points (points x columns).

    scales: length scales (parameters); owners: which parameter each column belongs to (columns).
    inverse: of the Cholesky factor (points x points); weights: of each point (points).
    evidence: log posterior of scales and noise.
    """

    points: Array
    values: Array
    scales: Array
    owners: Owners
    noise: float
    inverse: Array
    weights: Array
    evidence: float

    def improvement(self, candidates: Array) -> Array:
        """Return the expected improvement on the least value (candidates)."""
        covariance = kernel(candidates, self.points, self.scales[self.owners])
        spread = self.inverse @ covariance.T
        deviation = np.sqrt(np.maximum(1.0 - np.einsum("ij,ij->j", spread, spread), 1e-12))
        gain = self.values.min() - covariance @ self.weights
        z = gain / deviation
        density = np.exp(-0.5 * z * z) / math.sqrt(2 * math.pi)
        found: Array = gain * _cdf(z) + deviation * density
        return found


def kernel(left: Array, right: Array, scales: Array) -> Array:
    """Return the Matern 5/2 covariance of two sets of points (left x right)."""
    a, b = left / scales, right / scales
    squared = (a * a).sum(1)[:, None] + (b * b).sum(1)[None, :] - 2.0 * (a @ b.T)
    distance = np.sqrt(5.0 * np.maximum(squared, 0.0))
    found: Array = (1.0 + distance + distance * distance / 3.0) * np.exp(-distance)
    return found


def fit(points: Array, values: Array, owners: Owners, scales: Array, noise: float) -> Fit | None:
    """Return the process with these length scales and noise; None when they do not work."""
    covariance = kernel(points, points, scales[owners])
    covariance[np.diag_indices_from(covariance)] = 1.0 + noise
    try:
        factor = np.linalg.cholesky(covariance)
        inverse = np.linalg.inv(factor)
    except np.linalg.LinAlgError:
        return None
    weights = inverse.T @ (inverse @ values)
    prior = 0.25 * (np.log(scales / SCALE_PRIOR) ** 2).sum()
    evidence = -0.5 * values @ weights - np.log(np.diag(factor)).sum() - prior
    return Fit(points, values, scales, owners, noise, inverse, weights, float(evidence))


def search(
    points: Array,
    values: Array,
    owners: Owners,
    *,
    start: Fit | None,
    tries: int,
    random: np.random.Generator,
) -> Fit:
    """Return the best fit among the last length scales and some tries around the best so far."""
    dimensions = int(owners.max()) + 1
    scales = start.scales if start is not None else np.full(dimensions, 0.3)
    best = fit(points, values, owners, scales, start.noise if start is not None else 1e-4)
    if best is None:
        best = fit(points, values, owners, np.full(dimensions, 0.3), 1e-2)
    assert best is not None  # a noise of 0.01 keeps every kernel matrix positive
    for _ in range(tries):
        near = np.clip(best.scales * np.exp(random.normal(0, 0.4, dimensions)), 0.03, 3.0)
        found = fit(points, values, owners, near, 10 ** random.uniform(-6, -2))
        if found is not None and found.evidence > best.evidence:
            best = found
    return best


def _cdf(z: Array) -> Array:
    """Return the normal distribution function, within 1.5e-7.

    Source: M. Abramowitz and I. A. Stegun, "Handbook of Mathematical Functions", 7.1.26.
    """
    x = np.abs(z) / math.sqrt(2)
    t = 1.0 / (1.0 + 0.3275911 * x)
    terms = (0.254829592, -0.284496736, 1.421413741, -1.453152027, 1.061405429)
    polynomial = t * (terms[0] + t * (terms[1] + t * (terms[2] + t * (terms[3] + t * terms[4]))))
    error = 1.0 - polynomial * np.exp(-x * x)
    return 0.5 * (1.0 + np.where(z < 0, -error, error))
