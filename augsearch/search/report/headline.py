"""The answer with what must be read with it, or where the study stands."""

from __future__ import annotations

from collections.abc import Sequence

from augsearch.report.sections.classes import ClassEffects
from augsearch.report.sections.fidelity import CertificateRead
from augsearch.report.sections.results import PolicyRow
from augsearch.report.sections.verdict import Headline
from augsearch.search.result.next_steps import next_steps
from augsearch.search.result.result import StudyResult
from augsearch.store.runs import CONFIRMATION, SCORING
from augsearch.store.sealed import MANY_USES, sealed_note
from augsearch.store.study_store import Store
from augsearch.words import listed


def verdict_headline(
    result: StudyResult,
    finished: int,
    effects: ClassEffects | None,
    certificate: CertificateRead | None,
    score: str,
    command: str,
) -> Headline:
    """The verdict.

    Args:
        finished: trials by now.
        score: what the search went by.
        command: that goes on with the study.
    """
    notes, warnings = _certified(certificate), []
    if result.supervised and result.supervised.sentence not in result.verdict.sentence:
        notes.append(result.supervised.sentence)
    more = finished - result.trials["complete"] - result.trials["pruned"]
    if more > 0:
        warnings.append(
            f"this verdict is older than the study's last {more} trials, which have not been "
            f"confirmed; go on with: {command}"
        )
    if result.scoring < SCORING:
        warnings.append(
            "an older version of augsearch judged this: it scored all seeds with the same labels, "
            "and its intervals are too narrow where classes have few images; it is judged anew "
            f"by: {command}"
        )
    if effects and (losing := effects.those_that("loses")):
        named = listed([one.in_words for one in losing])
        notes.append(f"Against {effects.theirs} it costs these classes recall: {named}.")
    if kept := result.kept_classes:
        (notes if kept.holds else warnings).append(kept.sentence)
    if uses := sealed_note(result.sealed_split_uses):
        (warnings if result.sealed_split_uses > MANY_USES else notes).append(uses)
    if result.proxies and (misleading := result.proxies.warning(score)):
        warnings.append(misleading)
    return Headline(
        title="The verdict",
        finished=True,
        sentence=result.verdict.sentence,
        advice=result.verdict.advice,
        basis=result.verdict.basis,
        notes=tuple(notes),
        warnings=tuple(warnings),
        badge=result.verdict.badge,
        tone=result.verdict.tone,
        steps=tuple((step.what, step.command) for step in next_steps(result)),
    )


def unfinished_headline(
    store: Store,
    wanted: int,
    running: bool,
    rows: Sequence[PolicyRow],
    certificate: CertificateRead | None,
    command: str,
) -> Headline:
    """Where a study without a verdict stands.

    Args:
        wanted: trials that were asked for.
        running: whether another process is adding to it.
        command: that goes on with it.
    """
    state = "is still running" if running else "is not finished"
    stand = f"{len(store.finished())} of {wanted} trials are"
    if confirmed := len(store.runs(CONFIRMATION)):
        stand = f"all trials and {confirmed} runs of the confirmation are"
    candidates = [row for row in rows if row.kind == "candidate" and row.search is not None]
    best = max(candidates, key=lambda row: row.search or 0.0, default=None)
    ahead = f" Best so far: {best.name}, {100 * (best.search or 0):.1f} %." if best else ""
    go_on = (
        "Write the report again when it has ended; `run` does so by itself."
        if running
        else f"Go on with: {command}"
    )
    return Headline(
        title="No verdict yet",
        finished=False,
        sentence=f"This study {state}: {stand} done.{ahead}",
        advice=go_on,
        basis="Scores of single seeds in the search; nothing is decided before the confirmation.",
        notes=(*_triage(store), *_certified(certificate)),
    )


def _triage(store: Store) -> list[str]:
    found = store.kept.triage
    return [f"Triage says: {found['title']}. {found['reason']}"] if found else []


def _certified(certificate: CertificateRead | None) -> list[str]:
    return [f"{certificate.sentence} {certificate.advice}"] if certificate else []
