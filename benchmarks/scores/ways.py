"""The ways to run a trial, and to score it, that `reliability.py` compares."""

from __future__ import annotations

from typing import Any

from benchmarks.shared.runs import Setting

LONG = "long"
BASE = "base"
QUICK = "bfloat16"
"""What settings that differ in another thing than steps are compared with: their numbers."""
SHORT = 300
"""Steps of every setting that says nothing else."""
Changes = dict[str, dict[str, Any]]


def settings(data: str) -> list[tuple[Setting, int]]:
    """Every way to run a trial that is compared, with its number of seeds; first ones first."""

    def setting(name: str, changes: Changes | None = None, **how: Any) -> tuple[Setting, int]:
        """A run of `SHORT` steps that differs from `QUICK` in one thing."""
        usual = {"pretrain": {"steps": SHORT, "precision": "bfloat16"}}
        return Setting(name, data, changes=usual | (changes or {}), **how), 3

    def pretrain(
        name: str, seeds: int = 3, precision: str = "bfloat16", **values: object
    ) -> tuple[Setting, int]:
        usual = {"steps": SHORT, "precision": precision}
        return setting(name, {"pretrain": usual | values})[0], seeds

    def exact(name: str, seeds: int, **values: object) -> tuple[Setting, int]:
        return pretrain(name, seeds, "float32", **values)

    def encoder(name: str, **values: object) -> tuple[Setting, int]:
        return setting(name, {"encoder": values})

    return [
        exact(BASE, 4),
        exact(LONG, 1, steps=4800),
        exact("steps 600", 3, steps=600),
        exact("steps 1200", 2, steps=1200),
        setting(QUICK),
        pretrain("temperature 0.5", temperature=0.5),
        pretrain("batch 128", batch_size=128, steps=150),
        setting("tempered", tempered=True),
        pretrain("rate 0.005", learning_rate=0.005),
        setting("common start", start=SHORT),
        setting("salted draws", salted=True),
        encoder("width 8", width=8),
        pretrain("temperature 0.1", temperature=0.1),
        encoder("stem patch4", stem="patch4"),
        pretrain("rate 0.0005", learning_rate=0.0005),
        pretrain("batch 32", batch_size=32, steps=600),
        encoder("width 32", width=32),
        setting("48 px", {"data": {"image_size": 48}}),
        encoder("stem conv", stem="conv"),
        pretrain("bfloat16 1200", 2, steps=1200),
    ]


def evaluations() -> dict[str, dict[str, float]]:
    """Ways to score kept features beside the study's own."""
    return {
        "5 labels": {"labels_per_class": 5},
        "20 labels": {"labels_per_class": 20},
        "all labels": {"labels_per_class": 100_000},
        "10 draws": {"draws": 10},
        "50 draws": {"draws": 50},
        "C 0.1": {"c": 0.1},
        "C 10": {"c": 10.0},
    }
