"""What a pilot ends with, and the files that it leaves."""

from __future__ import annotations

import pandas as pd

from augsearch.files import csv_bytes, json_bytes
from augsearch.piloting.judge import Evidence, curves_of, gains_of
from augsearch.piloting.prepare import STUDY_FILE, Prepared
from augsearch.piloting.recommend import recommend
from augsearch.piloting.report import pilot_report
from augsearch.piloting.result import RESULT_FILE, Pilot
from augsearch.piloting.runs import pretraining_of, pretrainings
from augsearch.progress import Quiet
from augsearch.report.content import Report

PAGE, ONE_PAGER, TABLE = "report.html", "report.md", "curves.csv"


def result_of(evidence: Evidence, *, uses: int, at_once: int) -> Pilot:
    """All that was found.

    Args:
        uses: how often the sealed images have judged.
        at_once: processes that trained beside each other.
    """
    prepared = evidence.prepared
    regimes, images, wanted = prepared.regimes, prepared.images, prepared.pilot
    study, weights = prepared.recipe.study, regimes.get("weights")
    source = prepared.recipe.policy_source
    curves, gains = curves_of(evidence), gains_of(evidence)
    return Pilot(
        name=prepared.directory.name,
        study=study.name if study else None,
        policy=prepared.recipe.policy,
        policy_source=source,
        baseline=prepared.baseline,
        data=images.name,
        digest=regimes["nothing"].pool.digest,
        classes=images.classes,
        good=prepared.config.finetune.good,
        images=len(images),
        sealed=len(evidence.images.labels),
        uses=uses,
        encoder=regimes["nothing"].config.encoder.called,
        weights=weights.config.encoder.called if weights else None,
        image_size=images.image_size,
        weights_image_size=weights.pool.images.image_size if weights else None,
        steps=pretraining_of(prepared, pretrainings(prepared)[0], Quiet()).steps,
        labels=prepared.counts,
        seeds=wanted.seeds,
        curves=curves,
        gains=gains,
        recommendation=recommend(
            curves,
            gains,
            policy=f"The policy of {source}",
            seeds=wanted.seeds,
            classes=len(images.classes),
        ),
        label_seconds=wanted.label_seconds,
        label_rate=wanted.label_rate,
        machine_rate=wanted.machine_rate,
        currency=wanted.currency,
        device=str(prepared.device),
        at_once=at_once,
        identity=prepared.identity,
    )


def output_files(
    prepared: Prepared, found: Pilot, command: str, versions: dict[str, str]
) -> dict[str, bytes]:
    """Everything that is written: file name -> content.

    Args:
        command: what does it again.
    """
    return {
        **prepared.recipe.policy.files(),
        **pages(pilot_report(found, command, versions)),
        TABLE: _table(found),
        STUDY_FILE: json_bytes(prepared.asked.model_dump(mode="json")),
        "split.csv": csv_bytes(prepared.regimes["nothing"].pool.split),
        RESULT_FILE: json_bytes(found.model_dump(mode="json")),
    }


def pages(report: Report) -> dict[str, bytes]:
    """The report as HTML and as Markdown."""
    # plotly takes a second to import, which readers of other verbs should not wait for.
    from augsearch.report.markdown import markdown_page
    from augsearch.report.page import html_page

    return {PAGE: html_page(report).encode(), ONE_PAGER: markdown_page(report).encode()}


def _table(found: Pilot) -> bytes:
    """All points."""
    rows = [
        {
            "way": curve.way,
            "labels": point.labels,
            "score": point.score.mean,
            "low": point.score.low,
            "high": point.score.high,
            "missed": None if point.missed is None else point.missed.mean,
            "false_alarms": None if point.false_alarms is None else point.false_alarms.mean,
            "seconds": point.seconds,
        }
        for curve in found.curves
        for point in curve.points
    ]
    return csv_bytes(pd.DataFrame(rows), float_format="%.5g")
