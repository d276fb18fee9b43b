"""What an explanation ends with, and the files that it leaves."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from augsearch.explaining.doubts import entropies
from augsearch.explaining.examine import Examined
from augsearch.explaining.report import explain_report
from augsearch.explaining.result import (
    RESULT_FILE,
    Check,
    Decision,
    Explained,
    Neighbour,
    Pointed,
    Suspect,
    Unsure,
)
from augsearch.explaining.sheets import pictures_of
from augsearch.files import csv_bytes, json_bytes
from augsearch.finetuning.result import Part
from augsearch.stats.proportions import share_of
from augsearch.words import interval, percent

PAGE = "explain.html"
HALF = 0.5
"""A check is passed if the interval of its share lies above."""
NOT_HELD = (
    "covering what the maps name is not shown to matter more than covering other places",
    "do not read them as reasons",
)
NOT_LEARNT = (
    "what the maps name is not shown to matter more than what maps of shuffled networks name",
    "they may show what is conspicuous in any image",
)
NOTHING = (
    "scores are not shown to fall further than those of shuffled networks",
    "there may be nothing learnt to explain",
)


def result_of(
    examined: Examined, *, name: str, uses: int, identity: dict[str, str], seconds: float
) -> Explained:
    """All that was found.

    Args:
        uses: how often the sealed images have been looked at.
    """
    found, sealed = examined.classifier.found, examined.sealed
    return Explained(
        name=name,
        classifier=str(examined.classifier.directory),
        data=examined.images.source.stored_as,
        classes=found.classes,
        sealed=len(sealed.rows),
        wrong=int(sealed.wrong.sum()),
        uses=uses,
        layer=examined.methods.layer.removeprefix("0.body."),
        notes=examined.notes,
        checks=tuple(_checks(examined)),
        decisions=tuple(_decision(examined, number) for number in range(len(_places(examined)))),
        spread=examined.landed.spread,
        umap="UMAP" in examined.landed.places,
        doubtful=len(examined.open.rows),
        unsure=tuple(_unsure(examined, place) for place in examined.unsure.tolist()),
        judged=examined.suspects.judged,
        suspects=tuple(_suspects(examined)),
        identity=identity,
        seconds=seconds,
    )


def output_files(
    examined: Examined, found: Explained, command: str, versions: dict[str, str], seed: int
) -> dict[str, bytes]:
    """Everything that is written: file name -> content.

    Args:
        command: what does it again.
    """
    pictures = pictures_of(examined, found, seed)
    return {
        **pictures,
        "decisions.csv": csv_bytes(_decision_table(found), float_format="%.5g"),
        "unsure.csv": csv_bytes(
            pd.DataFrame(
                [one.model_dump() for one in found.unsure], columns=list(Unsure.model_fields)
            ),
            float_format="%.4g",
        ),
        "suspects.csv": csv_bytes(
            pd.DataFrame(
                [one.model_dump() for one in found.suspects], columns=list(Suspect.model_fields)
            ),
            float_format="%.4g",
        ),
        "map.csv": csv_bytes(_map_table(examined), float_format="%.5g"),
        PAGE: _page(found, pictures, command, versions),
        RESULT_FILE: json_bytes(found.model_dump(mode="json")),
    }


def _page(
    found: Explained, pictures: dict[str, bytes], command: str, versions: dict[str, str]
) -> bytes:
    # plotly takes a second to import, which readers of other verbs should not wait for.
    from augsearch.report.page import html_page

    return html_page(explain_report(found, pictures, command, versions)).encode()


def _places(examined: Examined) -> list[int]:
    places: list[int] = examined.decisions.places.tolist()
    return places


def _checks(examined: Examined) -> list[Check]:
    decisions, sealed = examined.decisions, examined.sealed
    groups = sealed.images.groups[decisions.rows]
    checks = []
    for method, one in decisions.tested.items():
        holds, learnt, explains = (
            _part(hits, groups) for hits in (one.holds, one.learnt, one.explains)
        )
        told = ((holds, *NOT_HELD), (learnt, *NOT_LEARNT), (explains, *NOTHING))
        warnings = [
            f"{method}: {what} {_of(part)}: {so}" for part, what, so in told if part.low <= HALF
        ]
        checks.append(
            Check(
                method=method,
                holds=holds,
                learnt=learnt,
                explains=explains,
                warnings=tuple(warnings),
            )
        )
    return checks


def _of(part: Part) -> str:
    return f"({percent(part.value)} % of {part.of} decisions, {interval((part.low, part.high))})"


def _part(hits: NDArray[np.bool_], groups: NDArray[np.int64]) -> Part:
    share = share_of(hits, groups)
    assert share is not None
    return Part(value=share.value, low=share.low, high=share.high, of=share.of)


def _decision(examined: Examined, number: int) -> Decision:
    sealed, decisions = examined.sealed, examined.decisions
    place = int(decisions.places[number])
    names, pool = sealed.images.classes, examined.images.pool.images
    near, cosines = decisions.near
    return Decision(
        path=sealed.images.paths[int(decisions.rows[number])],
        label=names[sealed.labels[place]],
        guess=names[sealed.guesses[place]],
        confidence=float(sealed.probabilities[place].max()),
        maps=tuple(
            Pointed(
                method=method,
                falls=float(one.named[number]),
                elsewhere=float(one.usual[number]),
                beats=float(one.beats[number]),
            )
            for method, one in decisions.tested.items()
        ),
        nearest=tuple(
            Neighbour(path=pool.paths[row], label=names[pool.labels[row]], similarity=float(cosine))
            for row, cosine in zip(near[number].tolist(), cosines[number].tolist(), strict=True)
        ),
    )


def _unsure(examined: Examined, place: int) -> Unsure:
    answers = examined.open
    names, said = answers.images.classes, answers.probabilities[place]
    second, first = np.argsort(said, kind="stable")[-2:].tolist()
    return Unsure(
        path=answers.images.paths[int(answers.rows[place])],
        guess=names[first],
        confidence=float(said[first]),
        second=names[second],
        entropy=float(entropies(said[None])[0]),
    )


def _suspects(examined: Examined) -> list[Suspect]:
    found = examined.suspects
    names = examined.sealed.images.classes
    suspects = []
    for number, (place, instead) in enumerate(
        zip(found.found.places.tolist(), found.found.instead.tolist(), strict=True)
    ):
        answers, side, row = found.where(place)
        label, said = int(answers.labels[row]), answers.probabilities[row]
        alike, of = int(found.alike[number]), int(found.of[number])
        suspects.append(
            Suspect.model_validate(
                {
                    "path": answers.images.paths[int(answers.rows[row])],
                    "side": side,
                    "label": names[label],
                    "instead": names[instead],
                    "confidence": float(said[instead]),
                    "own": float(said[label]),
                    "neighbours": alike,
                    "of": of,
                    "reason": f"networks that did not learn this label say {names[instead]} at "
                    f"{percent(said[instead])} % and {names[label]} at {percent(said[label])} %; "
                    f"of the {of} nearest labelled images {alike} are {names[label]}",
                }
            )
        )
    return suspects


def _decision_table(found: Explained) -> pd.DataFrame:
    rows = [
        {
            "path": one.path,
            "label": one.label,
            "guess": one.guess,
            "confidence": one.confidence,
            **pointed.model_dump(),
            "nearest": "; ".join(f"{near.label} ({near.path})" for near in one.nearest),
        }
        for one in found.decisions
        for pointed in one.maps
    ]
    return pd.DataFrame(rows)


def _map_table(examined: Examined) -> pd.DataFrame:
    landed, sealed, pool = examined.landed, examined.images.sealed, examined.images.pool.images
    names = np.array(pool.classes)
    guesses = dict(
        zip(examined.sealed.rows.tolist(), examined.sealed.guesses.tolist(), strict=True)
    )
    told = [names[guesses[row]] if row in guesses else "" for row in landed.sealed.tolist()]
    table = pd.DataFrame(
        {
            "path": [pool.paths[r] for r in landed.pool] + [sealed.paths[r] for r in landed.sealed],
            "side": ["learnt from"] * len(landed.pool) + ["sealed"] * len(landed.sealed),
            "label": names[
                np.concatenate([pool.labels[landed.pool], sealed.labels[landed.sealed]])
            ],
            "guess": [""] * len(landed.pool) + told,
            "group": np.concatenate([pool.groups[landed.pool], sealed.groups[landed.sealed]]),
        }
    )
    for name, places in landed.places.items():
        table[f"{name.lower()}_x"], table[f"{name.lower()}_y"] = places.T
    return table
