"""How a running study tells whoever watches; the command line draws it, a notebook may ignore it."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """What a study reports while it runs. Scores lie in [0, 1]."""

    def note(self, sentence: str) -> None:
        """Something worth knowing."""

    def warn(self, sentence: str) -> None:
        """Something that may spoil the result."""

    def images(self, done: int, total: int) -> None:
        """Images decoded so far."""

    def phase(self, name: str, done: int, total: int) -> None:
        """A phase begins, with `done` of `total` runs finished before."""

    def step(self, run: str, step: int, steps: int, images_per_second: float) -> None:
        """A run has done `step` of `steps` optimiser steps."""

    def run_ended(self, run: str, score: float | None, remark: str) -> None:
        """A run ended; `score` is None if it failed, and `remark` says why or what was special."""


class Quiet:
    """Reports nothing."""

    def note(self, sentence: str) -> None:
        pass

    def warn(self, sentence: str) -> None:
        pass

    def images(self, done: int, total: int) -> None:
        pass

    def phase(self, name: str, done: int, total: int) -> None:
        pass

    def step(self, run: str, step: int, steps: int, images_per_second: float) -> None:
        pass

    def run_ended(self, run: str, score: float | None, remark: str) -> None:
        pass
