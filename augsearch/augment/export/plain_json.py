"""The whole policy as data, for programs that have no library of ours: docs/exports.md says how."""

from __future__ import annotations

import json
from importlib.metadata import version
from typing import Any

from augsearch.augment.executor import Step
from augsearch.augment.export.drawn import DRAWN
from augsearch.augment.export.parts import MARK, Export
from augsearch.augment.views import ViewPlan, surroundings_of
from augsearch.space.catalogue import GRAIN, OPERATIONS, Operation
from augsearch.space.handbook.carry_over import carry_over_note
from augsearch.space.policy import Policy
from augsearch.space.policy_ops import CustomPolicyOp, walk

FORM = 1
"""Grows when a reader of the file has to know."""


def to_json(policy: Policy, view_plan: ViewPlan, image_size: int) -> Export:
    """Every operation with its numbers, in order; what code of the user's own does, as its text."""
    sources = {
        op.instance: op for op in walk((*policy.views[0], *policy.views[1]))
        if isinstance(op, CustomPolicyOp)
    }  # fmt: skip
    surroundings = surroundings_of(policy)
    lists = [[_described(step, image_size, sources) for step in steps] for steps in view_plan.lists]
    content = {
        "about": f"Two views under a policy, {MARK} {version('augsearch')}: docs/exports.md there",
        "form": FORM,
        "name": policy.name,
        "digest": policy.digest,
        "image_size": image_size,
        "pixels": "float in [0, 1], clamped after every operation",
        "before": {
            "fit": surroundings.fit,
            "resize": "to image_size, antialiased linear; a crop that comes first is cut before",
        },
        "views": lists if len(lists) > 1 else lists * 2,
        "after": {"mean": list(surroundings.mean), "std": list(surroundings.std)},
        "found_on": policy.found_on.model_dump(mode="json") if policy.found_on else None,
        "note": carry_over_note(policy, image_size),
    }
    remarks = [
        f"left out: {name}: what its code draws is not described; its text is in the file"
        for name in sources
    ]
    content["differs"] = remarks
    return Export(json.dumps(content, indent=2, ensure_ascii=False) + "\n", tuple(remarks))


def _described(step: Step, image_size: int, sources: dict[str, CustomPolicyOp]) -> dict[str, Any]:
    described: dict[str, Any] = {"op": step.op, "instance": step.instance, "p": step.p}
    if step.members:
        members = [_described(member, image_size, sources) for member in step.members]
        return {**described, "choose": "one member, all equally likely, then its own p",
                "members": members}  # fmt: skip
    if step.own is not None:
        custom = sources[step.instance]
        return {
            **described,
            "parameters": _parameters(custom.operation, step),
            "code": {"digest": custom.code, "text": custom.source.file.read_text(encoding="utf-8")},
        }
    operation = OPERATIONS[step.op]
    described["does"] = operation.doc
    described["parameters"] = _parameters(operation, step)
    described["draws"] = [drawn.as_json() for drawn in DRAWN[step.op](step.values, image_size)]
    if operation.grained:
        cells = round(1 / step.values[GRAIN.name])
        described["cells"] = {"along_a_side": cells, "pixels": image_size / cells}
    return described


def _parameters(operation: Operation, step: Step) -> dict[str, Any]:
    return {
        parameter.name: {
            "value": step.values[parameter.name],
            "identity": parameter.identity,
            "means": parameter.doc,
        }
        for parameter in operation.numbers
    }
