"""Part f: no wait for the GPU during wholly fused policies; draws and pixels are the CPU's."""

from __future__ import annotations

import torch
from torch import Tensor

from augsearch.augment.baselines import BASELINES
from augsearch.augment.build import Renderer
from augsearch.augment.draws import Draws
from augsearch.augment.fused.coordinates import COORDINATES
from augsearch.augment.fused.pointwise import POINTWISE
from augsearch.space.catalogue import OPERATIONS
from augsearch.space.policy import Policy
from augsearch.space.presets import preset_names
from benchmarks.gpu.device_run import Run
from benchmarks.gpu.scale import Scale
from benchmarks.speed.augmentation import random_policies, smooth_images

LEVEL = 1 / 255


def strongest(name: str) -> dict[str, float]:
    """An operation at four fifths of its strength."""
    values: dict[str, float] = {}
    for p in OPERATIONS[name].parameters:
        start = p.low if p.identity is None else p.identity
        value = start + 0.8 * ((p.low if p.identity == p.high else p.high) - start)
        values[p.name] = round(value) if p.integer else value
    return values


def fused_policies(count: int) -> list[Policy]:
    """Every operation that the fused executor knows, in one policy and under presets' spaces."""
    known = [*COORDINATES, *POINTWISE, "gaussian_blur"]
    ops = [{"op": name, "p": 0.5, **strongest(name)} for name in known]
    every = Policy.model_validate({"name": "all fused operations", "ops": ops})
    drawn = [p for preset in preset_names("spaces") for p in random_policies(preset, count)]
    candidates = [every, *BASELINES.values(), *drawn]
    return [policy for policy in candidates if not Renderer.build(policy).fallbacks]


def check_waiting(run: Run, scale: Scale) -> None:
    """No synchronisation in wholly fused policies; draws bitwise, pixels nearly the CPU's."""
    policies = fused_policies(scale.random_policies)
    waiting: list[str] = []
    gaps: list[float] = []
    for policy in policies:
        renderer = Renderer.build(policy, "fused")
        for images_size in (32, 48):  # enlarging and shrinking crops
            here = smooth_images(16, images_size, torch.device("cpu"))
            there = here.to(run.device)
            renderer(there, 32, seed=0)  # what is set up once may wait
            run.wait()
            if run.on_cuda:
                torch.cuda.set_sync_debug_mode("error")
            try:
                views = renderer(there, 32, seed=0, step=1)
            except RuntimeError as error:
                waiting.append(f"{policy.name}: {str(error).partition(chr(10))[0]}")
                continue
            finally:
                if run.on_cuda:
                    torch.cuda.set_sync_debug_mode("default")
            gap = (views.cpu() - renderer(here, 32, seed=0, step=1)).abs().mean()
            gaps.append(float(gap) / LEVEL)
    row = {
        "policies": len(policies),
        "checked": run.on_cuda,
        "waiting": waiting,
        "largest_mean_gap_to_cpu_levels": max(gaps, default=None),
        "draws_equal_cpu": draws_equal_cpu(run.device),
    }
    print(f"  {row}")
    run.report.add("f waiting", row)
    if waiting or not row["draws_equal_cpu"] or max(gaps) > 1:
        raise AssertionError("a wholly fused policy waits for the device, or gives other views")


def draws_equal_cpu(device: torch.device) -> bool:
    rows = torch.arange(0, 100, 3)
    found: list[list[Tensor]] = []
    for place in (torch.device("cpu"), device):
        draws = Draws(3, 1, 1000, (0, 1), 50, place)
        numbers = draws.uniform("color_jitter", 5)
        pixels = draws.field("gaussian_noise", rows.to(place), (3, 32, 32), slot=1)
        found.append([numbers.cpu(), pixels.cpu()])
    return all(map(torch.equal, *found))
