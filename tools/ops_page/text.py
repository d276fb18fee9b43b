"""The text of `docs/ops.md`, made of the catalogue, the advice and the measured costs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from augsearch.space.costs import CostTable, load_costs
from augsearch.space.handbook import (
    OpDescription,
    bounds_text,
    cost_text,
    describe_ops,
    identity_text,
    number_text,
)
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
            f"operation ({costs.machine}, {costs.date}, `benchmarks/op_costs.py`).\n"
        )


def _contents(descriptions: Sequence[OpDescription]) -> Iterator[str]:
    for family, members in groupby(descriptions, key=lambda one: one.family):
        links = (f"[{one.name}](#{one.name})" for one in members)
        yield f"- **[{family.capitalize()}](#{family.replace(' ', '-')})**: {', '.join(links)}"
    yield ""


def _section(one: OpDescription) -> Iterator[str]:
    colour = " *Needs colour.*" if one.operation.colour_only else ""
    yield f"### {one.name}\n"
    yield f"{one.operation.doc}{colour}\n"
    if one.operation.parameters:
        yield "| parameter | bounds | identity | default | meaning |\n|---|---|---|---|---|"
        for parameter in one.operation.parameters:
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
