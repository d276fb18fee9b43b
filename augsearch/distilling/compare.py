"""What a student has right of sealed pictures, beside its teacher."""

from __future__ import annotations

from dataclasses import dataclass

from augsearch.data.imageset import ImageSet
from augsearch.finetuning.compare import losses
from augsearch.finetuning.labels import Rows
from augsearch.finetuning.result import Loss, Part
from augsearch.stats.proportions import share_of


@dataclass(frozen=True)
class Worth:
    """What both have right.

    Attributes:
        loss: of the student, in the teacher's place; so `by_class`.
    """

    teacher: Part | None
    student: Part | None
    loss: Loss | None
    by_class: dict[str, Loss]


NOTHING = Worth(None, None, None, {})


def compared(sealed: ImageSet, rows: Rows, teacher: Rows, student: Rows) -> Worth:
    """Both on the same pictures.

    Args:
        rows: `[n]` of `sealed`, one for each picture.
        teacher, student: `[n]` the classes that they guess.
    """
    labels, groups = sealed.labels[rows], sealed.groups[rows]
    loss, by_class = losses(teacher, student, labels, groups, sealed.classes)
    shares = [share_of(guess == labels, groups) for guess in (teacher, student)]
    its_teacher, itself = (
        None if one is None else Part(value=one.value, low=one.low, high=one.high, of=one.of)
        for one in shares
    )
    return Worth(its_teacher, itself, loss, by_class)
