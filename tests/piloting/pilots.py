"""Pilots of seconds: tiny images, a handful of steps."""

from pretraining.full_runs import full_config
from small_study import small_images

from augsearch.model_sections import FinetuneConfig, PilotConfig
from augsearch.piloting.result import Curve, CurvePoint, Estimated, Gain, SameScore
from augsearch.verbs.pilot import pilot

QUICK = FinetuneConfig(steps=3, batch_size=16)


def pilot_config(**wanted):
    """The small study's settings, with a pilot of two seeds."""
    settings = PilotConfig(**{"labels": (2, 4), "seeds": 2, **wanted})
    return full_config(steps=2).model_copy(update={"finetune": QUICK, "pilot": settings})


def go(**changes):
    asked = {"data": small_images(), "study": pilot_config(), "policy": "SimCLR s=1",
             "output": "out", "device": "cpu", "steps": 2}  # fmt: skip
    return pilot(**{**asked, **changes})


def estimated(mean, reach=0.02):
    return Estimated(mean=mean, low=mean - reach, high=mean + reach)


def curve(way, *means, simclr=None):
    points = tuple(
        CurvePoint(labels=labels, score=estimated(mean), seconds=1.0)
        for labels, mean in zip((5, 10), means, strict=True)
    )
    return Curve(way=way, title=way, begins="nothing", simclr=simclr, points=points,
                 search_hours=0.0, simclr_hours=0.1)  # fmt: skip


def gain(way, labels, mean, reach, *, shown, against="best"):
    return Gain(way=way, against=against, labels=labels, gained=estimated(mean, reach),
                same=SameScore(labels=8.0, low=6.0, high=None), shown=shown)  # fmt: skip
