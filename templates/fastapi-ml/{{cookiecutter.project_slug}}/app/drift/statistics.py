"""How far what is asked is from what was learned from: three classical measures, on counts in the bins of training.

The population stability index is the symmetrised Kullback-Leibler divergence of both shares; as a rule of thumb 0.1 is
a change and 0.2 a large one. The Kolmogorov-Smirnov and chi-square tests say how likely such a difference is by chance;
on binned numbers the former errs on the side of saying nothing.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

LARGE = 0.1  # of the index
UNLIKELY = 0.001  # by chance, over all inputs of a model together
ENOUGH = 200  # rows, before anything is said


@dataclass(frozen=True)
class Drift:
    """What was found of one input."""

    input: str
    rows: int
    psi: float
    test: str
    statistic: float
    p: float
    raised: bool
    trained: list[float]  # shares, bin by bin
    seen: list[float]
    bins: list[str]


def psi(trained: Sequence[int], seen: Sequence[int]) -> float:
    """The population stability index. Half a row in each bin keeps an empty one from being infinite."""
    p, q = ((np.array(counts) + 0.5) / (sum(counts) + 0.5 * len(counts)) for counts in (trained, seen))
    return float(((q - p) * np.log(q / p)).sum())


def kolmogorov_smirnov(trained: Sequence[int], seen: Sequence[int]) -> tuple[float, float]:
    """The largest distance of both cumulative shares, and its asymptotic probability."""
    n, m = sum(trained), sum(seen)
    distance = float(np.abs(np.cumsum(trained) / n - np.cumsum(seen) / m).max())
    root = math.sqrt(n * m / (n + m))
    scaled = (root + 0.12 + 0.11 / root) * distance
    if scaled < 0.2:  # noqa: PLR2004  below that the series does not converge, and the probability is 1
        return distance, 1.0
    terms = ((-1) ** (k - 1) * math.exp(-2 * (k * scaled) ** 2) for k in range(1, 101))
    return distance, min(1.0, max(0.0, 2 * sum(terms)))


def chi_square(trained: Sequence[int], seen: Sequence[int]) -> tuple[float, float]:
    """Pearson's statistic for two samples, and its probability by Wilson and Hilferty's approximation.

    Rare categories are one: where less than five rows are expected, the statistic does not follow its distribution.
    """
    table = np.array([trained, seen], float)
    share = table[1].sum() / table.sum()
    rare = table.sum(axis=0) * min(share, 1 - share) < 5  # noqa: PLR2004
    table = np.column_stack([table[:, ~rare], table[:, rare].sum(axis=1)])
    table = table[:, table.sum(axis=0) > 0]
    expected = np.outer(table.sum(axis=1), table.sum(axis=0)) / table.sum()
    statistic, freedom = float(((table - expected) ** 2 / expected).sum()), table.shape[1] - 1
    if not freedom:
        return 0.0, 1.0
    spread = 2 / (9 * freedom)
    z = ((statistic / freedom) ** (1 / 3) - (1 - spread)) / math.sqrt(spread)
    return statistic, 0.5 * math.erfc(z / math.sqrt(2))


def judge(name: str, trained: Sequence[int], seen: Sequence[int], bins: list[str], *, ordered: bool, of: int) -> Drift:
    """What is to be said of an input, which is one of so many."""
    rows, index = sum(seen), psi(trained, seen)
    statistic, p = (kolmogorov_smirnov if ordered else chi_square)(trained, seen) if rows else (0.0, 1.0)
    return Drift(
        input=name,
        rows=rows,
        psi=index,
        test="Kolmogorov-Smirnov" if ordered else "chi-square",
        statistic=statistic,
        p=p,
        raised=rows >= ENOUGH and index >= LARGE and p * of < UNLIKELY,
        trained=[count / sum(trained) for count in trained],
        seen=[count / max(rows, 1) for count in seen],
        bins=bins,
    )
