"""What an ablation found: every cell with its interval, what each operation gains, and whom."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from augsearch.files import Written
from augsearch.search.ablation.plan import Mode, Protocol, Training

ALPHA = 0.05


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Gain(_Model):
    """A difference of means that are paired by seed, in points.

    Attributes:
        interval: 95 %, moderated t over seeds; for a class also over its images, if it is known
            which of them each run had right.
        p_value: two-sided, after Holm's correction over all gains of its kind.
        against: the cell that it is the gain over.
    """

    points: float
    interval: tuple[float, float]
    p_value: float
    against: str

    @property
    def shown(self) -> bool:
        """Whether chance is an unlikely reason for it."""
        return self.p_value < ALPHA


class CellResult(_Model):
    """One cell. Scores lie in [0, 1].

    Attributes:
        op, second, share, training: see `plan.Cell`.
        digest: of the policy.
        scores: one for each seed; empty if a run failed.
        mean: over the seeds; None if a run failed.
        interval: 95 %, without what a seed adds to all cells alike (`comparable_means`), so that
            cells can be compared by it; None if a run failed.
        gain: over what it is compared with; None if that is nothing, or a run failed.
        class_recall: mean over the seeds.
        failure: why a run failed, or empty.
    """

    name: str
    op: str
    second: str
    share: float | None
    training: Training
    digest: str
    scores: tuple[float, ...]
    mean: float | None
    interval: tuple[float, float] | None
    gain: Gain | None
    class_recall: dict[str, float]
    failure: str = ""


class OpGain(_Model):
    """What one operation adds to the score."""

    op: str
    gain: Gain


class ClassGain(_Model):
    """What one operation adds to the recall of one class."""

    op: str
    label: str
    gain: Gain


class Ablation(Written):
    """All that an ablation found; `<title>.json` holds it.

    Attributes:
        study: name under which it is stored.
        title: what tells it from others of that name.
        metric: what the scores are.
        ops: in the order of the matrix; in a strength sweep the one that is swept.
        row_means: in a matrix, the mean of each row (the operation comes first), by operation.
        op_gains: leave-one-out, add-one, classes: what each operation adds to the score.
        class_gains: the same for each class; empty in a matrix and a sweep.
        sentences: the findings in plain words, the main one first.
        left_out: operations without an effect on these images.
        seeds: replicates.
        command: what repeats it or goes on with it.
    """

    study: str
    title: str
    mode: Mode
    protocol: Protocol | None
    metric: str
    steps: int
    seeds: tuple[int, ...]
    ops: tuple[str, ...]
    cells: tuple[CellResult, ...]
    row_means: dict[str, float]
    op_gains: tuple[OpGain, ...]
    class_gains: tuple[ClassGain, ...]
    sentences: tuple[str, ...]
    left_out: tuple[str, ...]
    data: dict[str, str | int]
    seed: int
    seconds: float
    device: str
    versions: dict[str, str]
    command: str

    def _title(self) -> str:
        return f"{self.study}, {self.title}"

    def _lines(self) -> tuple[str, ...]:
        return self.sentences
