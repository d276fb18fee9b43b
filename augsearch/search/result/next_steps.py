"""What to do once a study has its verdict, as commands to copy."""

from __future__ import annotations

import shlex
from dataclasses import dataclass

from augsearch.search.confirm.verdict import NOTHING_GAINED
from augsearch.search.result.result import StudyResult

STORAGE = "--storage"


@dataclass(frozen=True)
class Step:
    """Something to do, and the command that does it."""

    what: str
    command: str


def next_steps(result: StudyResult) -> tuple[Step, ...]:
    """In the order in which one would; none where no policy is worth using."""
    if result.verdict.code in NOTHING_GAINED:
        return ()
    study, asked = result.study, shlex.split(result.command)
    stored = asked[asked.index(STORAGE) :][:2] if STORAGE in asked else []
    policy = str(result.files.get("policy.yaml", f"runs/{study}/policy.yaml"))
    steps = (
        ("See what it does to your images", ["preview", study, *stored]),
        ("Train an encoder with it in full", ["pretrain", "--study", study, *stored]),
        (
            "Or learn first what that is worth, in labels and accuracy",
            ["pilot", "--study", study, *stored],
        ),
        ("Or take it into your own training", ["export", "--policy", policy, "--to", "kornia"]),
        ("Check how far its short runs can be trusted", ["certify", study, *stored]),
    )
    return tuple(Step(what, shlex.join(["augsearch", *words])) for what, words in steps)
