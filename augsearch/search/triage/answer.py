"""Whether a search is worth it here, and what is if it is not."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

from augsearch.bench.bench import FROZEN
from augsearch.notebook import Card, Carded
from augsearch.search.confirm.also import NONE
from augsearch.search.triage.findings import NOISE, Findings, Tried
from augsearch.search.triage.plan import TriagePlan
from augsearch.study.command import command_line
from augsearch.study.setup import Setup
from augsearch.words import counted, interval, listed, percent

Code = Literal["search", "as_it_is", "frozen", "labels_alone", "more_labels", "measures_nothing"]

WORTH = 0.01
"""A gain below it is none."""
LIKELY = 0.5
SURE = 1.28
"""Standard errors that a lead must have to be one in nine cases of ten."""
SHOWN = 0.2
"""Probability below which a gain would most likely end as "not distinguishable"."""
GAIN_LEVEL = 0.9
"""Of the model, for an interval that is called one of 80 %: on replays it holds 87 % of the gains,
and the model's own 80 % hold 72 (docs/evidence/triage.md)."""
BASELINE_FILE, ANSWER_FILE = "baseline.yaml", "triage.json"


class Gain(BaseModel):
    """What a search would gain over the best baseline, in [0, 1].

    Attributes:
        low, high: ends of an 80 % interval.
        worth: probability that it is a point or more.
        spread: standard deviation of the scores of policies.
    """

    model_config = ConfigDict(frozen=True)

    mean: float
    low: float
    high: float
    worth: float
    spread: float


class Triage(Carded, BaseModel):
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

    def card(self) -> Card:
        """What a notebook shows: the answer, its reason, the scores."""
        rows = tuple((w.title, percent(w.score), interval(w.interval)) for w in self.ways)
        return Card(
            self.title,
            (self.reason, f"Next: {self.next}"),
            ("policy", "score, %", "95 % interval"),
            rows,
        )


def answer(setup: Setup, found: Findings, plan: TriagePlan) -> Triage:
    """The answer, its reason and what to do next."""
    code = decide(found)
    low, high = found.gain.interval(GAIN_LEVEL)
    ways = (found.floor, *found.baselines, *found.trials, *found.labels)
    return Triage(
        study=setup.name,
        code=code,
        title=_title(code, found),
        reason=" ".join(
            filter(None, (_reason(code, found, setup.config.search.trials), caution(found)))
        ),
        next=_next(code, found, setup),
        findings=tuple(_in_words(found, plan, setup)),
        ways=tuple(sorted(ways, key=lambda way: -way.score)),
        best=found.best.name,
        gain=Gain(
            mean=found.gain.mean,
            low=low,
            high=high,
            worth=found.gain.chance_above(WORTH),
            spread=found.gain.spread,
        ),
        detectable=found.detectable,
        share=plan.share,
    )


def decide(found: Findings) -> Code:
    """Which of the answers."""
    gain, frozen = found.gain, found.floor.name == FROZEN
    promising = gain.chance_above(WORTH) >= LIKELY
    expected = gain.mean if promising else 0.0
    if frozen and gain.best + expected < found.floor.score + WORTH:
        return "frozen"
    lead, error = found.label_lead
    if found.labels and lead - expected > SURE * error:
        return "labels_alone"
    ceiling = found.best.score > 1 - WORTH
    if not frozen and not ceiling and gain.best < found.floor.score + 2 * NOISE:
        return "measures_nothing"
    if not promising:
        return "as_it_is"
    if found.detectable is not None and gain.chance_shown(found.detectable) < SHOWN:
        return "more_labels"
    return "search"


def caution(found: Findings) -> str:
    """A sentence where the published policies teach nothing of what a search may find; or empty.

    They are what the gain is foreseen from. Where the best of them ends below the encoder without
    training, a policy without what they have in common may be far above them all.
    """
    if found.floor.name == FROZEN or found.best.score > found.floor.score - 2 * NOISE:
        return ""
    return (
        f"But every published policy that was tried ends below the {found.floor.name} "
        f"({percent(found.floor.score)} %): they remove what tells these classes apart. A policy "
        "that leaves it alone may gain far more than is foreseen here, by SimCLR as with labels."
    )


def _title(code: Code, found: Findings) -> str:
    match code:
        case "search":
            return "Search"
        case "as_it_is":
            return f"Use {found.best.name} as it is"
        case "frozen":
            return "Use the pretrained features as they are"
        case "labels_alone":
            return f"Use the labels, {_with(found.labels[0])}"
        case "more_labels":
            return "More labels first"
        case "measures_nothing":
            return "This budget measures nothing here"


def _with(way: Tried) -> str:
    return "without augmentation" if way.name == NONE else "with augmentation"


def _reason(code: Code, found: Findings, trials: int) -> str:
    gain, best, floor = found.gain, found.best, found.floor
    low, high = (100 * end for end in gain.interval(GAIN_LEVEL))
    likely = f"{100 * gain.chance_above(WORTH):.0f} cases of 100"
    expected = (
        f"a search of {counted(trials, 'trial')} would gain a point or more in {likely}, "
        f"{100 * gain.mean:.1f} points on average (80 % interval {low:.1f} to {high:.1f})"
    )
    over = f"Over {best.name}, the best published policy here ({percent(best.score)} %), {expected}"
    shown = gain.chance_shown(found.detectable) if found.detectable is not None else None
    match code:
        case "search":
            chance = f"; the study would show it in {100 * shown:.0f} cases of 100" if shown else ""
            return f"{over}{chance}."
        case "as_it_is":
            return f"{over}."
        case "frozen":
            return (
                f"Without any training they reach {percent(floor.score)} %, adapted by SimCLR "
                f"under {best.name} {percent(best.score)} %, and {expected} on that."
            )
        case "labels_alone":
            way, (lead, _) = found.labels[0], found.label_lead
            return (
                f"Trained with the labels of one draw under {way.name}, the encoder reaches "
                f"{percent(way.score)} %: {100 * lead:+.1f} points against a probe with the same "
                f"labels on what SimCLR learns under {best.name}; {expected} on that."
            )
        case "more_labels":
            return f"{over}, but the study would show it in {100 * (shown or 0):.0f} cases of 100."
        case "measures_nothing":
            return (
                f"SimCLR under {best.name} reaches {percent(best.score)} %, the {floor.name} "
                f"{percent(floor.score)} %: scores do not tell which policy is better."
            )


def _next(code: Code, found: Findings, setup: Setup) -> str:
    export = command_line(
        "export", {"--policy": str(setup.directory / BASELINE_FILE), "--to": "kornia"}
    )
    # Another name: other images or settings are another study.
    again = setup.in_python or command_line("triage", {**setup.flags, "--name": None})
    unaugmented = found.labels and found.labels[0].name == NONE
    more = "take more images" if setup.source.folder is None else "label more images of every class"
    steps: dict[Code, str] = {
        "search": setup.in_python or setup.command(),
        "as_it_is": export,
        "frozen": "fit a classifier on the features of the encoder as it is (docs/triage.md)",
        "labels_alone": (
            "train the encoder with the labels, on images as they are"
            if unaugmented
            else f"train the encoder with the labels, under the views of: {export}"
        ),
        "more_labels": f"{more}, then: {again}",
        "measures_nothing": (
            "give trials more optimiser steps (pretrain.steps), larger images or more images, "
            f"then: {again}"
        ),
    }
    return steps[code]


def _in_words(found: Findings, plan: TriagePlan, setup: Setup) -> list[str]:
    """The questions in their order, each with what was found."""
    facts, search = setup.data_facts, setup.config.search
    enough = f"Labels: {facts['labelled']} labelled images of {facts['classes']} classes"
    if found.detectable is not None:
        enough += (
            f"; the confirmation shows a gain of {100 * found.detectable:.1f} points in four cases "
            "of five"
        )
    said = [f"{enough}.", _on_size(found, setup.image_set.image_size)]
    said.append(f"Without training: {_scores(found.floor)}.")
    if found.labels:
        said.append(f"With the labels of one draw alone: {_scores(*found.labels)}.")
    elif plan.supervised:
        said.append("With the labels alone: no run trained through.")
    else:
        said.append(
            "With the labels alone: not tried, as it would cost more than a tenth of this study."
        )
    said.append(f"SimCLR, and a probe with as few labels: {_scores(*found.baselines[:2])}.")
    if found.failed:
        said.append(f"Did not train through: {listed(found.failed)}.")
    policies = len(found.baselines) + len(found.trials)
    said.append(
        f"Policies differ here by a standard deviation of {100 * found.gain.spread:.1f} points, "
        f"estimated from {policies} of them. Runs of the same policy differ by {100 * NOISE:.1f}, "
        "if they vary as on the embedded surfaces."
    )
    if len(search.aims) > 1 or search.class_loss is not None or search.cost_weight:
        said.append("Triage looks at the score alone and ignores the search's other aims.")
    return said


def _scores(*ways: Tried) -> str:
    return "; ".join(
        f"{way.name} {percent(way.score)} % ({interval(way.interval)})" for way in ways
    )


def _on_size(found: Findings, size: int) -> str:
    choice = found.size
    if choice is None:
        return f"Size: {size} pixels; other sizes were not tried."
    here = next((probe for probe in choice.probes if probe.size == size), None)
    best = next(probe for probe in choice.probes if probe.loss is None)
    chosen = choice.chosen
    told = f"features of {choice.by} reach {percent(best.score)} % at {best.size} pixels"
    auto = f"data.image_size: auto would take {chosen.size}"
    if here is None:
        return f"Size: {size} pixels were not probed; {told}, and {auto}."
    if here.size >= chosen.size:
        return f"Size: {size} pixels are enough, by probes on features of {choice.by}."
    return (
        f"Size: {told}, at {size} {percent(here.score)} %; {auto}, where a trial takes "
        f"{chosen.trial / here.trial:.1f} times as long."
    )
