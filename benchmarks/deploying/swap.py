"""A line that takes over a newer model under load: requests lost, and the pause.

    uv run python -m benchmarks.deploying.swap runs/DEPLOYED [--rate 50] [--seconds 60] [--swaps 5]

Starts `examples/line.py` on a copy of the model, sends it so many requests a second, each on its
own clock whatever the ones before do, and moves a newer file into the model's place several times.
The model it is swapped for says other classes, so that each answer tells which one gave it. A
request is lost if it has no answer, or an error. The pause is the longest wait for an answer while
a swap is under way, to be held against the longest at other times. Writes results/swap.json.
"""

from __future__ import annotations

import argparse
import http.client
import io
import json
import shutil
import socket
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import onnx
from PIL import Image

from benchmarks.shared.timing import write_result

LINE = Path(__file__).parents[2] / "examples" / "line.py"
AROUND = 2.0
"""Seconds after a swap that count as its own."""


@dataclass
class Asked:
    """One request: when it was sent, how long its answer took, and which model gave it."""

    sent: float
    seconds: float
    model: str | None


def renamed(model: Path, path: Path, mark: str) -> None:
    """The same model, its classes marked."""
    content = onnx.load(model)
    told = {one.key: one.value for one in content.metadata_props}
    told["classes"] = json.dumps([f"{mark} {name}" for name in json.loads(told["classes"])])
    onnx.helper.set_model_props(content, told)
    onnx.save(content, path)


def ask(port: int, picture: bytes) -> str | None:
    """The mark of the model that answered; None if none did."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("POST", "/", picture)
        answer = connection.getresponse()
        content = json.loads(answer.read())
        return str(content["class"]).partition(" ")[0] if answer.status == 200 else None
    except (OSError, ValueError, http.client.HTTPException, KeyError):
        return None
    finally:
        connection.close()


def measure(deployed: Path, rate: float, seconds: float, swaps: int) -> dict[str, Any]:
    """Requests lost, and waits, with so many swaps in the time."""
    size = json.loads((deployed / "deploy.json").read_text())["picture"]
    pixels = np.random.default_rng(0).integers(0, 256, (size[0], size[1], 3), np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    with TemporaryDirectory() as scratch, socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        free.close()
        model, marks = Path(scratch, "model.onnx"), ("old", "new")
        for mark in marks:
            renamed(deployed / "model.onnx", Path(scratch, f"{mark}.onnx"), mark)
        shutil.copy(Path(scratch, "old.onnx"), model)
        line = subprocess.Popen([sys.executable, LINE, model, str(port)])
        try:
            while ask(port, file.getvalue()) is None:
                time.sleep(0.2)
            return _loaded(port, file.getvalue(), model, marks, (rate, seconds, swaps))
        finally:
            line.kill()
            line.wait()


def _loaded(
    port: int,
    picture: bytes,
    model: Path,
    marks: tuple[str, str],
    load: tuple[float, float, int],
) -> dict[str, Any]:
    rate, seconds, swaps = load
    asked: list[Asked] = []
    begin = time.perf_counter()

    def one(number: int) -> None:
        time.sleep(max(0.0, begin + number / rate - time.perf_counter()))
        sent = time.perf_counter()
        mark = ask(port, picture)
        asked.append(Asked(sent - begin, time.perf_counter() - sent, mark))

    threads = [threading.Thread(target=one, args=(n,)) for n in range(int(rate * seconds))]
    moved: list[float] = []

    def swap() -> None:
        for number in range(1, swaps + 1):
            time.sleep(max(0.0, begin + number * seconds / (swaps + 1) - time.perf_counter()))
            source = model.with_name(f"{marks[number % 2]}.onnx")
            copy = model.with_name("next.onnx")
            shutil.copy(source, copy)
            copy.replace(model)
            moved.append(time.perf_counter() - begin)

    swapping = threading.Thread(target=swap)
    for thread in (*threads, swapping):
        thread.start()
    for thread in (*threads, swapping):
        thread.join()
    waits = np.array([request.seconds for request in asked])
    near = np.array([any(0 <= one.sent - at < AROUND for at in moved) for one in asked])
    answered = sorted((one for one in asked if one.model), key=lambda one: one.sent)
    takes = []
    for number, at in enumerate(moved, 1):
        wanted = marks[number % 2]
        takes.append(
            next(one.sent - at for one in answered if one.sent > at and one.model == wanted)
        )
    return {
        "requests": len(asked),
        "lost": sum(one.model is None for one in asked),
        "swaps": len(moved),
        "median_ms": 1000 * float(np.median(waits)),
        "p99_ms": 1000 * float(np.percentile(waits, 99)),
        "longest_at_a_swap_ms": 1000 * float(waits[near].max()),
        "longest_else_ms": 1000 * float(waits[~near].max()),
        "new_answers_after_s": takes,
    }


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("deployed", type=Path)
    parser.add_argument("--rate", type=float, default=50.0)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--swaps", type=int, default=5)
    asked = parser.parse_args()
    found = measure(asked.deployed, asked.rate, asked.seconds, asked.swaps)
    print(f"{'requests':24}{found['requests']}, {asked.rate:g} a second")
    print(f"{'lost':24}{found['lost']}")
    print(f"{'wait, ms':24}{found['median_ms']:.1f} median, {found['p99_ms']:.1f} 99th percentile")
    print(f"{'longest at a swap, ms':24}{found['longest_at_a_swap_ms']:.0f}")
    print(f"{'longest else, ms':24}{found['longest_else_ms']:.0f}")
    after = ", ".join(f"{one:.1f}" for one in found["new_answers_after_s"])
    print(f"{'new model after, s':24}{after}")
    write_result("swap", {"model": str(asked.deployed), **found})


if __name__ == "__main__":
    main()
