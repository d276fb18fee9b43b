"""Can a label-free score stand in for the probe? The audit of a study's trials that says so.

Every score that needs no label is a proxy. Where labels exist, the trials of a study show how well
each orders policies as the probe does, and whether it goes by an operation's strength instead.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field
from scipy import stats

from augsearch.bench.outcome import Outcome
from augsearch.evaluate.config import EvaluateConfig
from augsearch.search.confirm.verdict import Verdict
from augsearch.search.confirm.words import OTHER_SEEDS
from augsearch.space.policy import Policy
from augsearch.space.policy_ops import OneOf, PolicyOp, walk
from augsearch.space.space import Space
from augsearch.stats.corrections import holm
from augsearch.stats.ranks import spearman

FEWEST_TRIALS = 10
LEVEL = 0.05
OVERALL = "overall strength"
AGAINST_PROBE = ("knn", "full_probe")

BY_CONSTRUCTION: Mapping[str, tuple[frozenset[str], str]] = MappingProxyType(
    {
        "rotation": (
            frozenset({"rotation", "rotate90", "vertical_flip", "horizontal_flip"}),
            "a policy that turns or mirrors teaches the encoder to forget what this score asks for",
        ),
        "lidar": (
            frozenset({"resized_crop", "color_jitter"}),
            "the shared views crop and jitter, so policies that do so are ahead",
        ),
        "alignment_uniformity": (
            frozenset({"resized_crop", "color_jitter"}),
            "the shared views crop and jitter, so policies that do so are ahead",
        ),
    }
)
"""Operations that move a score whatever they do to the accuracy, and why."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Confounder(_Part):
    """Something about policies that a proxy follows instead of the probe."""

    what: str = Field(description="an operation, or `overall strength`")
    correlation: float = Field(description="Spearman correlation of the proxy with its strength")
    given_probe: float = Field(description="the same with the probe held fixed (partial)")


PROXY_COLUMNS = ("score", "correlation", "95 % interval", "follows instead")
"""Of `ProxyAudit.rows`."""


class Proxy(_Part):
    """How one score goes with the few-label probe over a study's trials."""

    name: str = Field(description="a label-free score, `knn` or `full_probe`")
    correlation: float = Field(description="Spearman correlation with the few-label probe")
    interval: tuple[float, float] = Field(description="95 % interval of that correlation")
    confounders: tuple[Confounder, ...] = Field(
        default=(), description="what the score follows more than the probe, strongest first"
    )

    @property
    def warning(self) -> str:
        """A sentence on the strongest confounder; empty if there is none."""
        if not self.confounders:
            return ""
        worst = self.confounders[0]
        what = (
            "the strength of policies" if worst.what == OVERALL else f"how strong {worst.what} is"
        )
        return (
            f"the score {self.name} follows {what} (correlation {worst.correlation:+.2f}) more "
            f"than the probe ({self.correlation:+.2f}): do not choose policies by it here"
        )


class ProxyAudit(_Part):
    """Which label-free scores would have led this search as the probe did."""

    trials: int = Field(description="finished trials behind every correlation")
    proxies: tuple[Proxy, ...] = Field(description="highest correlation first")

    def warning(self, score: str) -> str:
        """What is wrong with this score; empty if nothing is known."""
        return next((proxy.warning for proxy in self.proxies if proxy.name == score), "")

    @property
    def sentence(self) -> str:
        """What the rows say."""
        return (
            f"How each score orders {self.trials} trials as the few-label probe does (rank "
            "correlation). One that follows an operation instead is no score to choose policies "
            "by here."
        )

    @property
    def rows(self) -> tuple[tuple[str, str, str, str], ...]:
        """Of each score its name, correlation, 95 % interval and what it follows instead."""
        return tuple(
            (
                proxy.name,
                f"{proxy.correlation:+.2f}",
                f"{proxy.interval[0]:+.2f} to {proxy.interval[1]:+.2f}",
                "".join(f"{c.what} ({c.correlation:+.2f})" for c in proxy.confounders[:1]),
            )
            for proxy in self.proxies
        )


def audit(trials: Iterable[tuple[Policy, Outcome]]) -> ProxyAudit | None:
    """The audit of finished trials; None below `FEWEST_TRIALS` that have a probe.

    A score is called confounded by an operation if it correlates with the operation's strength
    more than with the probe, and still does with the probe held fixed; Holm over all scores and
    operations keeps the chance of a single false warning below 5 %. Scores that do not vary are
    left out.
    """
    probed = [(policy, outcome) for policy, outcome in trials if outcome.probe is not None]
    if len(probed) < FEWEST_TRIALS:
        return None
    outcomes = [outcome for _, outcome in probed]
    probe = np.array([outcome.probe for outcome in outcomes], dtype=float)
    proxies = _varying(_label_free(outcomes))
    strengths = _varying(_strengths([policy for policy, _ in probed]))
    references = _varying(
        {name: np.array([getattr(o, name) for o in outcomes], float) for name in AGAINST_PROBE}
    )
    if np.ptp(probe) == 0 or not (proxies or references):
        return None
    confounders = _confounders(proxies, strengths, probe)
    found = []
    for name, values in {**proxies, **references}.items():
        seen = spearman(values, probe)
        found.append(
            Proxy(
                name=name,
                correlation=seen.value,
                interval=(seen.low, seen.high),
                confounders=confounders.get(name, ()),
            )
        )
    found.sort(key=lambda proxy: -proxy.correlation)
    return ProxyAudit(trials=len(probed), proxies=tuple(found))


def strength(op: PolicyOp) -> float:
    """How much of what an operation can do it does on average, in [0, 1]; not for groups.

    The gate times the largest of its magnitudes, each as a share of the way from the identity to
    its far bound.
    """
    values = op.values()
    shares = [
        abs(values[p.name] - p.identity) / max(abs(p.high - p.identity), abs(p.low - p.identity))
        for p in op.operation.parameters
        if p.identity is not None
    ]
    return op.p * max(shares, default=1.0)


def space_warning(space: Space, config: EvaluateConfig) -> str:
    """What is known beforehand to mislead a search of `space` by its score; empty if nothing."""
    if config.score not in BY_CONSTRUCTION:
        return ""
    ops, reason = BY_CONSTRUCTION[config.score]
    sections = (space.ops, space.view1, space.view2)
    present = {op.op for section in sections for op in walk(section or ())}
    if not ops & present:
        return ""
    return f"the score {config.score} is confounded by {', '.join(sorted(ops & present))}: {reason}"


def in_words(verdict: Verdict, config: EvaluateConfig) -> Verdict:
    """The verdict as it must be read if its scores come from no label; otherwise itself."""
    if not config.label_free:
        return verdict
    return verdict.model_copy(
        update={
            "sentence": f"{verdict.sentence} No label was used: points are of {config.score}, a "
            "proxy, which is not the accuracy.",
            "advice": f"{verdict.advice} Before you rely on it, label some images of each class "
            "and run a study with evaluate.score: probe.",
            "basis": verdict.basis.replace(OTHER_SEEDS, "other seeds"),
        }
    )


Columns = dict[str, NDArray[np.float64]]


def _varying(columns: Columns) -> Columns:
    return {
        name: values
        for name, values in columns.items()
        if np.isfinite(values).all() and np.ptp(values) > 0
    }


def _label_free(outcomes: Sequence[Outcome]) -> Columns:
    names = set.intersection(*(set(outcome.label_free) for outcome in outcomes))
    return {
        name: np.array([outcome.label_free[name] for outcome in outcomes]) for name in sorted(names)
    }


def _strengths(policies: Sequence[Policy]) -> Columns:
    """Strength by operation, mean over both views; and the mean over all that occur."""
    rows = []
    for policy in policies:
        row: dict[str, float] = {}
        for op, share in (found for ops in policy.views for found in _shares(ops)):
            row[op.instance] = row.get(op.instance, 0.0) + share * strength(op) / 2
        rows.append(row)
    names = sorted({name for row in rows for name in row})
    columns = {name: np.array([row.get(name, 0.0) for row in rows]) for name in names}
    return {**columns, OVERALL: np.mean(list(columns.values()), axis=0)} if columns else {}


def _shares(ops: Iterable[PolicyOp]) -> Iterator[tuple[PolicyOp, float]]:
    """Every single operation with the share of samples that its group gives it."""
    for op in ops:
        if isinstance(op, OneOf):
            yield from ((member, op.p / len(op.ops)) for member in op.ops)
        else:
            yield op, 1.0


def _confounders(
    proxies: Columns, strengths: Columns, probe: NDArray[np.float64]
) -> dict[str, tuple[Confounder, ...]]:
    tested = [(proxy, what) for proxy in proxies for what in strengths]
    partials = [_partial(proxies[p], strengths[w], probe) for p, w in tested]
    degrees = len(probe) - 3
    p_values = [
        2 * float(stats.t.sf(abs(r) * np.sqrt(degrees / max(1 - r**2, 1e-12)), degrees))
        for r in partials
    ]
    found: dict[str, list[Confounder]] = {}
    for (name, what), partial, p_value in zip(tested, partials, holm(p_values), strict=True):
        correlation = spearman(proxies[name], strengths[what]).value
        if p_value <= LEVEL and abs(correlation) > abs(spearman(proxies[name], probe).value):
            found.setdefault(name, []).append(
                Confounder(what=what, correlation=correlation, given_probe=partial)
            )
    return {
        name: tuple(sorted(several, key=lambda c: -abs(c.correlation)))
        for name, several in found.items()
    }


def _partial(
    one: NDArray[np.float64], other: NDArray[np.float64], given: NDArray[np.float64]
) -> float:
    """Spearman correlation of two columns with a third held fixed; 0 where that leaves nothing."""
    both, first, second = (
        spearman(a, b).value for a, b in ((one, other), (one, given), (other, given))
    )
    scale = np.sqrt((1 - first**2) * (1 - second**2))
    return float(np.clip((both - first * second) / scale, -1, 1)) if scale > 1e-9 else 0.0
