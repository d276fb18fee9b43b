"""From the scores of the cells, seed by seed, to what an ablation found: pure numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from augsearch.bench.outcome import Outcome, mean_recall
from augsearch.search.ablation.plan import Cell, Comparison, Plan, Training
from augsearch.search.ablation.result import CellResult, ClassGain, Gain, OpGain
from augsearch.search.result.result import LEVEL
from augsearch.stats.classes import Widen, over_images_of_class
from augsearch.stats.corrections import holm
from augsearch.stats.crossed import MeanEstimate
from augsearch.stats.moderated import moderated_means, two_sided
from augsearch.stats.scored_images import ScoredImages

Key = tuple[Training, str]
"""How a cell is trained, and its name."""


@dataclass(frozen=True)
class Findings:
    """The statistics of an ablation, without where they come from; fields as in `Ablation`."""

    cells: tuple[CellResult, ...]
    row_means: dict[str, float]
    op_gains: tuple[OpGain, ...]
    class_gains: tuple[ClassGain, ...]


def analyse(
    plan: Plan,
    outcomes: Mapping[Key, Sequence[Outcome]],
    failures: Mapping[Key, str],
    images: ScoredImages | None = None,
) -> Findings:
    """From what the runs showed to the findings.

    Args:
        outcomes: of every cell whose runs all succeeded, seeds in one order.
        failures: of every other cell, why.
        images: what was scored; gains of classes then allow for other images, as far as it is
            known which ones each run had right.
    """
    scores = {key: np.array([o.score for o in runs]) for key, runs in outcomes.items()}
    means: dict[Key, MeanEstimate] = {}
    for training in ("simclr", "supervised"):
        own = {key: row for key, row in scores.items() if key[0] == training}
        if own:
            means |= dict(zip(own, comparable_means(np.stack(list(own.values()))), strict=True))
    possible = [(c, r) for c in plan.comparisons if (r := _reference(c, scores)) is not None]
    choices = max((len(c.against) for c, _ in possible), default=1)
    gains = _gains([(scores[_key(c)] - scores[r], r) for c, r in possible], choices)
    compared = [c for c, _ in possible]
    by_op = plan.mode in ("leave-one-out", "add-one", "classes")
    of_cells = {} if by_op else {_key(c): gain for c, gain in zip(compared, gains, strict=True)}
    of_ops = zip(compared, gains, strict=True) if by_op else ()
    return Findings(
        cells=tuple(_cell_result(cell, outcomes, means, failures, of_cells) for cell in plan.cells),
        row_means=_row_means(plan, means) if plan.mode == "pairs" else {},
        op_gains=tuple(OpGain(op=c.op, gain=gain) for c, gain in of_ops),
        class_gains=_class_gains(possible, outcomes, images) if by_op else (),
    )


def comparable_means(scores: NDArray[np.float64]) -> list[MeanEstimate]:
    """The mean of each cell of `[cells, seeds]`, with an error that is for comparing cells.

    A seed that is good for all cells says nothing about one of them, and the cells share their
    seeds: what a seed adds to all is taken off before the spread is looked at (Cousineau,
    Tutorials in Quantitative Methods for Psychology 1:42, 2005, with the correction of Morey, ibid.
    4:61, 2008).
    """
    cells = len(scores)
    if cells == 1:
        return moderated_means(scores)
    apart = (scores - scores.mean(axis=0)) * np.sqrt(cells / (cells - 1))
    return [
        replace(estimate, mean=float(own.mean()))
        for estimate, own in zip(moderated_means(apart), scores, strict=True)
    ]


def _key(comparison: Comparison) -> Key:
    return comparison.training, comparison.cell


def _reference(comparison: Comparison, scores: Mapping[Key, NDArray[np.float64]]) -> Key | None:
    """The best of what the cell is compared with; None if one of them failed."""
    keys: list[Key] = [(comparison.training, name) for name in comparison.against]
    if any(key not in scores for key in (*keys, _key(comparison))):
        return None
    return max(keys, key=lambda key: float(scores[key].mean()))


def _gains(
    rows: Sequence[tuple[NDArray[np.float64], Key]],
    choices: int = 1,
    over_images: Mapping[int, Widen] | None = None,
) -> list[Gain]:
    """Gains from differences `[seeds]`, with the cell that each is over; one family of tests.

    Differences learn their noise only from others that were trained in the same way.

    Args:
        choices: cells of which the better was taken as what a gain is over. A gain over the better
            one is one over each; a loss may be the luck of the better one, so its p-value counts
            as often as there were choices.
        over_images: by place in `rows`, what an estimate over seeds becomes over images as well.
    """
    found: dict[int, MeanEstimate] = {}
    for training in ("simclr", "supervised"):
        own = {place: row for place, (row, over) in enumerate(rows) if over[0] == training}
        if own:
            found |= dict(zip(own, moderated_means(np.stack(list(own.values()))), strict=True))
    widen = over_images or {}
    estimates = [
        widen[place](found[place]) if place in widen else found[place] for place in range(len(rows))
    ]
    corrected = holm([min(1.0, two_sided(e) * (choices if e.mean < 0 else 1)) for e in estimates])
    gains = []
    for estimate, p_value, (_, (_, against)) in zip(estimates, corrected, rows, strict=True):
        low, high = estimate.interval(LEVEL)
        gains.append(
            Gain(
                points=100 * estimate.mean,
                interval=(100 * low, 100 * high),
                p_value=p_value,
                against=against,
            )
        )
    return gains


def _cell_result(
    cell: Cell,
    outcomes: Mapping[Key, Sequence[Outcome]],
    means: Mapping[Key, MeanEstimate],
    failures: Mapping[Key, str],
    gains: Mapping[Key, Gain],
) -> CellResult:
    key = (cell.training, cell.name)
    runs, estimate = outcomes.get(key, ()), means.get(key)
    return CellResult(
        name=cell.name,
        op=cell.op,
        second=cell.second,
        share=cell.share,
        training=cell.training,
        digest=cell.policy.digest,
        scores=tuple(run.score for run in runs),
        mean=estimate.mean if estimate else None,
        interval=estimate.interval(LEVEL) if estimate else None,
        gain=gains.get(key),
        class_recall=mean_recall(runs),
        failure=failures.get(key, ""),
    )


def _row_means(plan: Plan, means: Mapping[Key, MeanEstimate]) -> dict[str, float]:
    rows: dict[str, list[float]] = {op: [] for op in plan.ops}
    for cell in plan.cells:
        if estimate := means.get((cell.training, cell.name)):
            rows[cell.op].append(estimate.mean)
    return {op: float(np.mean(row)) for op, row in rows.items() if row}


def _class_gains(
    possible: Sequence[tuple[Comparison, Key]],
    outcomes: Mapping[Key, Sequence[Outcome]],
    images: ScoredImages | None,
) -> tuple[ClassGain, ...]:
    found: list[tuple[str, str]] = []
    rows: list[tuple[NDArray[np.float64], Key]] = []
    over_images: dict[int, Widen] = {}
    for comparison, reference in possible:
        ours, theirs = outcomes[_key(comparison)], outcomes[reference]
        widen = over_images_of_class(ours, theirs, images) if images else {}
        for number, label in enumerate(ours[0].class_recall):
            gaps = [a.class_recall[label] - b.class_recall[label]
                    for a, b in zip(ours, theirs, strict=True)]  # fmt: skip
            if np.isfinite(gaps).all():
                if number in widen:
                    over_images[len(rows)] = widen[number]
                found.append((comparison.op, label))
                rows.append((np.array(gaps), reference))
    return tuple(
        ClassGain(op=op, label=label, gain=gain)
        for (op, label), gain in zip(found, _gains(rows, over_images=over_images), strict=True)
    )
