"""What a policy does to single classes, as the confirmation saw it."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ClassChange(_Part):
    """Recall of one class under two policies, in [0, 1]."""

    name: str = Field(description="the class")
    ours: float = Field(description="mean recall under the one policy")
    theirs: float = Field(description="mean recall under the other")
    interval: tuple[float, float] | None = Field(
        description="of the difference, for other seeds, labels and test images; those of all "
        "classes hold together in 95 % of studies. Null where that is not known"
    )

    @property
    def finding(self) -> Literal["gains", "loses", "open"]:
        """What the interval shows."""
        low, high = self.interval or (0.0, 0.0)
        return "gains" if low > 0 else "loses" if high < 0 else "open"


class ClassChanges(_Part):
    """What the recommended policy gives to each class or takes from it."""

    ours: str = Field(description="the recommended policy")
    against: str = Field(
        description="what it is compared with: the best confirmed baseline, or, if it is one, the "
        "best policy found"
    )
    seeds: int = Field(description="fresh seeds that both have")
    classes: tuple[ClassChange, ...] = Field(description="in the order of the classes")


class KeptClasses(_Part):
    """What the recommended policy costs the class that it costs most, where a limit was set."""

    limit: float = Field(description="search.class_loss, points of recall")
    against: str = Field(description="the baseline that it is compared with")
    worst: str = Field(
        description="the class that loses most, of those shown to lose more than the limit if any"
    )
    loss: float = Field(description="its loss in points, confirmed; negative: it gains")
    interval: tuple[float, float] | None = Field(
        default=None,
        description="of that loss, for other seeds, labels and test images; those of all classes "
        "and candidates hold together in 95 % of studies. Null where that is not known",
    )

    @property
    def holds(self) -> bool:
        """Whether no class is shown to lose more than the limit."""
        return self.interval is None or self.interval[0] <= self.limit

    @property
    def sentence(self) -> str:
        """The finding in words."""
        verb = "loses" if self.loss > 0 else "gains"
        between = ""
        if self.interval is not None:
            low, high = self.interval if self.loss > 0 else (-self.interval[1], -self.interval[0])
            between = f" (95 % interval {low:.1f} to {high:.1f})"
        if not self.holds:
            held = f"more than the limit of {self.limit:g}."
        elif self.loss <= self.limit:
            held = f"within the limit of {self.limit:g}."
        else:
            held = (
                f"above the limit of {self.limit:g}, but that it loses more than this is not shown."
            )
        return (
            f"Against {self.against} the class {self.worst} {verb} {abs(self.loss):.1f} points of "
            f"recall{between}, {held}"
        )
