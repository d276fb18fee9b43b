"""Confirmation runs made of random numbers, for tests of the statistics."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from augsearch.search.confirm.race import RacePlan, run_race
from augsearch.stats.scored_images import ScoredImages

FLOOR = "untrained encoder"


class Run(NamedTuple):
    score: float
    hits: Sequence[int] = ()
    seen: Sequence[int] = ()


def runs(scores):
    return [Run(float(score)) for score in scores]


def images(count, classes=5, group=1, draws=20, by_class=True):
    labels = np.arange(count) % classes
    groups = (np.arange(count) // classes // group) * classes + labels
    return ScoredImages(labels, groups, draws, by_class)


def hit_runs(hits, sample):
    """Runs of `[S, n]` hits with the score that goes with them."""
    shares = hits / sample.draws
    classes = [sample.labels == label for label in np.unique(sample.labels)]
    return [Run(float(np.mean([row[c].mean() for c in classes])), row_hits) for row, row_hits in
            zip(shares, hits, strict=True)]  # fmt: skip


def race_of(scores, plan=None, sample=None, asked=None):
    """The race of `scores`, by kind and name: a list of scores or of runs, by seed."""
    table = {name: row for kind in scores.values() for name, row in kind.items()}
    table = {
        name: [run if isinstance(run, Run) else Run(float(run)) for run in row]
        for name, row in table.items()
    }
    least = min(len(row) for row in table.values())
    plan = plan or RacePlan(
        len(scores["candidates"]), len(scores["baselines"]), least, least, runs=0
    )

    def fetch(wanted):
        if asked is not None:
            asked.append(list(wanted))
        return {(name, seed): table[name][seed - 1] for name, seed in wanted}

    return run_race(
        list(scores["candidates"]), list(scores["baselines"]), FLOOR, plan, sample, fetch
    )
