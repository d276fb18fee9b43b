"""Progress of a study on the terminal, or line by line where there is none."""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING

from rich.markup import escape
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)

from augsearch.cli.terminal.console import duration, terminal
from augsearch.cli.terminal.forecast import Forecast
from augsearch.cli.terminal.tables import print_estimate

if TYPE_CHECKING:
    from augsearch.progress import Estimate, Phase


class TerminalProgress:
    """Implements `augsearch.progress.Progress` with rich."""

    def __init__(self) -> None:
        self.console = terminal()
        self._bars = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]}"),
            TimeElapsedColumn(),
            console=self.console,
            transient=True,
        )
        self._images: TaskID | None = None
        self._phase: TaskID | None = None
        self._run: TaskID | None = None
        self._phase_name: Phase | None = None
        self._forecast = Forecast()
        self._done = self._total = 0
        self._best: float | None = None
        self._baseline: float | None = None

    def __enter__(self) -> TerminalProgress:
        self._bars.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bars.stop()

    def note(self, sentence: str) -> None:
        self.console.print(escape(sentence))

    def warn(self, sentence: str) -> None:
        self.console.print(f"[yellow]warning:[/] {escape(sentence)}")

    def estimated(self, estimate: Estimate) -> None:
        self._forecast = Forecast(estimate.phases)
        print_estimate(estimate, self.console)

    def images(self, done: int, total: int) -> None:
        if self._images is None:
            self._images = self._bars.add_task("decoding images", total=total, rate="")
        self._bars.update(self._images, completed=done, total=total)
        if done >= total:
            self._bars.remove_task(self._images)
            self._images = None

    def phase(self, name: Phase, done: int, total: int, round: str = "") -> None:
        title = f"{name} {round}".rstrip()
        for task in (self._phase, self._run):
            if task is not None:
                self._bars.remove_task(task)
        self._phase = self._bars.add_task(title, total=total, completed=done, rate="")
        self._run = self._bars.add_task("", total=1, rate="", visible=False)
        self._phase_name, self._done, self._total = name, done, total
        self._forecast.begin(name, done, total)
        resumed = f" ({done} done before)" if done else ""
        self.console.print(f"[bold]{title}[/]: {total} runs{resumed}")

    def step(self, run: str, step: int, steps: int, images_per_second: float) -> None:
        if self._run is not None:
            self._bars.update(
                self._run,
                description=f"  {escape(run)}",
                completed=step,
                total=steps,
                rate=f"{images_per_second:.0f} images/s",
                visible=True,
            )

    def run_ended(self, run: str, score: float | None, remark: str) -> None:
        self._done += score is not None
        self._forecast.run_ended(counts=score is not None)
        left = self._forecast.left()
        said = f"about {duration(left)} left" if left else ""
        if self._phase is not None:
            self._bars.update(self._phase, completed=self._done, rate=said)
        shown = f"{100 * score:5.1f}" if score is not None else "    -"
        tail = (f"  {escape(remark)}" if remark else "") + self._standing(score, remark)
        self.console.print(f"  {self._done:3d}/{self._total}  {shown}  {escape(run)}{tail}")
        ended = self._forecast.ended
        if said and score is not None and ended & (ended - 1) == 0:  # after 1, 2, 4, 8, ... runs
            self.console.print(f"  [dim]{said}, as the runs so far went[/]")

    def _standing(self, score: float | None, remark: str) -> str:
        """How the best trial stands against the best baseline, where that is what happens."""
        if score is None:
            return ""
        if self._phase_name == "baselines" and not remark:  # the floor is no baseline
            self._baseline = max(score, self._baseline or 0.0)
        if self._phase_name != "trials" or remark:
            return ""
        self._best = max(score, self._best or 0.0)
        against = f", best baseline {100 * self._baseline:.1f}" if self._baseline else ""
        return f"  [dim](best {100 * self._best:.1f}{against})[/]"
