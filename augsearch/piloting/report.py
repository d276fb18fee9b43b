"""A pilot on one page, and pilots of several plants beside each other."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from augsearch.piloting.recommend import between, needed
from augsearch.piloting.result import BASELINE, BEST, SCRATCH, Curve, Estimated, Gain, Pilot
from augsearch.report.content import Report
from augsearch.report.forms import Table
from augsearch.report.sections.labels import LabelCurve, LabelCurves
from augsearch.report.sections.reproduce import Reproduce
from augsearch.report.sections.tabled import Tabled
from augsearch.report.sections.verdict import Headline
from augsearch.store.sealed import MANY_USES, sealed_note
from augsearch.words import counted, interval, percent, points

SCORE = "mean recall over classes"
AGAINST = {
    SCRATCH: "labels alone, from nothing",
    BEST: "the best way without a pretraining",
    BASELINE: "the published policy",
}


def pilot_report(pilot: Pilot, command: str, versions: dict[str, str]) -> Report:
    """The page of a pilot."""
    said = pilot.recommendation
    chosen = (pilot.curve(said.way).title,)
    return Report(
        study=pilot.name,
        subject=f"Pilot on {pilot.data}",
        written=_now(),
        metric=SCORE,
        data=_data(pilot),
        headline=Headline(
            title="Recommendation",
            finished=True,
            sentence=f"{said.title}.",
            advice=said.reason,
            basis=_basis(pilot),
            notes=said.findings,
            warnings=_warnings(pilot),
        ),
        sections=(
            _curves("Accuracy by labels", pilot, chosen),
            gains_section(pilot),
            _misses(pilot),
            _costs(pilot),
            _ways(pilot),
            Reproduce(command, _facts(pilot), pilot.identity, versions),
        ),
    )


def comparison_report(titles: Sequence[str], pilots: Sequence[Pilot]) -> Report:
    """Pilots of several plants beside each other, by their titles, which differ."""
    tables = _beside(titles, pilots)
    return Report(
        study=" beside ".join(titles),
        subject="Pilots side by side",
        written=_now(),
        metric=SCORE,
        data="; ".join(_data(pilot) for pilot in pilots),
        headline=Headline(
            title="Recommendations",
            finished=True,
            sentence="\n".join(
                f"{title}: {pilot.recommendation.title}."
                for title, pilot in zip(titles, pilots, strict=True)
            ),
            advice="",
            basis="Each pilot was judged on its own sealed images, so a higher score may only mean "
            "easier images." + ("" if tables else " No number of labels was tried by all of them."),
            notes=tuple(
                f"{title}: {pilot.recommendation.reason}"
                for title, pilot in zip(titles, pilots, strict=True)
            ),
        ),
        sections=(
            Tabled("plants", "The plants", tables=(_plants(titles, pilots),)),
            Tabled("beside", "Accuracy by labels", tables=tuple(tables)),
            *(
                _curves(title, pilot, (pilot.curve(pilot.recommendation.way).title,))
                for title, pilot in zip(titles, pilots, strict=True)
            ),
        ),
    )


def _now() -> str:
    return datetime.now().astimezone().strftime("%Y-%m-%d %H:%M %Z")


def _data(pilot: Pilot) -> str:
    return (
        f"{pilot.data}: {counted(len(pilot.classes), 'class', 'classes')}, "
        f"{pilot.images} images to learn from, {pilot.sealed} sealed ones"
    )


def _basis(pilot: Pilot) -> str:
    before = (
        "They confirmed the study's policies before, which favours the found and the published one "
        "a little."
        if pilot.study
        else "They took no part in the training."
    )
    return (
        f"Judged on {counted(pilot.sealed, 'sealed image')}. {before} Looks at them by now: "
        f"{pilot.uses}. Everything was done {counted(pilot.seeds, 'time')}, each with other "
        f"labels, another pretraining and other weights. The policy is of {pilot.policy_source}."
    )


def _warnings(pilot: Pilot) -> tuple[str, ...]:
    return (sealed_note(pilot.uses),) if pilot.uses > MANY_USES else ()


def _curves(title: str, pilot: Pilot, chosen: tuple[str, ...]) -> LabelCurves:
    return LabelCurves(
        title=title,
        score=SCORE,
        basis="Intervals are for other labels, other seeds and other test images. Ways were judged "
        "on the same images after the same labels, so that their differences are surer.",
        curves=tuple(
            LabelCurve(
                curve.title,
                curve.simclr is not None,
                tuple(
                    (point.labels, point.score.mean, point.score.low, point.score.high)
                    for point in curve.points
                ),
            )
            for curve in pilot.curves
        ),
        chosen=chosen,
    )


def gains_section(pilot: Pilot) -> Tabled:
    """What a pretraining gains, in accuracy and in labels."""
    titles = {curve.way: curve.title for curve in pilot.curves}
    tables = []
    for against in (BEST, SCRATCH, BASELINE):
        rows = [
            _gain_row(titles[gain.way], gain, pilot)
            for gain in pilot.gains
            if gain.against == against
        ]
        shown = ("shown",) if against == BEST else ()
        tables.append(
            Table(
                f"Against {AGAINST[against]}",
                (
                    *("way", "labels", "points gained", "95 % interval", "same score needs"),
                    *("hours of labelling saved", *shown),
                ),
                rows,
                text=(0, 4, 6),
            )
        )
    return Tabled(
        name="gains",
        title="Accuracy gained, labels saved",
        tables=tuple(tables),
        basis="Accuracy gained at equal labels, and the labels of each class that the others need "
        "for the same score: between the numbers that were tried their curve is taken as straight "
        "over the logarithm of the labels. The labels that a search scores its trials with are not "
        "counted. Which way without a pretraining is best was not known "
        "before, and the interval allows for that. Shown is what holds when all ways and numbers "
        "of labels are claimed together.",
    )


def _gain_row(title: str, gain: Gain, pilot: Pilot) -> tuple[str, ...]:
    shown = () if gain.shown is None else ("yes" if gain.shown else "no",)
    return (
        title,
        str(gain.labels),
        points(100 * gain.gained.mean),
        between(gain.gained),
        needed(gain.same, pilot.labels),
        _hours_saved(gain, pilot),
        *shown,
    )


def _hours_saved(gain: Gain, pilot: Pilot) -> str:
    """Of labelling; what is known where the labels lie outside of what was tried."""
    most = gain.same.labels is None
    fewest = gain.same.labels == 0
    if fewest:
        return "none"
    labels = pilot.labels[-1] if most else float(gain.same.labels or 0)
    hours = labelling_hours(pilot, labels - gain.labels)
    said = f"{hours:.2g}" if hours > 0 else "none"
    return f"more than {said}" if most and hours > 0 else "some" if most else said


def labelling_hours(pilot: Pilot, labels: float) -> float:
    """That so many labels of each class take a person."""
    return labels * len(pilot.classes) * pilot.label_seconds / 3600


def _misses(pilot: Pilot) -> Tabled:
    """Missed defects and false alarms."""
    if pilot.good is None:
        return Tabled("misses", "Misses and false alarms")
    header = ("way", *map(str, pilot.labels))
    return Tabled(
        name="misses",
        title="Misses and false alarms",
        tables=(
            Table(
                f"Defects called {pilot.good}, in %, by labels of each class",
                header,
                [(c.title, *(_share(point.missed) for point in c.points)) for c in pilot.curves],
            ),
            Table(
                f"Images of {pilot.good} called a defect, in %",
                header,
                [
                    (c.title, *(_share(point.false_alarms) for point in c.points))
                    for c in pilot.curves
                ],
            ),
        ),
        basis="The likeliest class decides, and as many labels of each class were learnt from. "
        "`augsearch finetune --good --miss-rate` finds a threshold for a stated miss rate.",
    )


def _share(share: Estimated | None) -> str:
    return "" if share is None else f"{percent(share.mean)} ({interval((share.low, share.high))})"


def machine_hours(curve: Curve) -> float:
    """For one classifier of that way, hours of a process, with the most labels."""
    return curve.search_hours + curve.simclr_hours + curve.points[-1].seconds / 3600


def _costs(pilot: Pilot) -> Tabled:
    """Hours of the machine and of people; money where rates are given."""
    unit = f" {pilot.currency}".rstrip()
    rate = pilot.machine_rate
    rows = [
        (
            curve.title,
            _hours(curve.search_hours),
            _hours(curve.simclr_hours),
            _hours(curve.points[-1].seconds / 3600),
            _hours(machine_hours(curve)),
            *(
                ()
                if rate is None
                else (f"{rate * machine_hours(curve) / pilot.at_once:.2f}{unit}",)
            ),
        )
        for curve in pilot.curves
    ]
    money = () if rate is None else ("money",)
    labelled = [
        (
            str(count),
            str(count * len(pilot.classes)),
            _hours(labelling_hours(pilot, count)),
            *(
                ()
                if pilot.label_rate is None
                else (f"{pilot.label_rate * labelling_hours(pilot, count):.2f}{unit}",)
            ),
        )
        for count in pilot.labels
    ]
    label_money = () if pilot.label_rate is None else ("money",)
    return Tabled(
        name="costs",
        title="What it costs",
        tables=(
            Table(
                "Hours of computing for one classifier",
                ("way", "search", "pretraining", "classifier", "in all", *money),
                rows,
            ),
            Table(
                f"Labelling, at {pilot.label_seconds:g} s a label",
                ("labels of each class", "labels", "hours", *label_money),
                labelled,
                text=(),
            ),
        ),
        basis=f"On {pilot.device}: hours of a process, of which up to {pilot.at_once} ran beside "
        "each other, which the money allows for. A policy is searched for once, and an encoder "
        "pretrained once, for all "
        "classifiers that follow.",
    )


def _hours(hours: float) -> str:
    return "0" if hours == 0 else f"{hours:.2g}" if hours >= 0.01 else "below 0.01"


def _ways(pilot: Pilot) -> Tabled:
    """What each way is."""
    begins = {"nothing": pilot.encoder, "weights": pilot.weights or ""}
    sizes = {"nothing": pilot.image_size, "weights": pilot.weights_image_size or pilot.image_size}
    rows = [
        (
            curve.title,
            f"{begins[curve.begins]}, {sizes[curve.begins]} px",
            "random numbers" if curve.begins == "nothing" else "weights",
            curve.simclr or "none",
        )
        for curve in pilot.curves
    ]
    return Tabled(
        name="ways",
        title="The ways",
        tables=(
            Table(
                "What is compared",
                ("way", "encoder", "begins with", "SimCLR on these images under"),
                rows,
                text=(0, 1, 2, 3),
            ),
        ),
        basis="All but the frozen one train the whole encoder with the labels, for as many steps. "
        "Labels and weights under a policy see labelled images through it, all others as they "
        "are: a policy of SimCLR is that of the pretraining. The "
        "frozen one has a linear probe on its features.",
    )


def _facts(pilot: Pilot) -> dict[str, str]:
    facts = {
        "study": pilot.study or "",
        "policy": f"{pilot.policy.name} ({pilot.policy.digest})",
        "published policy": pilot.baseline or "",
        "steps of a pretraining": str(pilot.steps),
        "seeds": str(pilot.seeds),
        "class without a defect": pilot.good or "",
        "device": pilot.device,
    }
    return {what: said for what, said in facts.items() if said}


def _plants(titles: Sequence[str], pilots: Sequence[Pilot]) -> Table:
    rows: list[tuple[str, list[str]]] = [
        ("recommendation", [pilot.recommendation.title for pilot in pilots]),
        ("images to learn from", [str(pilot.images) for pilot in pilots]),
        ("sealed images", [str(pilot.sealed) for pilot in pilots]),
        ("classes", [str(len(pilot.classes)) for pilot in pilots]),
        ("policy", [f"{pilot.policy.name} ({pilot.policy.digest})" for pilot in pilots]),
        ("policy from", [pilot.policy_source for pilot in pilots]),
        ("encoder", [pilot.encoder for pilot in pilots]),
        ("with weights", [pilot.weights or "none" for pilot in pilots]),
        ("image size", [str(pilot.image_size) for pilot in pilots]),
        ("seeds", [str(pilot.seeds) for pilot in pilots]),
        ("steps of a pretraining", [str(pilot.steps) for pilot in pilots]),
    ]
    return Table(
        "What was compared where",
        ("", *titles),
        [(what, *cells) for what, cells in rows],
        text=range(len(pilots) + 1),
    )


def _beside(titles: Sequence[str], pilots: Sequence[Pilot]) -> list[Table]:
    """A table for each number of labels that all of them tried."""
    common = sorted(set.intersection(*(set(pilot.labels) for pilot in pilots)))
    ways = list(dict.fromkeys(curve.title for pilot in pilots for curve in pilot.curves))
    return [
        Table(
            f"{SCORE[0].upper()}{SCORE[1:]} in %, {counted(count, 'label')} of each class",
            ("way", *titles),
            [(way, *(_at(pilot, way, count) for pilot in pilots)) for way in ways],
        )
        for count in common
    ]


def _at(pilot: Pilot, title: str, count: int) -> str:
    for curve in pilot.curves:
        for point in curve.points:
            if curve.title == title and point.labels == count:
                return _share(point.score)
    return ""
