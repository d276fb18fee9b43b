"""The real command line, run in this process, and small files and images to give it."""

import signal
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

SPACE = """\
name: small
ops:
  - op: resized_crop
    scale_min: {low: 0.1, high: 1.0}
  - op: color_jitter
    p: 0.8
    brightness: {low: 0.0, high: 0.8}
"""

# Two threads a run, so that two cores hold one process and nothing is spent on starting others.
STUDY = """\
name: small
data: {image_size: 16}
encoder: {width: 4, stages: 1}
pretrain: {steps: 4, batch_size: 8}
evaluate: {labels_per_class: 2, draws: 10}
search: {trials: 2, pruner: {kind: none}}
confirm: {top: 1, baselines: 1, seeds: 5, steps: 4, also: []}
compute: {threads: 2}
"""

POLICY = """\
name: mine
ops:
  - {op: resized_crop, scale_min: 0.5}
  - {op: horizontal_flip, p: 0.5}
"""


@dataclass(frozen=True)
class Said:
    """What a command answered."""

    code: int
    out: str
    err: str

    @property
    def refusal(self) -> str:
        """The one line of a refused command, without the program's name."""
        assert self.code == 2, (self.code, self.out, self.err)
        prefix, _, line = self.err.partition("augsearch: ")
        assert prefix == "" and line.endswith("\n") and line.count("\n") == 1, self.err
        assert "Traceback" not in self.out
        return line.removesuffix("\n")


@contextmanager
def as_the_program(arguments):
    """In it, the command line has these arguments; afterwards signals do what they did before."""
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    handlers, argv = [signal.getsignal(number) for number in numbers], sys.argv
    sys.argv = ["augsearch", *map(str, arguments)]
    try:
        yield
    finally:
        sys.argv = argv
        for number, handler in zip(numbers, handlers, strict=True):
            signal.signal(number, handler)


def run_verb(arguments, capsys) -> Said:
    from augsearch.cli.app import main

    capsys.readouterr()
    code: str | int = 0
    with as_the_program(arguments):
        try:
            main()
        except SystemExit as exit_:
            code = exit_.code or 0
    heard = capsys.readouterr()
    return Said(int(code), heard.out, heard.err)


def write_files() -> None:
    """A space, a study and a policy that are right, in this directory."""
    Path("space.yaml").write_text(SPACE)
    Path("study.yaml").write_text(STUDY)
    Path("policy.yaml").write_text(POLICY)


def write_images(root="images", **classes: int) -> Path:
    """`root/<class>/<n>.png`: noise that is brighter from class to class."""
    rng = np.random.default_rng(0)
    for number, (name, count) in enumerate(classes.items()):
        folder = Path(root) / name
        folder.mkdir(parents=True, exist_ok=True)
        for image in range(count):
            pixels = rng.integers(60 * number, 60 * number + 120, (16, 16, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(folder / f"{image}.png")
    return Path(root)


def run_small_command() -> None:
    from augsearch.cli.app import main

    write_files()
    write_images(pit=14, scratch=14)
    with as_the_program(SMALL_RUN):
        with pytest.raises(SystemExit) as exit_:
            main()
        assert exit_.value.code == 0


SMALL_RUN = (
    "run",
    *("--space", "space.yaml"),
    *("--study", "study.yaml"),
    *("--data", "images"),
    *("--name", "small"),
    *("--device", "cpu"),
)


def dry_run(cli, *more, space="space.yaml", study="study.yaml"):
    return cli("run", "--space", space, "--study", study, "--device", "cpu", "--dry-run", *more)
