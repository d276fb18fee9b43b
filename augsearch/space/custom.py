"""An operation of a user's own, in a Python file beside the space or policy that names it.

    # my_ops.py
    from augsearch import CustomOp, Parameter

    def darken(images, u, values, field):
        return images * (1 - values["amount"] * u[:, 0].view(-1, 1, 1, 1))

    darkening = CustomOp(
        doc="Darken the whole picture.",
        parameters=(Parameter("amount", 0, 1, "largest loss of light", identity=0, default=0.2),),
        slots=1,
        apply=darken,
    )

In YAML: `{op: custom, of: my_ops.py:darkening, parameters: {amount: {low: 0, high: 0.5}}}`.
"""

from __future__ import annotations

import hashlib
import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import ModuleType
from typing import Any

from augsearch.space.catalogue import Operation, Parameter

RESERVED = frozenset({"op", "name", "p", "ops"})


@dataclass(frozen=True)
class CustomOp:
    """An operation that is not in the catalogue.

    Attributes:
        doc: one sentence for people.
        parameters: as in the catalogue: each the most that the operation does, with hard bounds,
            and the identity at which it does nothing.
        slots: uniform numbers needed per image.
        apply: (images `[n, C, H, W]` float32 in [0, 1], u `[n, slots]` in [0, 1), values by name,
            field) -> images of the same shape in [0, 1]. Row i may depend on images[i] and u[i]
            only; `field(slot, shape)` gives uniform numbers `[n, *shape]`, one for each pixel.
            `augsearch.testing.ops` checks all of it.
        colour_only: does nothing to grey images.
    """

    doc: str
    parameters: tuple[Parameter, ...]
    slots: int
    apply: Callable[..., Any]
    colour_only: bool = False

    def __post_init__(self) -> None:
        names = [p.name for p in self.parameters]
        for name in names:
            if name in RESERVED or not name.isidentifier():
                raise ValueError(f"a parameter cannot be called {name!r}")
        if len(set(names)) < len(names):
            raise ValueError("two parameters have the same name")
        for p in self.parameters:
            for what, number in (("default", p.default), ("identity", p.identity)):
                if number is not None and not p.low <= number <= p.high:
                    raise ValueError(f"{p.name}: {what} {number:g} is outside its bounds")
        if self.slots < 0:
            raise ValueError(f"slots is {self.slots}; want 0 or more")

    def operation(self, name: str) -> Operation:
        """The entry that it would have in the catalogue."""
        return Operation(name, self.doc, self.parameters, self.colour_only)


@dataclass(frozen=True)
class CustomSource:
    """Where a custom operation is defined: `my_ops.py:darkening`, resolved."""

    file: Path
    name: str

    @classmethod
    def parse(cls, text: str, directory: Path | None) -> CustomSource:
        """From YAML; a relative path starts at `directory`.

        Raises:
            ValueError: another form, or there is no such file.
        """
        file, _, name = text.rpartition(":")
        if not file.endswith(".py") or not name.isidentifier():
            raise ValueError(f"{text!r} does not name an operation; want `file.py:name`")
        path = Path(file)
        if directory is not None:
            path = directory / path
        if not path.is_file():
            raise ValueError(f"there is no file {path}")
        return cls(path.resolve(), name)

    def __str__(self) -> str:
        return f"{self.file}:{self.name}"

    @property
    def code(self) -> str:
        """Twelve hex digits that change with the file."""
        return hashlib.sha256(self.file.read_bytes()).hexdigest()[:12]

    @property
    def module(self) -> ModuleType:
        """The file, run once for each of its versions."""
        return _run_file(self.file, self.code)

    def load(self) -> CustomOp:
        """The operation; this runs the file.

        Raises:
            ValueError: the file does not run, or has no operation of that name.
        """
        found = getattr(self.module, self.name, None)
        if isinstance(found, CustomOp):
            return found
        there = [n for n, value in vars(self.module).items() if isinstance(value, CustomOp)]
        raise ValueError(
            f"{self.file.name} has no CustomOp called {self.name!r}; it has: "
            f"{', '.join(there) or 'none'}"
        )


@lru_cache(maxsize=64)
def _run_file(file: Path, code: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"augsearch_custom_{code}", file)
    if spec is None or spec.loader is None:
        raise ValueError(f"{file} cannot be imported")
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        raise ValueError(f"{file.name} does not run: {type(error).__name__}: {error}") from error
    return module
