"""The answer, before anything else."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Headline:
    """The answer.

    Attributes:
        title: over it.
        finished: whether there is a verdict; if not, `sentence` says where the study stands.
        sentence: one, or several in lines of their own.
        advice: empty where there is nothing to do.
        badge: the answer in a word or two, behind a shape; empty without one.
        tone: how it is to be taken: good, level, open or bad.
        steps: what to do next, each with its command.
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
    badge: str = ""
    tone: str = "open"
    steps: tuple[tuple[str, str], ...] = ()
