"""The training itself: steps, looks on the way, checkpoints, and when to stop."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from torch import Tensor

from augsearch.bench.scoring import quick_scores
from augsearch.pretraining.prepare import Prepared
from augsearch.pretraining.result import Look
from augsearch.pretraining.stop import StopAsked
from augsearch.progress import Progress, duration
from augsearch.simclr.encoders.build import Encoder
from augsearch.simclr.pretrain import Pretraining
from augsearch.simclr.ranks import Ranks

AT_ONCE = 10
"""Steps between two questions whether to stop, whatever the rank."""


@dataclass
class Course:
    """How far a pretraining has come, beside what the run itself knows.

    Attributes:
        best: the state of the encoder at the best look; kept where the training may stop early.
        seconds: of training, over all its parts.
    """

    looks: list[Look] = field(default_factory=list)
    best: dict[str, Tensor] = field(default_factory=dict)
    best_step: int = 0
    seconds: float = 0.0

    def state_dict(self) -> dict[str, Any]:
        """Tensors and numbers alone."""
        return {
            "looks": [look.model_dump(mode="json") for look in self.looks],
            "best": self.best,
            "best_step": self.best_step,
            "seconds": self.seconds,
        }

    @classmethod
    def of(cls, state: Mapping[str, Any]) -> Course:
        """The course that `state_dict` kept."""
        looks = [Look.model_validate(look) for look in state["looks"]]
        return cls(looks, dict(state["best"]), int(state["best_step"]), float(state["seconds"]))

    def without_gain(self, *, trained: bool) -> int:
        """Looks in a row that did not beat the best one before them.

        Args:
            trained: leave out the look before any training.
        """
        looks = [look for look in self.looks if look.step or not trained]
        scores = [look.probe for look in looks if look.probe is not None]
        return len(scores) - 1 - int(np.argmax(scores)) if scores else 0


@dataclass(frozen=True)
class Trained:
    """An encoder at its end.

    Attributes:
        taken_from: the step whose weights the encoder has.
    """

    run: Pretraining
    encoder: Encoder
    course: Course
    stopped_early: bool
    taken_from: int


def train(
    prepared: Prepared, ranks: Ranks, progress: Progress, on_look: Callable[[Look], None]
) -> Trained:
    """Train to the end, from the last checkpoint if there is one.

    Rank 0 looks, writes and tells; the others train beside it.

    Args:
        on_look: told each look, and those from before once more when it goes on.

    Raises:
        KeyboardInterrupt: a signal asked for it; a checkpoint has been written.
        ConfigError: the checkpoint is of another pretraining, or damaged.
        TrialFailure: the loss became non-finite.
    """
    run = prepared.bench.pretraining(
        prepared.policy, replicate=0, steps=prepared.steps, ranks=ranks, teacher=prepared.teacher
    )
    course = Course()
    if (state := prepared.checkpoints.load()) is not None:
        run.load_state_dict(state["run"])
        course = Course.of(state["course"])
        progress.note(f"going on from step {run.step} of {prepared.steps}")
    for look in course.looks:
        on_look(look)
    saved = run.step
    with StopAsked() as stop:
        while True:
            due = run.step == prepared.steps
            if (due or run.step % prepared.probe_every == 0) and not _seen(course, run.step):
                if ranks.rank == 0:
                    on_look(_look(prepared, run, course, progress))
                else:
                    course.looks.append(Look(step=run.step, loss=None, probe=None, knn=None))
            early = ranks.any(_is_plateau(prepared, course) and not due, prepared.bench.device)
            stopping = ranks.any(stop.asked, prepared.bench.device)
            wanted = run.step % prepared.checkpoint_every == 0 or stopping
            if ranks.rank == 0 and wanted and run.step > saved and not (due or early):
                saved = _save(prepared, run, course, saved, progress)
            if due or early:
                break
            if stopping:
                progress.note(_stopped(run.step, saved))
                raise KeyboardInterrupt
            _advance(prepared, run, course, progress)
    encoder, taken_from = run.encoder, run.step
    if course.best:  # on the rank that looks
        encoder.load_state_dict(course.best)
        taken_from = course.best_step
    return Trained(run, encoder.eval(), course, early, taken_from)


def _stopped(step: int, saved: int) -> str:
    if saved == step or not step:
        return f"stopped at step {step}; run the same command again to continue"
    kept = f"the last checkpoint is of step {saved}" if saved else "nothing could be kept"
    return f"stopped at step {step}; {kept}; run the same command again to continue"


def _seen(course: Course, step: int) -> bool:
    return bool(course.looks) and course.looks[-1].step == step


def _advance(prepared: Prepared, run: Pretraining, course: Course, progress: Progress) -> None:
    """To the next step at which something is due, or a few steps towards it."""
    dues = (prepared.probe_every, prepared.checkpoint_every)
    nexts = [(run.step // every + 1) * every for every in dues]
    begin = time.perf_counter()
    run.advance(min(*nexts, run.step + AT_ONCE, prepared.steps))
    course.seconds += time.perf_counter() - begin
    progress.step(prepared.name, run.step, prepared.steps, run.images_per_second)


def _look(prepared: Prepared, run: Pretraining, course: Course, progress: Progress) -> Look:
    scores = quick_scores(prepared.bench, run)
    since = course.looks[-1].step if course.looks else 0
    losses = run.losses[since:]
    found = Look(
        step=run.step,
        loss=float(np.mean(losses)) if losses else None,
        probe=scores.get("probe"),
        knn=scores.get("knn"),
    )
    course.looks.append(found)
    # Random weights are no encoder to end with; weights as they came may be.
    scratch = prepared.bench.start is None
    counts = found.step > 0 or not scratch
    if prepared.patience is not None and counts and not course.without_gain(trained=scratch):
        state = run.encoder.state_dict()
        course.best = {name: tensor.detach().cpu().clone() for name, tensor in state.items()}
        course.best_step = run.step
    progress.note(_in_words(found, prepared.steps, course.seconds))
    return found


def _in_words(look: Look, steps: int, seconds: float) -> str:
    said = [f"step {look.step:{len(str(steps))}d}/{steps}"]
    if look.probe is not None and look.knn is not None:
        said += [f"probe {100 * look.probe:5.1f}", f"neighbours {100 * look.knn:5.1f}"]
    if look.loss is not None:
        left = seconds / look.step * (steps - look.step)
        said += [f"loss {look.loss:.3f}", f"{duration(left)} left" if left else ""]
    return "  ".join(said).rstrip()


def _is_plateau(prepared: Prepared, course: Course) -> bool:
    if prepared.patience is None:
        return False
    return course.without_gain(trained=prepared.bench.start is None) >= prepared.patience


def _save(
    prepared: Prepared, run: Pretraining, course: Course, saved: int, progress: Progress
) -> int:
    """Write a checkpoint; the step of the last one that is there."""
    state = {"run": run.state_dict(), "course": course.state_dict()}
    try:
        prepared.checkpoints.save(run.step, state)
    except OSError as error:
        stays = f"the one of step {saved} stays" if saved else "there is none before it"
        progress.warn(
            f"the checkpoint of step {run.step} cannot be written ({error.strerror or error}); "
            f"{stays}"
        )
        return saved
    return run.step
