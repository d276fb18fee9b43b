"""The answer, before anything else."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Headline:
    """The answer.

    Attributes:
        title: over it.
        finished: whether there is a verdict; if not, `sentence` says where the study stands.
        notes: what else must be read with it.
        warnings: what may spoil it.
    """

    title: str
    finished: bool
    sentence: str
    advice: str
    basis: str
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
