"""The entries of `ops` that are no operation of the catalogue: what they do, and where they stand.

Knows nothing of models; `yaml_file` explains a misplaced group with it, `augsearch ops` shows it.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Group:
    """One such entry.

    Attributes:
        doc: what it does.
        where: where it may stand.
        example: an entry of a space's `ops`, as YAML.
        instead: what to write where it cannot stand.
    """

    name: str
    doc: str
    where: str
    example: str
    instead: str

    def misplaced(self, parent: str | None) -> str:
        """What to do about it inside the group `parent`; None: at the top of a policy."""
        if parent is None:
            return (
                f"{self.name!r} belongs in a space; a policy has one order: list the operations "
                "themselves"
            )
        return f"{self.name!r} cannot be nested in {parent!r}; {self.instead}"


GROUPS = {
    group.name: group
    for group in (
        Group(
            "one_of",
            "Each sample takes one of the listed operations, all equally likely; the member's own "
            "gate then holds. Its p, 0 to 1, is drawn per sample as well.",
            "In a space or a policy: at the top of the list, in an any_order or in a block.",
            "- op: one_of\n"
            "  p: 0.8\n"
            "  ops:\n"
            "    - {op: gaussian_blur, sigma: {low: 0.0, high: 0.02}}\n"
            "    - {op: sharpness, amount: 1.0}",
            "list its members in the outer one",
        ),
        Group(
            "any_order",
            "The order of the listed operations is searched, every order as likely at first; the "
            "policy then holds them in one order.",
            "In a space only: at the top of the list.",
            "- op: any_order\n"
            "  ops:\n"
            "    - {op: grayscale, p: 0.2}\n"
            "    - {op: gaussian_blur, sigma: {low: 0.0, high: 0.02}}",
            "list it at the top, beside the other operations; to keep some in their order inside "
            "an any_order, use a 'block'",
        ),
        Group(
            "block",
            "The listed operations keep their order and move together, as one member of an "
            "any_order.",
            "In a space only: in an any_order.",
            "- op: any_order\n"
            "  ops:\n"
            "    - {op: grayscale, p: 0.2}\n"
            "    - op: block\n"
            "      ops: [{op: gaussian_blur, sigma: 0.01}, {op: sharpness, amount: 1.0}]",
            "it is a member of an 'any_order'; list its operations themselves",
        ),
        Group(
            "custom",
            "An operation of your own, in a Python file beside the space; docs/own_ops.md shows "
            "how to write one. Its p, 0 to 1, is drawn per sample as everywhere.",
            "In a space or a policy: wherever an operation may stand.",
            "- op: custom\n"
            "  of: my_ops.py:banding\n"
            "  p: 0.5\n"
            "  parameters: {gain: {low: 0.0, high: 0.4}}",
            "list it beside the other operations",
        ),
    )
}
