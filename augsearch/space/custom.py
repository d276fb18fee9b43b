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
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import ModuleType
from typing import Any

from augsearch.space.catalogue import Operation, Parameter
from augsearch.space.trust import check_trusted

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
        return digest(self.file.read_bytes())

    @property
    def module(self) -> ModuleType:
        """The file, run once for each of its versions."""
        return run_file(self.file, self.code)

    def load(self, code: str = "") -> CustomOp:
        """The operation; this runs the file, once for each of its versions.

        Args:
            code: which version; empty for the file as it is now.

        Raises:
            ValueError: the file does not run, has no operation of that name, or is another
                version that was not run before.
        """
        module = run_file(self.file, code or self.code)
        found = getattr(module, self.name, None)
        if isinstance(found, CustomOp):
            return found
        there = [n for n, value in vars(module).items() if isinstance(value, CustomOp)]
        raise ValueError(
            f"{self.file.name} has no CustomOp called {self.name!r}; it has: "
            f"{', '.join(there) or 'none'}"
        )


def digest(content: bytes) -> str:
    """Twelve hex digits that change with the content of a file."""
    return hashlib.sha256(content).hexdigest()[:12]


def has_changed(file: Path, meant: str) -> str:
    """What to say where `file` is not the version `meant`."""
    return (
        f"{file.name} has changed: its digest is {digest(file.read_bytes())}, not {meant}; bring "
        "the old file back, or remove `code` to take the new one"
    )


_ran: dict[str, Path] = {}


def found_again(code: str) -> Path | None:
    """A file of the version `code` that this process has run, if it is still there.

    What a study has stored names its files where they lay; the same content may lie elsewhere now.
    """
    file = _ran.get(code)
    return file if file is not None and file.is_file() else None


@lru_cache(maxsize=64)
def run_file(file: Path, code: str) -> ModuleType:
    """The module that a user's file makes, run once for each of its versions.

    Args:
        code: the version that is meant, see `digest`.

    Raises:
        ValueError: the file is another version, is not trusted, or does not run.
    """
    if digest(file.read_bytes()) != code:
        raise ValueError(has_changed(file, code))
    check_trusted(file)
    spec = importlib.util.spec_from_file_location(f"augsearch_custom_{code}", file)
    if spec is None or spec.loader is None:
        raise ValueError(f"{file} cannot be imported")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # where dataclasses and pickle look for it
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        del sys.modules[spec.name]
        said = " ".join(f"{type(error).__name__}: {error}".split())
        if isinstance(error, ModuleNotFoundError) and _lies_beside(file, error.name or ""):
            # One file is one digest, one copy beside a policy and one source of an export.
            said += "; the file stands alone: copy what it needs into it"
        raise ValueError(f"{file.name} does not run: {said}") from error
    _ran[code] = file
    return module


def _lies_beside(file: Path, module: str) -> bool:
    """True if a module of that name lies in the directory of `file`."""
    beside = file.parent / module.partition(".")[0]
    return beside.with_suffix(".py").is_file() or beside.is_dir()
