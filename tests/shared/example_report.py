"""A report that has everything that a report can have, with names that are awkward on purpose."""

import io
from dataclasses import replace

import numpy as np
from PIL import Image

from augsearch.report.content import Report
from augsearch.report.sections.classes import ClassEffect, ClassEffects
from augsearch.report.sections.cost import Costs
from augsearch.report.sections.extra import Extra
from augsearch.report.sections.fidelity import (
    BudgetAgreement,
    CertificateRead,
    Fidelity,
    ProxiesRead,
    RungAgreement,
)
from augsearch.report.sections.mistakes import (
    ClassScore,
    Gallery,
    MistakenImage,
    Mistakes,
)
from augsearch.report.sections.policy import Recipe
from augsearch.report.sections.reproduce import Reproduce
from augsearch.report.sections.results import PolicyRow, Results
from augsearch.report.sections.trials.front import Front, FrontPoint
from augsearch.report.sections.trials.history import History, Scale, TrialPoint
from augsearch.report.sections.trials.parameter_findings import (
    Common,
    Interaction,
    Marginal,
    ParameterFacts,
    Weight,
)
from augsearch.report.sections.trials.parameters import Understanding
from augsearch.report.sections.verdict import Headline
from augsearch.report.sections.views import PolicyViews, Views

AWKWARD = '</script><b>rust & "hue"_'
FIGURES = 12
"""Figures that it shows."""


def png(side=480):
    file = io.BytesIO()
    noise = np.random.default_rng(0).integers(0, 255, (side, side, 3), dtype=np.uint8)
    Image.fromarray(noise).save(file, "PNG")
    return file.getvalue()


def trials(count=24):
    rng = np.random.default_rng(0)
    found = []
    for number in range(count):
        ends = number % 3 == 0
        curve = tuple(
            (step, float(rng.uniform(0.4, 0.6))) for step in ((50, 100, 200)[: 1 + 2 * ends])
        )
        params = {"crop.scale_min": float(rng.uniform(0.1, 1)), AWKWARD: float(rng.integers(2)) / 2}
        params |= {f"op{i}.p": float(rng.uniform()) for i in range(6)}
        found.append(
            TrialPoint(number, "complete" if ends else "pruned", curve[-1][1], curve, params)
        )
    return (*found, TrialPoint(count, "fail", None, (), found[0].params))


def marginal(name, p_value, choices=False):
    at = (0.0, 0.5) if choices else tuple(np.linspace(0.1, 1, 25).tolist())
    mean = tuple(0.5 + 0.05 * x for x in at)
    low, high = (tuple(m + d for m in mean) for d in (-0.02, 0.02))
    return Marginal(
        name, at, mean, low, high, 40, p_value, choices, False, ((0.2, 0.5), (0.5, 0.6))
    )


def understanding():
    return Understanding(
        finished=60,
        complete=40,
        quarter=6,
        needed={
            "importance": 20,
            "marginal effects": 16,
            "interactions": 40,
            "the best quarter": 20,
        },
        priced=False,
        parameters=(
            ParameterFacts(
                "crop.scale_min", 40, (0.1, 1), (0.1, 1), 4.0, 4.5, 1e-5, 1.0, 0.1,
                "as far as it goes",
            ),
            ParameterFacts(
                AWKWARD, 40, (0, 0.5), (0, 0.5), 0.4, 2.5, 0.4, 0.5, 0.0, "inside"
            ),
        ),
        weights=(Weight("crop.scale_min", 0.7, 4.0), Weight(AWKWARD, 0.3, 0.4)),
        marginals=(marginal("crop.scale_min", 1e-5), marginal(AWKWARD, 0.4, choices=True)),
        interactions=(
            Interaction(
                "crop.scale_min", AWKWARD, (0.1, 0.9), (0, 0.5), (-2, 4), 6, 3, 9, 0.001, 40
            ),
        ),
        common=(
            Common("crop.scale_min", (0.1, 0.2, 0.3), (0.1, 0.5, 1), (), (), (), 0.001),
            Common(AWKWARD, (0, 0, 0), (0, 0, 0), (0, 0.5), (1, 0), (0.5, 0.5), 0.01),
        ),
    )  # fmt: skip


def results():
    return Results(
        (
            PolicyRow(
                "trial 3", "candidate", 0.6, (0.6, 0.61), 0.605, (0.59, 0.62), (0.57, 0.64), True
            ),
            PolicyRow(AWKWARD, "baseline", 0.55, (0.57, 0.58), 0.575, (0.56, 0.59), None, False),
            PolicyRow("untrained encoder", "floor", 0.3, (0.3,) * 2, 0.3, (0.2, 0.4), None, False),
            PolicyRow("crop only", "baseline", 0.5, (), None, None, None, False),
        )
    )


def effects():
    return ClassEffects(
        "trial 3",
        "SimCLR s=0.5",
        5,
        (
            ClassEffect("scratch", 0.7, 0.6, 10, 4, 16),
            ClassEffect(AWKWARD, 0.5, 0.64, -14, -20, -8),
            ClassEffect("pit", 0.5, 0.5, 0, -3, 3),
        ),
    )


def mistakes():
    def shown(kind, count):
        image = MistakenImage(AWKWARD, png(8), "pit", AWKWARD)
        return Gallery(kind, count, (image,) * min(count, 2))

    return Mistakes(
        "trial 3", "SimCLR s=0.5", 30, (20, 15), 3.0, 1 / 3,
        (
            ClassScore("scratch", 0.7, 0.5),
            ClassScore(AWKWARD, 0.5, 0.2),
            ClassScore("pit", 0.5, 0.4),
        ),
        (
            ((0.7, 0.2, 0.1), (0.5, 0.5, 0), (0.1, 0.4, 0.5)),
            ((0.6, 0.3, 0.1), (0.3, 0.64, 0.06), (0.25, 0.25, 0.5)),
        ),
        (shown("gained", 9), shown("lost", 4), shown("never", 0)),
    )  # fmt: skip


def history():
    return History(
        counts={"complete": 8, "pruned": 16, "fail": 1},
        trials=trials(),
        scales=(
            Scale("crop.scale_min", 0.1, 1, False, ()),
            Scale(AWKWARD, 0, 0.5, False, (0, 0.5)),
            *(Scale(f"op{i}.p", 0, 1, False, ()) for i in range(6)),
        ),
        quarter=6,
        baseline=(AWKWARD, 0.55),
    )


def fidelity():
    return Fidelity(
        steps=200,
        rungs=(RungAgreement(50, ((0.4, 0.5), (0.5, 0.55), (0.45, 0.6)), 0.6, 0.1, 0.9),),
        certificate=CertificateRead(
            "Runs of 200 steps rank well.", "Keep the budget.", 1600, 12, 0.4, "trial 3",
            (BudgetAgreement(200, 0.85, 0.6, 0.95, 2.1),),
            "Of a point of lead after 200 steps, 0.50 are left after 1600.",
            (("trial 3", (0.812, 0.903)), (AWKWARD, (0.795, 0.899))),
        ),
        proxies=ProxiesRead(
            "How each score orders 24 trials as the few-label probe does.",
            ("score", "correlation", "95 % interval", "follows instead"),
            (
                ("knn", "+0.80", "+0.60 to +0.91", ""),
                ("lidar", "-0.20", "-0.55 to +0.21", AWKWARD),
            ),
        ),
    )  # fmt: skip


def reproduce():
    return Reproduce(
        "augsearch run --space factory --seed 0", {"seed": "0"}, {"data": "abc"}, {"torch": "2"}
    )


def front():
    return Front(
        "microseconds for the two views of an image",
        (
            FrontPoint("trial 3", 80, 60, "front"),
            FrontPoint("trial 6", 40, 55, "front"),
            FrontPoint("trial 9", 90, 50, "beaten"),
            FrontPoint(AWKWARD, 60, 55, "baseline"),
        ),
    )


def example_report() -> Report:
    return Report(
        study="awkward <study>",
        subject="Augmentations for steel & rust",
        written="2026-01-01 12:00",
        metric="balanced accuracy",
        data="Images: steel & rust, 1800 grey images",
        headline=Headline(
            title="The verdict",
            finished=True,
            sentence="trial 3 is better than every baseline: +3.0 points above SimCLR s=0.5.",
            advice="Use policy.yaml for full pretraining.",
            basis="Judged after 5 fresh seeds.",
            notes=("Against SimCLR s=0.5 the class pit loses 1.0 points.",),
            warnings=("the score lidar follows the strength of policies",),
        ),
        sections=(
            results(),
            front(),
            Views((PolicyViews("trial 3", png()), PolicyViews(AWKWARD, png()))),
            Recipe(
                "awkward: trial 3",
                "0123456789ab",
                (("crop, in every view", "cut a rectangle", ("scale_min 0.3: smallest share",)),),
                "name: x\nops: []\n",
            ),
            effects(),
            mistakes(),
            Extra(
                "Composition matrix",
                basis="Two cells.",
                sentences=("Crop with colour is best.",),
                pictures=(("pairs", png(64), "a matrix"),),
                header=("first", "second", "mean, %"),
                rows=(("crop", "colour", "61.0"), ("colour", "", "48.0")),
                text=(0, 1),
            ),
            understanding(),
            history(),
            fidelity(),
            Costs(
                {"trials": (24, 240.0), "baselines": (5, 60.0)},
                {"encoder": 4.0, "views": 2.0, "scoring": 3.0},
                (("crop", (10.0, 12.0)), ("blur", (None, 5.0))),
                ("trial 3", AWKWARD),
                "For images of 32 px.",
            ),
            reproduce(),
        ),
    )


def running_report() -> Report:
    """What there is early on: no verdict, no images, a few trials."""
    nothing_found = replace(
        understanding(),
        finished=3,
        complete=1,
        parameters=(),
        weights=None,
        marginals=None,
        interactions=None,
        common=None,
    )
    return replace(
        example_report(),
        headline=Headline(
            "No verdict yet", False, "This study is still running: 3 of 24 trials are done.", "", ""
        ),
        sections=(
            Results(()),
            Views(missing="No pictures of views: the folder is gone."),
            nothing_found,
            replace(history(), trials=trials(3), baseline=None),
            Fidelity(200, (), None),
            Costs({}, {}, (), (), ""),
            reproduce(),
        ),
    )
