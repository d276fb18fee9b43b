"""A policy's values, with those that follow one strength told once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from augsearch.space.catalogue import Parameter
from augsearch.space.policy_ops import walk
from augsearch.space.searched import Coupled, readable
from augsearch.space.space import Space

NEAR = 2e-3
"""How far a value may lie from where its strength puts it, as a share of its way at strength 1:
values are rounded to four digits."""

Follower = tuple[str, Parameter, Coupled]


def by_strength(space: Space, flat: Mapping[str, str | float]) -> dict[str, str | float]:
    """A flattened policy with `strength.<name>` in place of the values that follow that strength.

    Values of a policy from elsewhere that no one strength gives stay as they are.
    """
    told = dict(flat)
    for name in space.strengths:
        followers = [one for one in _followers(space, name) if one[0] in flat]
        strength = _agreed(followers, flat)
        if strength is not None:
            for key, _, _ in followers:
                del told[key]
            told[f"strength.{name}"] = strength
    return told


def _followers(space: Space, strength: str) -> Iterator[Follower]:
    """What follows a strength, under the names of a flattened policy."""
    for prefix, ops in space.sections():
        for op in walk(ops):
            for parameter, form in op.numbers():
                if isinstance(form, Coupled) and form.strength == strength:
                    for view in (prefix,) if prefix else ("view1.", "view2."):
                        yield f"{view}{op.instance}.{parameter.name}", parameter, form


def _agreed(followers: list[Follower], flat: Mapping[str, str | float]) -> float | None:
    """The one strength that gives all these values; None if there is none."""
    ways = [form.full - (parameter.identity or 0.0) for _, parameter, form in followers]
    if not any(ways):
        return None
    way, (key, parameter, _) = max(zip(ways, followers, strict=True), key=lambda one: abs(one[0]))
    strength = (float(flat[key]) - (parameter.identity or 0.0)) / way
    for way, (key, parameter, form) in zip(ways, followers, strict=True):
        near = 0.5 if parameter.integer else NEAR * abs(way)
        if abs(form.at(strength, parameter.identity or 0.0) - float(flat[key])) > near:
            return None
    return readable(strength)
