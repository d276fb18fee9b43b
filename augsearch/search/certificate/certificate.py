"""From scores of short and long runs to what short runs are worth. Statistics, no training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from pydantic import BaseModel, ConfigDict, Field
from scipy import stats

from augsearch.errors import StudyError
from augsearch.stats.ranks import Interval, kendall, slope, spearman

FEWEST = 6
"""Policies below which a rank correlation says nothing."""
AGREE = 0.8
"""Rank correlation with the longest runs from which on a budget ranks well enough."""
SURE = 0.5
"""Where its interval must begin for that to be believed."""


@dataclass(frozen=True)
class Tried:
    """One policy at every budget.

    Attributes:
        name: `trial N` or a baseline's name.
        chosen: it is here because its short score was among the best; such policies say what the
            choice lost, but not how well a ranking agrees with another.
        strength: how far apart its two views are, 0 for none.
        short: its score in the search, of one seed.
        scores: for each longer budget in optimiser steps, the score of each fresh seed; the same
            seeds for all policies, others for each budget. The first of a shorter budget counts.
    """

    name: str
    chosen: bool
    strength: float
    short: float
    scores: Mapping[int, Sequence[float]]

    def mean(self, steps: int) -> float:
        return float(np.mean(self.scores[steps]))


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Agreement(_Part):
    """How a budget's ranking agrees with that of the longest runs, over unchosen policies."""

    steps: int = Field(description="optimiser steps of the shorter runs, of one seed")
    spearman: float = Field(description="rank correlation of one seed with the longest runs")
    interval: tuple[float, float] = Field(description="95 % interval of spearman")
    kendall: float = Field(description="Kendall's tau-b of the same")
    doubt: float = Field(
        description="difference of two short scores above which the longest runs put them in the "
        "same order in 95 of 100 cases, in points"
    )


class Certificate(_Part):
    """How far a study's short runs can be trusted."""

    study: str = Field(description="the study's name")
    steps: int = Field(description="optimiser steps of a trial")
    longest: int = Field(description="optimiser steps of the longest runs")
    seeds: int = Field(description="fresh seeds of the longest runs")
    policies: int = Field(description="unchosen policies behind every rank correlation")
    budgets: tuple[Agreement, ...] = Field(description="trials first, then longer budgets")
    regret: float = Field(
        description="points that the longest runs lose by the policy that was best in the search, "
        "on seeds that did not choose the better one; below 0 if that was chance"
    )
    best: str = Field(description="the policy that is best in the longest runs")
    tried: tuple[Tried, ...] = Field(
        default=(), description="every policy with its scores, best of the longest runs first"
    )
    bias: float = Field(
        description="points that a policy gains in the longest runs over its short score, for each "
        "unit by which its views are farther apart; positive: short runs favour weak policies"
    )
    bias_interval: tuple[float, float] = Field(description="95 % interval of bias")
    lead: float | None = Field(
        default=None,
        description="points by which two policies differ in the longest runs, for each point by "
        "which they differ in short ones; the noise of short runs makes it smaller, too",
    )
    lead_interval: tuple[float, float] | None = Field(
        default=None, description="95 % interval of lead"
    )
    sentence: str = Field(description="the finding in words")
    advice: str = Field(description="what to do")

    @property
    def lead_words(self) -> str:
        """How much of a lead is left in the longest runs; empty in old certificates."""
        if self.lead is None or self.lead_interval is None:
            return ""
        low, high = self.lead_interval
        return (
            f"Of a point of lead after {self.steps} steps, {self.lead:.2f} are left after "
            f"{self.longest} (95 % interval {low:.2f} to {high:.2f})."
        )


def certify_scores(study: str, steps: int, tried: Sequence[Tried]) -> Certificate:
    """The certificate of policies that were tried at several budgets.

    Args:
        steps: of a trial.
        tried: at least `FEWEST` that were not chosen.

    Raises:
        ValueError: too few policies that were not chosen.
        StudyError: all of them score the same.
    """
    fair = [policy for policy in tried if not policy.chosen]
    if len(fair) < FEWEST:
        raise ValueError(f"{len(fair)} unchosen policies are too few to compare rankings")
    budgets = sorted(tried[0].scores)
    longest = budgets[-1]
    columns = [[p.short for p in fair], *([p.scores[b][0] for p in fair] for b in budgets)]
    if level := next((column for column in columns if len(set(column)) == 1), None):
        raise StudyError(
            f"all {len(fair)} policies score {100 * level[0]:.1f} at one of the budgets, so that "
            "there are no ranks to compare; fewer labels a class (evaluate.labels_per_class), "
            "smaller or harder images would tell them apart"
        )
    agreements = [
        _agreement(steps, [p.short for p in fair], fair, longest),
        *(_agreement(b, [p.scores[b][0] for p in fair], fair, longest) for b in budgets[:-1]),
    ]
    first = max(tried, key=lambda policy: policy.short)
    ordered = sorted(tried, key=lambda policy: policy.mean(longest), reverse=True)
    gain = 100 * np.array([policy.mean(longest) - policy.short for policy in fair])
    bias = slope(np.array([policy.strength for policy in fair]), gain)
    lead = slope(
        np.array([policy.short for policy in fair]),
        np.array([policy.mean(longest) for policy in fair]),
    )
    sentence, advice = _in_words(agreements, longest, bias, len(fair))
    return Certificate(
        study=study,
        steps=steps,
        longest=longest,
        seeds=len(tried[0].scores[longest]),
        policies=len(fair),
        budgets=tuple(agreements),
        regret=100 * _regret(first, tried, longest),
        best=ordered[0].name,
        tried=tuple(ordered),
        bias=bias.value,
        bias_interval=(bias.low, bias.high),
        lead=lead.value,
        lead_interval=(lead.low, lead.high),
        sentence=sentence,
        advice=advice,
    )


def _regret(first: Tried, tried: Sequence[Tried], longest: int) -> float:
    """What the longest runs lose by `first`.

    The best policy is chosen by all seeds but one and judged by that one, each in turn: on the
    seeds that chose it, it would look better than it is. A single seed does both.
    """
    scores = np.array([policy.scores[longest] for policy in tried])  # [policies, seeds]
    own = np.array(first.scores[longest])
    seeds = range(scores.shape[1])
    if len(seeds) == 1:
        return float(scores.max() - own[0])
    best = [int(np.delete(scores, seed, axis=1).mean(axis=1).argmax()) for seed in seeds]
    return float(np.mean([scores[best[seed], seed] - own[seed] for seed in seeds]))


def _agreement(
    steps: int, scores: Sequence[float], policies: Sequence[Tried], longest: int
) -> Agreement:
    short = np.array(scores)
    long = np.array([policy.mean(longest) for policy in policies])
    rank = spearman(short, long)
    # A difference of two short scores errs by sqrt(2) times what one of them does.
    error = float((long - short).std(ddof=1))
    return Agreement(
        steps=steps,
        spearman=rank.value,
        interval=(rank.low, rank.high),
        kendall=kendall(short, long).value,
        doubt=100 * float(stats.norm.ppf(0.95)) * np.sqrt(2) * error,
    )


def _in_words(
    budgets: Sequence[Agreement], longest: int, bias: Interval, policies: int
) -> tuple[str, str]:
    trial = budgets[0]
    seen = (
        f"rank correlation {trial.spearman:.2f} with runs of {longest} steps (95 % interval "
        f"{trial.interval[0]:.2f} to {trial.interval[1]:.2f})"
    )
    tilt = ""
    if bias.low > 0:
        tilt = " They favour weak policies: stronger ones gain more from longer training."
    elif bias.high < 0:
        tilt = " They favour strong policies: weaker ones gain more from longer training."
    if trial.spearman >= AGREE and trial.interval[0] < SURE:
        return (
            f"Short runs seem to rank this space as long ones do, but {policies} policies are too "
            f"few to be sure: {seen}.{tilt}",
            "Keep the budget for now, and certify with more policies (a larger --random, after "
            "more trials if need be) before differences are trusted.",
        )
    if trial.spearman >= AGREE:
        return (
            f"Short runs rank this space well enough to trust differences above {trial.doubt:.1f} "
            f"points: {seen}.{tilt}",
            "Keep the budget.",
        )
    enough = next((b for b in budgets[1:] if b.spearman >= AGREE and b.interval[0] >= SURE), None)
    if enough is None:
        return (
            f"Runs of {trial.steps} steps do not rank this space as long ones do: {seen}, and of "
            f"no budget below {longest} steps is it shown that it does.{tilt}",
            f"Lengthen trials to {longest} steps (pretrain.steps) or more, and certify again.",
        )
    return (
        f"Runs of {trial.steps} steps do not rank this space as long ones do: {seen}. Runs of "
        f"{enough.steps} steps do: {enough.spearman:.2f}.{tilt}",
        f"Lengthen trials to {enough.steps} steps (pretrain.steps).",
    )
