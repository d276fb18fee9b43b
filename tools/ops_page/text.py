"""The text of `docs/ops.md`, made of the catalogue, the advice and the measured costs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from augsearch.space.handbook.costs import CostTable, load_costs
from augsearch.space.handbook.handbook import (
    OpDescription,
    bounds_text,
    cost_text,
    describe_ops,
    identity_text,
    number_text,
)
from augsearch.testing.carry_over import BOUNDS
from tools.ops_page.strips import strips_of

INTRODUCTION = """\
<!-- Made by `uv run python -m tools.ops_page`; change the catalogue or the advice instead. -->
# Operations

What each augmentation does, what it is good for, and where it is dangerous. On the terminal: \
`augsearch ops`, `augsearch ops NAME`; in Python: `augsearch.describe_op("rotation")`.

**How to read it.** A parameter is the *most* that an operation does: a sample's magnitude is \
drawn between the identity, at which nothing changes, and the parameter's value. Every operation \
also has a gate probability `p` (0 to 1; 1 where it is left out), drawn per sample. Lengths are \
shares of the image's shorter side.

**Grain.** Noise in single pixels of 224 averages out where the picture is seen at 32. What acts \
on single pixels, or on statistics of them, therefore works on cells whose side is the `grain`, \
1/32 of the shorter side unless said otherwise: at 32 pixels a cell is a pixel, at 224 it is 7. \
Noise, dead pixels and drops have the size of a cell; sharpening and compression act on the \
picture averaged over cells and leave finer detail as it is; blurs, histograms and the rest act on \
all pixels and are then brought, cell by cell, to what they do to the cells. A grain of \
1/224 is a pixel of 224; where a cell is finer than a pixel, the effect averages out as it would \
in a camera. The grain is fixed unless a space searches it; the presets do not.

**Pictures.** From the identity to the bound, with the default where it differs. Gate open and \
the magnitude fixed at what stands above; of what goes both ways one way is shown, and of what \
lies anywhere one place. Rows: a milled steel plate with a crack and a heat tint, fields from \
above, a landscape; all three are drawn by the program, at 96 pixels. The bounds are what is \
possible, not what is wise: most spaces end far below.

**Advice** is a starting point for a space; what helps on your images is what a study is for. \
*Inspection*: surfaces and parts under fixed cameras.
"""


def page_text() -> str:
    """All of `docs/ops.md`."""
    descriptions = describe_ops()
    parts = [INTRODUCTION, *_costs_note(load_costs()), *_contents(descriptions)]
    parts.extend(_carry_over(descriptions))
    for family, members in groupby(descriptions, key=lambda one: one.family):
        parts.append(f"## {family.capitalize()}\n")
        for one in members:
            parts.extend(_section(one))
    return "\n".join(parts)


def _costs_note(costs: CostTable) -> Iterator[str]:
    if costs.ops:
        yield (
            "**Cost** is what an operation adds for one image, gate open and parameters at their "
            "defaults (half of their range where the defaults change nothing), on one thread: "
            "`kornia` is the reference executor, `fused` the fast one, where it knows the "
            f"operation ({costs.machine}, {costs.date}, `benchmarks/ops/costs.py`).\n"
        )


def _contents(descriptions: Sequence[OpDescription]) -> Iterator[str]:
    for family, members in groupby(descriptions, key=lambda one: one.family):
        links = (f"[{one.name}](#{one.name})" for one in members)
        yield f"- **[{family.capitalize()}](#{family.replace(' ', '-')})**: {', '.join(links)}"
    yield ""


def _carry_over(descriptions: Sequence[OpDescription]) -> Iterator[str]:
    """The table of effects at larger sizes, and what does not carry over."""
    low, high = BOUNDS
    columns = [(one.pictures, one.image_size) for one in descriptions[0].carry_over]
    yield "## From 32 to 224 pixels\n"
    yield (
        "A policy is found on small images and used on large ones. What an operation changes in "
        "pictures of 96 and 224 pixels, seen at 32 (averaged down), over what the same draws "
        f"change in pictures of 32 pixels: 1 carries over; outside {low:g} to {high:g} an "
        "operation says that it does not. Defaults, half of the magnitudes where those change "
        "nothing; root mean squares over 24 pictures: the embedded surfaces, and random pictures "
        "with the *spectrum* of photographs (`benchmarks/ops/carry_over.py`). On photographs from "
        "above, rolled steel and magnetic tiles (`--images`, 2026-11-27) all but gaussian_blur lie "
        "between 0.94 and 1.11. The geometric ones do a little more at 224 because sampling "
        "between pixels blurs less there.\n"
    )
    yield "| operation | " + " | ".join(f"{name}, {size} px" for name, size in columns) + " |"
    yield "|---|" + "---|" * len(columns)
    for one in descriptions:
        ratios = " | ".join(f"{found.ratio:.2f}" for found in one.carry_over)
        yield f"| [{one.name}](#{one.name}) | {ratios} |"
    yield ""
    for one in descriptions:
        if one.operation.limits:
            yield f"**{one.name}**: {one.operation.limits}\n"
    yield (
        "Of operations of one's own nothing is known. A policy with one of them, or with one of "
        "these two where they do not carry over, warns where it is built at another size than it "
        "was found at (`found_on` in policy.yaml), and says so in what `augsearch export` "
        "writes.\n"
    )


def _section(one: OpDescription) -> Iterator[str]:
    colour = " *Needs colour.*" if one.operation.colour_only else ""
    yield f"### {one.name}\n"
    yield f"{one.operation.doc}{colour}\n"
    if one.operation.limits:
        yield f"{one.operation.limits}\n"
    if one.operation.numbers:
        yield "| parameter | bounds | identity | default | meaning |\n|---|---|---|---|---|"
        for parameter in one.operation.numbers:
            needs = " *(needs colour)*" if parameter.colour_only else ""
            yield (
                f"| `{parameter.name}` | {bounds_text(parameter)} | {identity_text(parameter)} | "
                f"{number_text(parameter.default)} | {parameter.doc}{needs} |"
            )
        yield ""
    for strip in strips_of(one.operation):
        yield f"![{strip.alt}](images/ops/{strip.file})\n"
    yield "| images | good for | dangerous |\n|---|---|---|"
    for domain, advice in one.advice.domains():
        yield f"| {domain} | {advice.good_for} | {advice.dangerous} |"
    yield ""
    if one.costs:
        yield f"Cost: {cost_text(one.costs)}.\n"
