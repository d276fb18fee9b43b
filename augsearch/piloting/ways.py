"""The ways from images and labels to a classifier that a pilot compares."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from augsearch.finetuning.result import AS_THEY_ARE
from augsearch.space.policy import Policy

Begin = Literal["nothing", "weights"]


@dataclass(frozen=True)
class Way:
    """One of them.

    Attributes:
        key: for files and tables.
        title: for people.
        begins: what the encoder begins with.
        simclr: the policy of its pretraining on these images; None for none.
        views: what labelled images are seen through.
        frozen: the encoder stays as it is, and a probe is fitted on its features.
        searched: whether it takes the policy that was found.
    """

    key: str
    title: str
    begins: Begin
    simclr: Policy | None = None
    views: Policy = AS_THEY_ARE
    frozen: bool = False
    searched: bool = False


def ways_of(found: Policy, baseline: Policy | None, *, weights: bool) -> tuple[Way, ...]:
    """All of them, those without a pretraining of one's own first.

    Args:
        baseline: the published policy; None to do without.
        weights: whether an encoder with weights is at hand.
    """
    alone = [
        Way("scratch", "labels alone", "nothing"),
        Way(
            "scratch_found", "labels under the found policy", "nothing", views=found, searched=True
        ),
    ]
    simclr = [Way("simclr_found", "SimCLR under the found policy", "nothing", found, searched=True)]
    if baseline is not None:
        simclr.insert(
            0,
            Way(
                "simclr_baseline",
                "SimCLR under the published policy",
                "nothing",
                baseline,
            ),
        )
    if weights:
        alone += [
            Way("frozen", "frozen weights", "weights", frozen=True),
            Way("weights", "fine-tuned weights", "weights"),
            Way(
                "weights_found",
                "fine-tuned weights under the found policy",
                "weights",
                views=found,
                searched=True,
            ),
        ]
        simclr.append(
            Way(
                "weights_simclr_found",
                "weights, then SimCLR under the found policy",
                "weights",
                found,
                searched=True,
            )
        )
    return (*alone, *simclr)
