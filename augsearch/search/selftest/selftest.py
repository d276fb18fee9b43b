"""Does this installation do what it says? A user's check, in less than three minutes.

Each check is real: it trains, renders and compares, and none of it is recorded anywhere.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import torch

from augsearch.augment.baselines import BASELINES
from augsearch.augment.build import Renderer
from augsearch.augment.draws import Draws
from augsearch.data.embedded.domains import DOMAINS
from augsearch.data.embedded.scenes import Label
from augsearch.data.embedded.surfaces import SurfaceSpec, draw_surfaces
from augsearch.errors import ConfigError
from augsearch.search.result.result import versions
from augsearch.search.selftest.planted import BASE, PlantedRun, score_jobs

DRAWS = "a063bd92cc1d89c41ad868d2047c198b"
"""BLAKE2b of the draws that every machine must make."""
SURFACES = "9c3581cf92b368464ada0101fd37d31c"
"""Digest of a few embedded images."""
LEVELS = 1.0
"""Grey levels of 255 by which the executors' views may differ in the mean."""
DOMAINS_TRIED: tuple[Label, ...] = ("orientation", "scale", "hue_orientation")
UNASKED = frozenset({("hue_orientation", "brightness jitter")})
"""In so few steps a training under it may go astray, which would be a false alarm."""
SEEDS, STEPS = 2, 120


@dataclass(frozen=True)
class Check:
    """One line of the answer: what was checked, whether it holds, and what was seen."""

    name: str
    passed: bool
    seen: str
    seconds: float


def parse_seed(text: str) -> int:
    """A whole number, or `today` for fresh instances every day.

    Raises:
        ConfigError: neither.
    """
    if text == "today":
        return date.today().toordinal()
    if not text.isdecimal():
        raise ConfigError(f"--seed {text}: give a whole number, 0 or more, or `today`")
    return int(text)


def run_selftest(
    seed: int = 0,
    *,
    labels: Sequence[Label] = DOMAINS_TRIED,
    seeds: int = SEEDS,
    steps: int = STEPS,
) -> Iterator[Check]:
    """Every check, as each ends.

    Args:
        seed: of the planted instances, which are drawn anew for each seed.
        labels: the domains whose truth is to be found.
        seeds: instances of each.
        steps: optimiser steps of a run.
    """
    yield _timed("installation", _installation)
    yield _timed("draws", _draws)
    yield _timed("embedded images", _surfaces)
    yield _timed("executors agree", _executors)
    yield from _training(seed, labels, seeds, steps)


def _timed(name: str, check: Callable[[], tuple[bool, str]]) -> Check:
    begin = time.perf_counter()
    passed, seen = check()
    return Check(name, passed, seen, time.perf_counter() - begin)


def _installation() -> tuple[bool, str]:
    found = versions()
    seen = ", ".join(f"{package} {version}" for package, version in found.items())
    return "not installed" not in found.values(), seen


def _draws() -> tuple[bool, str]:
    draws = Draws(seed=1, replicate=2, step=3, views=(0, 1), rows=64, device=torch.device("cpu"))
    numbers = [draws.uniform("op", 5), draws.field("op", torch.tensor([0, 65]), (3, 8, 8))]
    content = b"".join(np.ascontiguousarray(n.numpy()).tobytes() for n in numbers)
    found = hashlib.blake2b(content, digest_size=16).hexdigest()
    if found == DRAWS:
        return True, "the bits that every machine draws"
    return False, f"digest {found}, not {DRAWS}: no score can be repeated here"


def _surfaces() -> tuple[bool, str]:
    found = draw_surfaces(SurfaceSpec(images_per_class=2, image_size=16)).digest
    if found == SURFACES:
        return True, "pixel by pixel as everywhere"
    return False, f"digest {found}, not {SURFACES}: other pixels than elsewhere, scores may differ"


def _executors() -> tuple[bool, str]:
    images = draw_surfaces(SurfaceSpec(images_per_class=6, seed=1)).images
    batch = torch.from_numpy(images)
    worst, where = 0.0, ""
    for name, policy in BASELINES.items():
        kornia, fused = (
            Renderer.build(policy, executor).function(0, 0)(batch, 0)
            for executor in ("kornia", "auto")
        )
        apart = max(float((a - b).abs().mean()) * 255 for a, b in zip(kornia, fused, strict=True))
        if apart >= worst:
            worst, where = apart, name
    return worst <= LEVELS, f"views differ by {worst:.2f} of 255 levels at most ({where})"


def _training(seed: int, labels: Sequence[Label], seeds: int, steps: int) -> Iterator[Check]:
    """Runs on all cores; a domain's line comes as soon as its runs are there."""
    begin = time.perf_counter()
    # The first run is made twice, as a rule in two processes.
    repeated = PlantedRun(labels[0], BASE, _instance(seed, 0), steps)
    jobs = [
        PlantedRun(label, policy, _instance(seed, number), steps)
        for label in labels
        for number in range(seeds)
        for policy in DOMAINS[label].policies()
        if (label, policy) not in UNASKED
    ]
    scores: dict[PlantedRun, list[float]] = {}
    waiting = list(labels)
    for job, score in score_jobs([repeated, *jobs]):
        scores.setdefault(job, []).append(score)
        if job == repeated and len(scores[job]) == 2:
            first, second = scores[job]
            seen = f"{first:.6f} and {second:.6f} after {steps} steps"
            yield Check("same seed, same score", first == second, seen, time.perf_counter() - begin)
        for label in [name for name in waiting if _complete(name, jobs, scores)]:
            waiting.remove(label)
            passed, seen = _recovered(label, jobs, scores)
            yield Check(f"planted {label}", passed, seen, time.perf_counter() - begin)


def _instance(seed: int, number: int) -> int:
    """The seed of one instance, apart from those of another `seed`."""
    return 1_000_000 + 1000 * seed + number


def _complete(
    label: Label, jobs: Sequence[PlantedRun], scores: dict[PlantedRun, list[float]]
) -> bool:
    return all(job in scores for job in jobs if job.label == label)


def _recovered(
    label: Label, jobs: Sequence[PlantedRun], scores: dict[PlantedRun, list[float]]
) -> tuple[bool, str]:
    """Whether every operation did, on every instance, what the planted truth says."""
    domain = DOMAINS[label]
    of: dict[str, list[float]] = {}
    for job in jobs:
        if job.label == label:
            of.setdefault(job.policy, []).append(scores[job][0])
    passed, seen = True, []
    for names, sign in ((domain.destroys, -1), (domain.matches, 1)):
        for name in filter(of.__contains__, names):
            gains = 100 * (np.array(of[name]) - np.array(of[BASE]))
            passed &= bool((sign * gains > 0).all())
            verb = "hurts" if sign < 0 else "helps"
            seen.append(f"{name} {verb}: {', '.join(f'{gain:+.1f}' for gain in gains)}")
    return passed, f"points on {len(of[BASE])} instances: {'; '.join(seen)}"
