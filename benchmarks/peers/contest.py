"""What is measured of all, who takes part (a library may be missing), and the tables."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from benchmarks.shared.timing import Timing

OURS = "augsearch, fused"


@dataclass(frozen=True)
class Scale:
    """How much is measured.

    Attributes:
        view_settings: (image size, batch, batches a call) of the views alone.
        images: of an epoch.
        batch: images a step.
        workers: numbers of DataLoader workers that are tried.
        trials: epochs that each of them is given; the fastest counts.
        repeats: rounds that count.
    """

    view_settings: tuple[tuple[int, int, int], ...] = ((32, 256, 4), (96, 64, 4))
    size: int = 32
    images: int = 1536
    batch: int = 256
    workers: tuple[int, ...] = (0, 1, 2, 4)
    trials: int = 2
    repeats: int = 7

    @property
    def steps(self) -> int:
        """Of an epoch."""
        return self.images // self.batch


FULL = Scale()
QUICK = Scale(((16, 8, 1), (24, 4, 1)), 16, 32, 16, workers=(0,), trials=1, repeats=1)


@dataclass(frozen=True)
class Row:
    """A line of a table; `timing` is None where the library is missing.

    Attributes:
        value: microseconds a view, or images a second.
    """

    name: str
    value: float | None = None
    timing: Timing | None = None
    note: str = ""


@dataclass(frozen=True)
class Peer:
    """A function that builds something with a library, which may not be installed."""

    name: str
    build: Callable[[], Callable[[], object]]
    note: str = ""


def contestants(
    peers: Sequence[Peer],
) -> tuple[dict[str, Callable[[], object]], dict[str, str]]:
    """What can run, and why the others cannot."""
    functions: dict[str, Callable[[], object]] = {}
    missing: dict[str, str] = {}
    for peer in peers:
        try:
            functions[peer.name] = peer.build()
        except ImportError as error:
            missing[peer.name] = f"not installed ({error.name or 'see its error'})"
    return functions, missing


def rows_of(
    peers: Sequence[Peer],
    timings: Sequence[Timing],
    missing: dict[str, str],
    value: Callable[[float], float],
) -> list[Row]:
    """All peers in their order; `value` turns a call's seconds into the table's unit."""
    timed = {timing.name: timing for timing in timings}
    return [
        Row(peer.name, note=missing[peer.name])
        if peer.name in missing
        else Row(peer.name, value(timed[peer.name].seconds), timed[peer.name], peer.note)
        for peer in peers
    ]


def print_rows(title: str, unit: str, rows: Sequence[Row]) -> None:
    width = max(len(row.name) for row in rows)
    print(f"\n{title}\n  {'':{width}}  {unit:>12}  {'time/ours':>9}  range")
    for row in rows:
        if row.timing is None or row.value is None:
            print(f"  {row.name:{width}}  {row.note}")
            continue
        t = row.timing
        figures = f"{row.value:12.1f}  {t.ratio:9.2f}  {t.low:.2f}-{t.high:.2f}"
        print(f"  {row.name:{width}}  {figures}  {row.note}".rstrip())
