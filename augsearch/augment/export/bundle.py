"""Copies functions and classes out of modules, with all they need, into the text of one file."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from types import ModuleType


@dataclass(frozen=True)
class _Definition:
    text: str
    needs: frozenset[str]


def bundle(
    modules: Sequence[ModuleType],
    roots: Iterable[str],
    own_package: str,
    foreign: Sequence[ModuleType] = (),
) -> str:
    """Python source that defines `roots` and what they use, copied from `modules` in order.

    Imports from `own_package` are dropped (their names must be defined in `modules`, or by the
    caller of this function); of all other imports, what is used is kept.

    Args:
        modules: written with `from __future__ import annotations`; where two define one name, the
            later one's definition counts.
        foreign: more modules, by somebody who does not know the others.

    Raises:
        ValueError: a name of a foreign module means something else in the others.
    """
    definitions: dict[str, _Definition] = {}
    imports: dict[str, tuple[str, str]] = {}  # name -> (module or "", imported form)
    for module in (*modules, *foreign):
        source = inspect.getsource(module)
        before = {**definitions, **imports}
        lines = source.splitlines()
        body = ast.parse(source).body
        for node, following in zip(body, [*body[1:], None], strict=True):
            if isinstance(node, (ast.Import, ast.ImportFrom)):
                imports |= _imported(node, own_package)
            for name in _defined(node):
                end = following if _is_docstring(following) else node
                definitions[name] = _definition(node, end or node, lines)
        if module in foreign:
            after = {**definitions, **imports}
            for name, meaning in before.items():
                if after[name] != meaning:
                    raise ValueError(f"{module.__file__}: rename {name!r}, which is used elsewhere")
    wanted = _reachable(roots, definitions)
    used = {name for key in wanted for name in definitions[key].needs} & imports.keys()
    blocks = [definition.text for name, definition in definitions.items() if name in wanted]
    return _import_lines(imports[name] for name in used) + "\n\n\n" + "\n\n\n".join(blocks) + "\n"


def _imported(node: ast.Import | ast.ImportFrom, own_package: str) -> dict[str, tuple[str, str]]:
    module = (node.module or "") if isinstance(node, ast.ImportFrom) else ""
    if module == "__future__" or module.split(".")[0] == own_package:
        return {}
    return {
        alias.asname or alias.name: (
            module,
            f"{alias.name} as {alias.asname}" if alias.asname else alias.name,
        )
        for alias in node.names
    }


def _defined(node: ast.stmt) -> list[str]:
    if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
        return [node.name]
    if isinstance(node, ast.Assign):
        return [target.id for target in node.targets if isinstance(target, ast.Name)]
    if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
        return [node.target.id]
    return []


def _is_docstring(node: ast.stmt | None) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _definition(node: ast.stmt, end: ast.stmt, lines: list[str]) -> _Definition:
    decorators = getattr(node, "decorator_list", [])
    first = min([node.lineno, *(decorator.lineno for decorator in decorators)])
    needs = {inner.id for inner in ast.walk(node) if isinstance(inner, ast.Name)}
    return _Definition("\n".join(lines[first - 1 : end.end_lineno]), frozenset(needs))


def _reachable(roots: Iterable[str], definitions: dict[str, _Definition]) -> set[str]:
    found: set[str] = set()
    todo = list(roots)
    while todo:
        name = todo.pop()
        if name in definitions and name not in found:
            found.add(name)
            todo += definitions[name].needs
    return found


def _import_lines(used: Iterable[tuple[str, str]]) -> str:
    by_module: dict[str, set[str]] = {}
    plain = set()
    for module, form in used:
        if module:
            by_module.setdefault(module, set()).add(form)
        else:
            plain.add(f"import {form}")
    froms = [f"from {module} import {', '.join(sorted(by_module[module]))}" for module in by_module]
    return "\n".join([*sorted(plain), *sorted(froms)])
