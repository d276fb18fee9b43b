"""What to do once a study has its verdict, as commands to copy."""

from __future__ import annotations

import shlex
from dataclasses import dataclass

from augsearch.search.result.result import StudyResult
from augsearch.store.kept import NOTHING_GAINED
from augsearch.words import duration

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
        (
            f"Train an encoder with it in full{_about(result, 'pretrain')}",
            ["pretrain", "--study", study, *stored],
        ),
        (
            "Or learn first what that is worth, in labels and accuracy (--dry-run says how long)",
            ["pilot", "--study", study, *stored],
        ),
        ("Or take it into your own training", ["export", "--policy", policy, "--to", "kornia"]),
        (
            f"Check how far its short runs can be trusted{_about(result, 'certify')}",
            ["certify", study, *stored],
        ),
    )
    return tuple(Step(what, shlex.join(["augsearch", *words])) for what, words in steps)


def _about(result: StudyResult, verb: str) -> str:
    seconds = result.ahead.get(verb, 0.0)
    return f" (about {duration(seconds)} here)" if seconds else ""
