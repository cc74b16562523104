"""Comparing two ways of doing the same in one run, so that a busy machine disturbs both alike.

Every cycle measures every variant once, in a shuffled order. What counts is the ratio
within a cycle, and of these the median; absolute numbers of one machine mean little.
"""

from __future__ import annotations

import random
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Target:
    """What the ratio of a metric has to keep to. ``must``: the run fails when it does not."""

    metric: str
    limit: float
    at_most: bool = True
    must: bool = True

    def met(self, ratio: float) -> bool:
        """Whether the ratio keeps to it."""
        return ratio <= self.limit if self.at_most else ratio >= self.limit

    def __str__(self) -> str:
        return f"{'<=' if self.at_most else '>='} {self.limit:g}{'' if self.must else ' (wish)'}"


@dataclass(slots=True)
class Comparison:
    """Measurements of ``ours`` and of the ``reference``, one of each a cycle and metric.

    ``units`` says what the numbers of a metric are, for people.
    """

    ours: str
    reference: str
    units: dict[str, str] = field(default_factory=dict)
    _samples: dict[str, dict[str, list[float]]] = field(default_factory=dict)

    def cycles(self, count: int) -> Iterator[Sequence[str]]:
        """The variants in a new order for each cycle."""
        for _ in range(count):
            order = [self.ours, self.reference]
            random.shuffle(order)
            yield order

    def add(self, metric: str, variant: str, value: float, unit: str = "") -> None:
        """Note one measurement."""
        self.units.setdefault(metric, unit)
        self._samples.setdefault(metric, {}).setdefault(variant, []).append(value)

    def ratio(self, metric: str) -> float:
        """The median of ours / reference over the cycles."""
        samples = self._samples[metric]
        pairs = zip(samples[self.ours], samples[self.reference], strict=True)
        return statistics.median(mine / other for mine, other in pairs)

    def report(self, targets: Sequence[Target]) -> bool:
        """Print the table; whether every target that must be met is met."""
        wanted = {target.metric: target for target in targets}
        print(f"\n{'metric':24}{self.ours:>16}{self.reference:>16}{'ratio':>9}   target")
        for metric in self._samples:
            print(self._row(metric, wanted.get(metric)))
        return all(target.met(self.ratio(target.metric)) for target in targets if target.must)

    def _row(self, metric: str, target: Target | None) -> str:
        mine, other = (statistics.median(self._samples[metric][name]) for name in (self.ours, self.reference))
        ratio = self.ratio(metric)
        verdict = "" if target is None else f"{target}   {'met' if target.met(ratio) else 'MISSED'}"
        name = f"{metric} [{self.units[metric]}]"
        return f"{name:24}{mine:>16.4g}{other:>16.4g}{ratio:>9.3f}   {verdict}"


def percentile(values: Sequence[float], share: float) -> float:
    """The value that ``share`` (0 to 1) of the values do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]
