"""The policy in words and as a file."""

from __future__ import annotations

from dataclasses import dataclass

from augsearch.report.section import Section


@dataclass(frozen=True)
class Recipe(Section):
    """A policy that can be used.

    Attributes:
        steps: for each operation its name and how often, what it does, a line for each value.
        yaml: the policy's file.
    """

    template = "policy"
    title = "The policy"

    name: str
    digest: str
    steps: tuple[tuple[str, str, tuple[str, ...]], ...]
    yaml: str
