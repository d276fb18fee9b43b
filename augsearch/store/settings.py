"""In what two studies' settings differ, for people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def differences(there: Mapping[str, Any], here: Mapping[str, Any]) -> str:
    """The first three values that differ, by their path, and how many more; empty if none."""
    stored, asked = _flat(dict(there)), _flat(dict(here))
    differing = [key for key in sorted({*stored, *asked}) if stored.get(key) != asked.get(key)]
    shown = "; ".join(
        f"{key}: {stored.get(key, 'absent')} there, {asked.get(key, 'absent')} here"
        for key in differing[:3]
    )
    return shown + (f" (and {len(differing) - 3} more)" if len(differing) > 3 else "")


def _flat(value: Any, prefix: str = "") -> dict[str, Any]:
    if isinstance(value, dict):
        parts = [(str(key), item) for key, item in value.items()]
    elif isinstance(value, list):
        parts = [(_label(item, number), item) for number, item in enumerate(value)]
    else:
        return {prefix: value}
    flat: dict[str, Any] = {}
    for key, item in parts:
        flat |= _flat(item, f"{prefix}.{key}" if prefix else key)
    return flat


def _label(item: Any, number: int) -> str:
    if isinstance(item, dict) and "op" in item:
        return str(item.get("name") or item["op"])
    return str(number)
