"""Whether a search is worth it here, and what is if it is not."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

from augsearch.bench.bench import FROZEN
from augsearch.search.triage.findings import NOISE, Findings, Tried
from augsearch.search.triage.plan import TriagePlan
from augsearch.study.command import command_line
from augsearch.study.setup import Setup
from augsearch.words import interval, percent, points

Code = Literal["search", "as_it_is", "frozen", "labels_alone", "more_labels"]

WORTH = 0.01
"""A gain below it is none."""
LIKELY = 0.5
REACH_SURE = 1.28
"""Standard errors that the lead of labels must have to be one in nine cases of ten."""
SHOWN = 0.2
"""Probability below which a gain would most likely end as "not distinguishable"."""
GAIN_LEVEL = 0.8
BASELINE_FILE, ANSWER_FILE = "baseline.yaml", "triage.json"

TITLES: dict[Code, str] = {
    "search": "Search",
    "as_it_is": "Use {best} as it is",
    "frozen": "Use the pretrained features as they are",
    "labels_alone": "Use the labels, with augmentation",
    "more_labels": "More labels first",
}


class Gain(BaseModel):
    """What a search would gain over the best baseline, in [0, 1]; `low` and `high` are the ends of
    an 80 % interval."""

    model_config = ConfigDict(frozen=True)

    mean: float
    low: float
    high: float
    spread: float


class Triage(BaseModel):
    """The answer of a triage.

    Attributes:
        title: the answer in a few words.
        reason: why.
        next: a command, with what to do before it if anything.
        findings: what was found, in the order of the questions, by the images of the search.
        ways: all that was tried, best first.
        best: name of the best baseline.
        share: of the study's expected optimiser steps that the triage takes; the study goes on from
            most of them.
        finished: trials that were in it.
    """

    model_config = ConfigDict(frozen=True)

    study: str
    code: Code
    title: str
    reason: str
    next: str
    findings: tuple[str, ...]
    ways: tuple[Tried, ...]
    best: str
    gain: Gain
    detectable: float | None
    share: float
    finished: int


def answer(setup: Setup, found: Findings, plan: TriagePlan) -> Triage:
    """The answer, its reason and what to do next."""
    code = decide(found)
    low, high = found.gain.interval(GAIN_LEVEL)
    ways = sorted((found.floor, *found.tried, *found.labels), key=lambda way: -way.score)
    return Triage(
        study=setup.name,
        code=code,
        title=TITLES[code].format(best=found.best),
        reason=_reason(code, found, setup.config.search.trials),
        next=_next(code, found, setup),
        findings=tuple(_in_words(found, setup)),
        ways=tuple(ways),
        best=found.best,
        gain=Gain(mean=found.gain.mean, low=low, high=high, spread=found.gain.spread),
        detectable=found.detectable,
        share=plan.share,
        finished=len([one for one in found.tried if one.name.startswith("trial ")]),
    )


def decide(found: Findings) -> Code:
    """Which of the answers."""
    gain = found.gain
    searched = gain.best + gain.mean
    frozen = found.floor.name == FROZEN
    if frozen and searched < found.floor.score + WORTH:
        return "frozen"
    labelled = max((one.score for one in found.labels), default=0.0)
    apart = labelled - max(searched, found.floor.score)
    if found.labels and apart > REACH_SURE * found.label_error:
        return "labels_alone"
    if not frozen and gain.best < found.floor.score + 2 * NOISE:
        return "labels_alone" if apart > 0 else "more_labels"
    if gain.chance_above(WORTH) < LIKELY:
        return "as_it_is"
    if found.detectable is not None and gain.chance_shown(found.detectable) < SHOWN:
        return "more_labels"
    return "search"


def _reason(code: Code, found: Findings, trials: int) -> str:
    gain, best = found.gain, _score_of(found, found.best)
    low, high = (100 * end for end in gain.interval(GAIN_LEVEL))
    expected = (
        f"a search of {trials} trials is expected to gain {100 * gain.mean:.1f} points "
        f"(80 % interval {low:.1f} to {high:.1f})"
    )
    over = f"Over {found.best}, the best published policy here ({percent(best)} %), {expected}"
    match code:
        case "search":
            return f"{over}."
        case "as_it_is":
            return f"{over}, which is not likely to be a point or more."
        case "frozen":
            return (
                f"Without any training they reach {percent(found.floor.score)} %, adapted by "
                f"SimCLR under {found.best} {percent(best)} %, and {expected} on that."
            )
        case "labels_alone":
            way = found.labels[0]
            return (
                f"Trained with the labels of one draw instead of SimCLR, under {way.name}, the "
                f"encoder reaches {percent(way.score)} %, and a probe on SimCLR's features "
                f"{percent(best)} % under {found.best}; {expected} on that."
            )
        case "more_labels":
            if gain.best < found.floor.score + 2 * NOISE:
                return (
                    f"Nothing that was tried is shown to be better than the {found.floor.name} "
                    f"({percent(found.floor.score)} %), so that scores do not rank policies here."
                )
            return (
                f"{over}, but with these sealed images the confirmation would show it in "
                f"{100 * gain.chance_shown(found.detectable or 0):.0f} cases of 100 only."
            )


def _score_of(found: Findings, name: str) -> float:
    return next(one.score for one in found.tried if one.name == name)


def _next(code: Code, found: Findings, setup: Setup) -> str:
    file = setup.directory / BASELINE_FILE
    export = command_line("export", {"--policy": str(file), "--to": "kornia"})
    match code:
        case "search":
            return setup.command()
        case "as_it_is":
            return export
        case "frozen":
            return (
                "fit a classifier on the features of the encoder as it is (docs/triage.md), or "
                "label more images"
            )
        case "labels_alone":
            return export
        case "more_labels":
            return f"{_how_many(found)}, then again: {command_line('triage', setup.flags)}"


def _how_many(found: Findings) -> str:
    if found.detectable is None or found.gain.mean <= 0 or found.gain.mean >= found.detectable:
        return "label more images of every class"
    times = (found.detectable / found.gain.mean) ** 2
    return f"label about {times:.0f} times as many images" if times < 20 else "label many more"


def _in_words(found: Findings, setup: Setup) -> list[str]:
    """The questions in their order, each with what was found."""
    size = setup.image_set.image_size
    labelled = setup.data_facts["labelled"]
    enough = f"Labels: {labelled} labelled images of {setup.data_facts['classes']} classes"
    if found.detectable is not None:
        enough += (
            f"; a confirmation on the sealed ones shows gains from about "
            f"{100 * found.detectable:.1f} points on"
        )
    said = [enough + ".", _on_size(found, size)]
    floor = found.floor
    said.append(
        f"Without training: the {floor.name} reaches {percent(floor.score)} % "
        f"({interval(floor.interval)})."
    )
    if found.labels:
        ways = "; ".join(
            f"{percent(way.score)} % under {way.name} ({interval(way.interval)})"
            for way in found.labels
        )
        said.append(f"With the labels of one draw alone: {ways}.")
    baselines = [one for one in found.tried if not one.name.startswith("trial ")]
    ways = "; ".join(
        f"{percent(way.score)} % under {way.name} ({interval(way.interval)})"
        for way in baselines[:2]
    )
    said.append(f"SimCLR and a probe with as few labels: {ways}.")
    said.append(
        f"Policies differ by a standard deviation of {points(100 * found.gain.spread).lstrip('+')} "
        f"points, by {len(found.tried)} of them; two seeds of one policy by about "
        f"{100 * NOISE:.1f}, as on the embedded surfaces."
    )
    return said


def _on_size(found: Findings, size: int) -> str:
    choice = found.size
    if choice is None:
        return f"Size: {size} pixels; other sizes were not tried."
    here = next((probe for probe in choice.probes if probe.size == size), None)
    best = next(probe for probe in choice.probes if probe.loss is None)
    chosen = choice.chosen
    if here is None or here.size >= chosen.size:
        return f"Size: {size} pixels are enough, by probes on features of {choice.by}."
    return (
        f"Size: at {size} pixels features of {choice.by} reach {percent(here.score)} %, at "
        f"{best.size} {percent(best.score)} %; data.image_size: auto takes {chosen.size}, where "
        f"a trial takes {chosen.trial / here.trial:.1f} times as long."
    )
