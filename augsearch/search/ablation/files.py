"""What an ablation writes: pictures, a table for a spreadsheet, and everything as JSON."""

from __future__ import annotations

import json

import pandas as pd

from augsearch.files import csv_bytes
from augsearch.pictures.matrix import (
    Row,
    Square,
    StrengthPoint,
    class_png,
    curves_png,
    gains_png,
    matrix_png,
)
from augsearch.search.ablation.result import Ablation, CellResult, Gain

CURVES = {"simclr": "SimCLR, few-label probe", "supervised": "supervised, with as few labels"}
PALE = "Pale: not shown to differ"
HOLM = "(Holm's correction, 5 %)"


def ablation_files(found: Ablation) -> dict[str, bytes]:
    """File name -> content; all names begin with the ablation's title."""
    content = json.dumps(found.model_dump(mode="json"), indent=2, ensure_ascii=False) + "\n"
    return {
        f"{found.title}.json": content.encode(),
        f"{found.title}.csv": csv_bytes(_table(found)),
        **{
            f"{found.title}{suffix}.png": picture
            for suffix, picture in ablation_pictures(found).items()
        },
    }


def ablation_pictures(found: Ablation) -> dict[str, bytes]:
    """PNGs by what is added to the title; the main picture, which comes first, adds nothing."""
    if found.mode == "pairs":
        return {"": _matrix(found)}
    if found.mode == "strength":
        return {"": _curves(found)}
    gains = _gains(found) if found.op_gains else b""
    classes = _classes(found) if found.class_gains else b""
    pictures = {"": gains, "-classes": classes}
    if found.mode == "classes":
        pictures = {"": classes, "-gains": gains}
    return {suffix: picture for suffix, picture in pictures.items() if picture}


def _title(found: Ablation, what: str) -> str:
    metric = found.metric.replace("_", " ")
    return (
        f"{what}\n{found.data['name']}, {metric}, {found.steps} steps, {len(found.seeds)} seeds, "
        "validation images"
    )


def _matrix(found: Ablation) -> bytes:
    cells = {(cell.op, cell.second): cell for cell in found.cells}
    branch = (
        "one branch is cropped and then augmented, the other cropped"
        if found.protocol == "simclr"
        else "both branches are augmented"
    )
    return matrix_png(
        found.ops,
        [[_cell_square(cells[row, column]) for column in found.ops] for row in found.ops],
        [100 * found.row_means[op] if op in found.row_means else None for op in found.ops],
        title=_title(found, f"Pairs of operations: {branch}"),
        footnote=f"In a frame: one operation alone. {PALE} from the better of its two operations "
        f"alone {HOLM}. Below each mean, half of its 95 % interval, without what a seed adds to "
        "all cells.",
    )


def _cell_square(cell: CellResult) -> Square:
    if cell.mean is None or cell.interval is None:
        return Square(None)
    diagonal = cell.op == cell.second
    return Square(
        100 * cell.mean,
        100 * cell.interval[0],
        100 * cell.interval[1],
        clear=diagonal or (cell.gain is not None and cell.gain.shown),
        framed=diagonal,
    )


def _curves(found: Ablation) -> bytes:
    curves = {}
    for training, label in CURVES.items():
        points = [
            StrengthPoint(cell.share, *(100 * value for value in (cell.mean, *cell.interval)))
            for cell in found.cells
            if cell.training == training
            and cell.share is not None
            and cell.mean is not None
            and cell.interval is not None
        ]
        if points:
            curves[label] = points
    name = found.ops[0]
    return curves_png(
        curves,
        title=_title(found, f"Strength of {name}"),
        x_axis=f"strength of {name}, % of the way to the bound of the space",
        y_axis=f"{found.metric.replace('_', ' ')}, %",
        footnote="Bands: 95 % intervals of the means, without what a seed adds to all strengths.",
    )


def _gains(found: Ablation) -> bytes:
    rows = [
        Row(one.op, one.gain.points, *one.gain.interval, clear=one.gain.shown)
        for one in found.op_gains
    ]
    against = "the policy itself" if found.mode == "add-one" else "the policy without it"
    return gains_png(
        rows,
        title=_title(found, f"What each operation gains, against {against}"),
        axis="points of score, with 95 % intervals over seeds",
        footnote=f"{PALE} from 0 {HOLM}.",
    )


def _classes(found: Ablation) -> bytes:
    gains = {(one.op, one.label): one.gain for one in found.class_gains}
    ops = list(dict.fromkeys(op for op, _ in gains))
    labels = list(dict.fromkeys(label for _, label in gains))

    def square(gain: Gain | None) -> Square:
        return Square(gain.points, *gain.interval, clear=gain.shown) if gain else Square(None)

    return class_png(
        ops,
        labels,
        [[square(gains.get((op, label))) for label in labels] for op in ops],
        title=_title(found, "Points of recall that each operation gives or takes, by class"),
        footnote=f"{PALE} from 0 {HOLM}. Below each mean, half of its 95 % interval over seeds.",
    )


def _table(found: Ablation) -> pd.DataFrame:
    """A row for each cell; where operations are compared, the gain is that of its operation."""
    rows = []
    of_ops = {one.op: one.gain for one in found.op_gains}
    for cell in found.cells:
        low, high = cell.interval or (None, None)
        gain = cell.gain or of_ops.get(cell.op)
        gain_low, gain_high = gain.interval if gain else (None, None)
        rows.append(
            {
                "cell": cell.name,
                "training": cell.training,
                "op": cell.op,
                "second": cell.second,
                "share": cell.share,
                "policy_digest": cell.digest,
                "mean": cell.mean,
                "low": low,
                "high": high,
                "gain_points": gain.points if gain else None,
                "gain_low": gain_low,
                "gain_high": gain_high,
                "gain_p": gain.p_value if gain else None,
                "gain_over": gain.against if gain else None,
                **{f"seed {seed}": s for seed, s in zip(found.seeds, cell.scores, strict=False)},
                **{f"recall {label}": value for label, value in cell.class_recall.items()},
            }
        )
    return pd.DataFrame(rows)
