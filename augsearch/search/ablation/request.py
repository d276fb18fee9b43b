"""What an ablation is asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

from augsearch.data.imageset import ImageSet
from augsearch.errors import ConfigError
from augsearch.search.ablation.plan import Mode, Protocol
from augsearch.space.policy import Policy
from augsearch.space.space import Space
from augsearch.store.database import DEFAULT_STORAGE
from augsearch.study.command import handed_over
from augsearch.study_file import StudyConfig

FEWEST_SEEDS = 2
FEWEST_SEEDS_OF_CLASSES = 3
"""With 2, a class that is almost always right makes false claims
(benchmarks/claims/moderated.py)."""


@dataclass(frozen=True)
class AblationRequest:
    """What a user asks for; the attributes are the arguments of `ablate`."""

    space: str | Path | Space
    data: str | Path | ImageSet | None = None
    study: str | Path | StudyConfig | None = None
    mode: str = "pairs"
    protocol: str | None = None
    ops: Sequence[str] | None = None
    policy: str | Path | Policy | None = None
    op: str | None = None
    replicates: int = 3
    seed: int = 0
    device: str = "auto"
    storage: str = DEFAULT_STORAGE
    name: str | None = None
    output: str | Path | None = None
    subset: int | None = None

    @property
    def in_python(self) -> str:
        """Why a command alone cannot repeat it; empty if it can."""
        return handed_over(
            {
                "space": isinstance(self.space, Space),
                "study": isinstance(self.study, StudyConfig),
                "images": isinstance(self.data, ImageSet),
                "policy": isinstance(self.policy, Policy),
            }
        )

    @property
    def flags(self) -> dict[str, object]:
        """The options of `ablate` that `run` does not have, as the user gave them."""
        return {
            "--mode": self.mode,
            "--protocol": self.protocol,
            "--ops": ",".join(self.ops) if self.ops is not None else None,
            "--policy": self.policy if isinstance(self.policy, (str, Path)) else None,
            "--op": self.op,
            "--replicates": self.replicates,
        }

    def check(self) -> None:
        """Refuse what contradicts itself.

        Raises:
            ConfigError: what is wrong, in one line.
        """
        for flag, value, known in (
            ("mode", self.mode, get_args(Mode)),
            ("protocol", self.protocol, get_args(Protocol)),
        ):
            if value is not None and value not in known:
                raise ConfigError(f"--{flag} {value}: must be one of {', '.join(known)}")
        if self.replicates < FEWEST_SEEDS:
            raise ConfigError(
                f"--replicates {self.replicates}: must be {FEWEST_SEEDS} or more, because one run "
                "alone does not show how large chance differences are"
            )
        if self.mode == "classes" and self.replicates < FEWEST_SEEDS_OF_CLASSES:
            raise ConfigError(
                f"--replicates {self.replicates}: --mode classes needs {FEWEST_SEEDS_OF_CLASSES} "
                "or more, because with two seeds recalls are often equal by chance"
            )
        if self.protocol is not None and self.mode != "pairs":
            raise ConfigError(f"--protocol {self.protocol}: belongs to --mode pairs; leave it out")
        if self.mode == "strength" and self.op is None:
            raise ConfigError("--mode strength: name the operation with --op")
        if self.mode != "strength" and self.op is not None:
            raise ConfigError(
                f"--op {self.op}: belongs to --mode strength; for {self.mode} use --ops"
            )
        if self.mode == "strength" and self.ops is not None:
            raise ConfigError("--ops: --mode strength takes one operation; name it with --op")
