"""The pictures that an explanation leaves."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from augsearch.explaining.examine import Examined
from augsearch.explaining.maps.faithful import DRAWS, Tested, named_area
from augsearch.explaining.result import (
    Check,
    Explained,
    Pointed,
)
from augsearch.pictures.explained import (
    RIGHT,
    WRONG,
    Landscape,
    Tile,
    landscape_png,
    rows_png,
    tiles_png,
)
from augsearch.pictures.matrix import GREY, INK
from augsearch.words import interval, percent

WRONG_SHEET, RIGHT_SHEET, MAP = "explained-wrong.png", "explained-right.png", "map.png"
UNSURE_SHEET, SUSPECT_SHEET = "unsure.png", "suspects.png"
SHEETS = (WRONG_SHEET, RIGHT_SHEET, MAP, UNSURE_SHEET, SUSPECT_SHEET)
"""All that an explanation may write; where there is nothing to show, one is left out."""
LISTED = 48
"""Suspects on the sheet; the table has all."""


def pictures_of(examined: Examined, found: Explained, seed: int) -> dict[str, bytes]:
    """All pictures of an explanation, by the names of their files."""
    files = {MAP: _map_picture(examined, found)}
    for name, right in ((WRONG_SHEET, False), (RIGHT_SHEET, True)):
        numbers = [n for n, one in enumerate(found.decisions) if one.right == right]
        if numbers:
            files[name] = _explained(examined, found, numbers, seed)
    if found.unsure:
        tiles = [
            Tile(
                np.asarray(examined.open.images.images[examined.open.rows[place]]),
                (
                    (f"{one.confidence:.0%} {one.guess}", INK),
                    (f"or {one.second}", GREY),
                    (one.path, GREY),
                ),
            )
            for place, one in zip(examined.unsure.tolist(), found.unsure, strict=True)
        ]
        files[UNSURE_SHEET] = tiles_png(tiles, title="Least sure, to be labelled next")
    if found.suspects:
        files[SUSPECT_SHEET] = _suspect_sheet(examined, found)
    return files


def _suspect_sheet(examined: Examined, found: Explained) -> bytes:
    tiles = []
    for place, one in zip(examined.suspects.found.places.tolist(), found.suspects, strict=True):
        answers, _, row = examined.suspects.where(place)
        tiles.append(
            Tile(
                np.asarray(answers.images.images[answers.rows[row]]),
                (
                    (f"labelled {one.label}", WRONG),
                    (f"{one.confidence:.0%} {one.instead}", INK),
                    (one.path, GREY),
                ),
            )
        )
    more = f", the first {LISTED} of {len(tiles)}" if len(tiles) > LISTED else ""
    return tiles_png(tiles[:LISTED], title=f"Labels that may be wrong{more}")


def _explained(examined: Examined, found: Explained, numbers: Sequence[int], seed: int) -> bytes:
    decisions, pool = examined.decisions, examined.images.pool.images
    methods = list(decisions.tested)
    areas = {name: named_area(one.maps, seed) for name, one in decisions.tested.items()}
    rows = []
    for number in numbers:
        one = found.decisions[number]
        image = np.asarray(examined.sealed.images.images[decisions.rows[number]])
        ink = RIGHT if one.right else WRONG
        tiles = [
            Tile(
                image,
                (
                    (f"is {one.label}", INK),
                    (f"{one.confidence:.0%} {one.guess}", ink),
                    (one.path, GREY),
                ),
            ),
            *(
                _map_tile(image, pointed, decisions.tested[name], areas[name], number)
                for name, pointed in zip(methods, one.maps, strict=True)
            ),
            *(
                Tile(
                    np.asarray(pool.images[row]),
                    (
                        (near.label, INK if near.label == one.guess else WRONG),
                        (f"likeness {near.similarity:.2f}", GREY),
                        (near.path, GREY),
                    ),
                )
                for row, near in zip(decisions.near[0][number].tolist(), one.nearest, strict=True)
            ),
        ]
        rows.append(tiles)
    kind = "Right" if found.decisions[numbers[0]].right else "Wrong"
    near = len(found.decisions[numbers[0]].nearest)
    return rows_png(
        rows,
        [("sealed image", 1), *((name, 1) for name in methods), ("nearest it learnt from", near)],
        title=f"{kind} decisions of {examined.classifier.directory.name}",
        remark="White edges hold the fifth of the image that a map names. The score falls by so "
        "much where that is covered; elsewhere: the median of as large areas of the same shape. "
        + " ".join(_said(check) for check in found.checks),
    )


def _said(check: Check) -> str:
    part = check.holds
    passed = "passed" if check.passed else "NOT passed"
    return (
        f"{check.method}: falls more than elsewhere in {percent(part.value)} % "
        f"({interval((part.low, part.high))}) of decisions; check {passed}."
    )


def _map_tile(
    image: NDArray[np.uint8], pointed: Pointed, one: Tested, areas: NDArray[np.bool_], number: int
) -> Tile:
    holds = pointed.falls > pointed.elsewhere
    return Tile(
        image,
        (
            (f"falls by {_nats(pointed.falls)}", RIGHT if holds else WRONG),
            (f"elsewhere {_nats(pointed.elsewhere)}", GREY),
            (f"above {pointed.beats * DRAWS:.0f} of {DRAWS} places", GREY),
        ),
        one.maps[number],
        areas[number],
    )


def _nats(fall: float) -> str:
    return f"{fall:.2f}".replace("-0.00", "0.00")


def _map_picture(examined: Examined, found: Explained) -> bytes:
    landed, pool, sealed = examined.landed, examined.images.pool.images, examined.images.sealed
    wrong = dict(zip(examined.sealed.rows.tolist(), examined.sealed.wrong.tolist(), strict=True))
    learnt = len(landed.pool)
    return landscape_png(
        landed.places,
        Landscape(
            classes=pool.classes,
            sealed=np.arange(learnt + len(landed.sealed)) >= learnt,
            labels=np.concatenate([pool.labels[landed.pool], sealed.labels[landed.sealed]]),
            wrong=np.array(
                [False] * learnt + [wrong.get(row, False) for row in landed.sealed.tolist()]
            ),
            groups=np.concatenate(
                [
                    pool.groups[landed.pool],
                    pool.groups.max() + 1 + sealed.groups[landed.sealed],
                ]
            ),
        ),
        title=f"What the encoder sees: PCA shows {percent(found.spread)} % of the variance",
    )
