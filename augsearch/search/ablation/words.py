"""The findings of an ablation in plain words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from augsearch.search.ablation.analysis import Findings
from augsearch.search.ablation.plan import Plan, Training
from augsearch.search.ablation.result import ALPHA, CellResult, ClassGain, Gain, OpGain
from augsearch.space.handbook.handbook import FAMILIES
from augsearch.space.policy_ops import OneOf, PolicyOp
from augsearch.stats.moderated import among_equals, moderated_means

NAMED = 4
"""Most things that a sentence lists."""

CHANGED_BY_PARAMETER = {
    "brightness": "brightness",
    "contrast": "contrast",
    "saturation": "saturation",
    "hue": "hue",
    "translate": "position",
    "zoom": "size",
    "shear": "shape",
}
CHANGED_BY_OP = {
    "resized_crop": "size or what lies at the edge",
    "horizontal_flip": "left or right",
    "vertical_flip": "up or down",
    "rotate90": "orientation",
    "rotation": "orientation",
    "grayscale": "colour",
    "rgb_shift": "colour",
    "channel_shuffle": "colour",
    "channel_dropout": "colour",
    "planckian_jitter": "colour",
    "erasing": "a small part",
}
CHANGED_BY_FAMILY = {
    "geometry": "shape",
    "colour and tone": "brightness",
    "sharpness and blur": "fine detail",
    "noise and loss": "fine detail",
    "weather": "brightness or fine detail",
    "light": "brightness",
}


def changed_by(op: PolicyOp) -> str:
    """What of an image an operation changes, in a word or two."""
    if isinstance(op, OneOf):
        return " or ".join(dict.fromkeys(changed_by(m) for m in op.ops if not m.is_identity()))
    parts = [CHANGED_BY_PARAMETER[p.name] for p in op.moved() if p.name in CHANGED_BY_PARAMETER]
    if op.op in ("color_jitter", "affine") and parts:
        *most, last = parts
        return f"one of {', '.join(most)} and {last}" if most else last
    families = (f for f, members in FAMILIES.items() if any(m.name == op.op for m in members))
    family = next(families, "")
    return CHANGED_BY_OP.get(op.op) or CHANGED_BY_FAMILY.get(family) or f"what {op.instance} alters"


def in_words(plan: Plan, found: Findings, changes: Mapping[str, str]) -> tuple[str, ...]:
    """The findings, the main one first.

    Args:
        changes: what each operation changes in an image, from `changed_by`.
    """
    if plan.mode == "pairs":
        sentences = _pairs(found)
    elif plan.mode == "strength":
        sentences = _strength(plan.ops[0], found.cells)
    else:
        sentences = [*_ops(found.op_gains), *_classes(found.class_gains, changes)]
        if plan.mode == "classes":
            sentences = [*_classes(found.class_gains, changes), *_ops(found.op_gains)]
    failed = [cell for cell in found.cells if cell.failure]
    if failed:
        names = _some([cell.name for cell in failed])
        sentences.append(f"Without a score, because a run failed: {names} ({failed[0].failure}).")
    return tuple(sentences)


def percent(cell: CellResult) -> str:
    """Mean and interval of a cell that has them."""
    assert cell.mean is not None and cell.interval is not None
    low, high = cell.interval
    return f"{100 * cell.mean:.1f} % (95 % interval {100 * low:.1f} to {100 * high:.1f})"


def points(gain: Gain, sign: int = 1) -> str:
    """A gain in points with its interval; `sign` -1 tells it as a loss."""
    low, high = sorted(sign * end for end in gain.interval)
    size = sign * gain.points
    return f"{size:.1f} points (95 % interval {low:.1f} to {high:.1f})"


def _some(names: Sequence[str]) -> str:
    more = len(names) - NAMED
    return ", ".join(names[:NAMED]) + (f" and {more} more" if more > 0 else "")


def _pairs(found: Findings) -> list[str]:
    scored = [cell for cell in found.cells if cell.mean is not None]
    pairs = [cell for cell in scored if cell.op != cell.second]
    if not pairs:
        return ["No pair could be scored."]
    best = max(pairs, key=lambda cell: cell.mean or 0.0)
    equals = _as_good(best, [cell for cell in scored if cell is not best])
    name = f"{best.op}, then {best.second}"
    claim = (
        "but the intervals do not allow calling it the best" if equals else "better than all others"
    )
    sentences = [f"The best pair is {name}: {percent(best)}, {claim}."]
    if equals:
        alone = sum(cell.op == cell.second for cell in equals)
        single = f", {alone} of them single operations" if alone else ""
        if alone == 1:
            single = ", one of them a single operation"
        sentences.append(
            f"{len(equals)} of {len(scored) - 1} other cells may be as good{single}: "
            f"{_some([cell.name for cell in equals])}."
        )
    better = [c for c in pairs if c.gain and c.gain.shown and c.gain.points > 0]
    worse = [c for c in pairs if c.gain and c.gain.shown and c.gain.points < 0]
    if not better and not worse:
        sentences.append(
            "No pair is shown to differ from the better of its two operations alone; "
            "more seeds (--replicates) would see smaller differences."
        )
    for cells, word in ((better, "better"), (worse, "worse")):
        if cells:
            cells.sort(key=lambda cell: -abs(cell.gain.points if cell.gain else 0.0))
            listed = [
                f"{c.op} then {c.second} by {abs(c.gain.points):.1f}" for c in cells if c.gain
            ]
            sentences.append(
                f"{len(cells)} of {len(pairs)} pairs are {word} than the better of their two "
                f"operations alone, in points: {_some(listed)}."
            )
    rows = sorted(found.row_means.items(), key=lambda row: -row[1])
    sentences.append(
        f"Means of the rows go from {100 * rows[-1][1]:.1f} % ({rows[-1][0]}) to "
        f"{100 * rows[0][1]:.1f} % ({rows[0][0]}); they are not tested against each other."
    )
    return sentences


def _as_good(best: CellResult, others: Sequence[CellResult]) -> list[CellResult]:
    """The others that `best` is not shown to differ from, best first.

    The best of many is best by luck as well, so differences are held against the range of as many
    equals (Tukey's test), not against a single pair of them.
    """
    if not others:
        return []
    gaps = np.array([np.subtract(best.scores, cell.scores) for cell in others])
    left = [
        cell
        for cell, gap in zip(others, moderated_means(gaps), strict=True)
        if among_equals(gap, len(others) + 1) >= ALPHA
    ]
    return sorted(left, key=lambda cell: -(cell.mean or 0.0))


def _ops(gains: Sequence[OpGain]) -> list[str]:
    sentences = []
    for one in sorted(gains, key=lambda one: -one.gain.points):
        if one.gain.shown:
            sign = 1 if one.gain.points > 0 else -1
            verb = "gains" if sign > 0 else "costs"
            sentences.append(f"{one.op} {verb} {points(one.gain, sign)}.")
    if silent := [one for one in gains if not one.gain.shown]:
        widest = max(max(abs(end) for end in one.gain.interval) for one in silent)
        sentences.append(
            f"Not shown to help or to hurt: {', '.join(one.op for one in silent)} (each less than "
            f"{widest:.1f} points either way, as far as its 95 % interval goes)."
        )
    return sentences


def _classes(gains: Sequence[ClassGain], changes: Mapping[str, str]) -> list[str]:
    losses = sorted(
        (one for one in gains if one.gain.shown and one.gain.points < 0),
        key=lambda one: one.gain.points,
    )
    sentences = [
        f"{changes[one.op][:1].upper()}{changes[one.op][1:]} matters to `{one.label}`: {one.op} "
        f"costs it {points(one.gain, -1)} of recall."
        for one in losses
    ]
    wins = [one for one in gains if one.gain.shown and one.gain.points > 0]
    wins.sort(key=lambda one: -one.gain.points)
    sentences += [
        f"`{one.label}` gains {points(one.gain)} of recall by {one.op}." for one in wins[:NAMED]
    ]
    if len(wins) > NAMED:
        sentences.append(f"{len(wins) - NAMED} more such gains are in the table.")
    if gains and not losses:
        sentences.append("No operation is shown to cost a class recall.")
    return sentences


WHO: Mapping[Training, str] = {"simclr": "SimCLR", "supervised": "Supervised training"}


def _strength(name: str, cells: Sequence[CellResult]) -> list[str]:
    sentences = []
    trainings: tuple[Training, ...] = ("simclr", "supervised")
    for training in trainings:
        own = [cell for cell in cells if cell.training == training and cell.mean is not None]
        if own:
            sentences.append(_best_strength(name, WHO[training], own))
    by_share = {
        cell.share: cell.gain
        for cell in cells
        if cell.training == "supervised" and cell.gain is not None
    }
    for cell in cells:
        other = by_share.get(cell.share)
        if cell.training != "simclr" or cell.gain is None or other is None:
            continue
        if cell.gain.shown and other.shown and cell.gain.points * other.points < 0:
            helped, hurt = ("SimCLR", "supervised training")
            if other.points > 0:
                helped, hurt = hurt, helped
            gap = abs(cell.gain.points), abs(other.points)
            first, second = gap if other.points < 0 else gap[::-1]
            sentences.append(
                f"At {cell.share:g} of the bound {name} helps {helped} by {first:.1f} points and "
                f"costs {hurt} {second:.1f}."
            )
    return sentences


def _best_strength(name: str, who: str, cells: Sequence[CellResult]) -> str:
    best = max(cells, key=lambda cell: cell.mean or 0.0)
    if not best.share:
        shown = [cell for cell in cells if cell.gain and cell.gain.shown]
        tail = (
            f"; at {shown[-1].share:g} it costs {points(shown[-1].gain, -1)}"
            if shown and shown[-1].gain
            else ", but no strength is shown to be worse"
        )
        return f"{who} is best without {name}: {percent(best)}{tail}."
    gain = best.gain
    against = f"; against none that is {points(gain)}" if gain else ""
    doubt = ", which may be chance (Holm's correction)" if gain and not gain.shown else ""
    return (
        f"{who} is best with {name} at {best.share:g} of the bound: {percent(best)}{against}"
        f"{doubt}."
    )
