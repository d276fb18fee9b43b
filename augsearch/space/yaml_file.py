"""YAML file -> validated pydantic model, with errors that name file, line, key and remedy."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from augsearch.errors import ConfigError
from augsearch.space.groups import GROUPS
from augsearch.words import did_you_mean

Model = TypeVar("Model", bound=BaseModel)
Location = tuple[int | str, ...]

LONGEST, DEEPEST, MOST = 100_000, 50, 10_000
"""Characters, levels and entries of a file, those counted that aliases repeat."""
CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f]")
"""All but tabs and line breaks."""
SHOWN, LONG = 5, 80
"""Problems of a file that a message names; characters of a value that it shows."""
FORMS = frozenset({"low", "high", "choices", "strength"})
"""Keys of what may stand for a number in a space."""
ELSEWHERE = {
    **dict.fromkeys(("ops", "view1", "view2", "strengths"), "a space (--space)"),
    **dict.fromkeys(
        (
            *("data", "encoder", "pretrain", "evaluate", "search"),
            *("confirm", "certify", "ablate", "full", "finetune", "pilot", "compute"),
        ),
        "a study file (--study)",
    ),
}
"""Keys at the top of a file, and the file that they belong in."""
LIMITS = {
    "greater_than_equal": ("at least", "ge"),
    "greater_than": ("above", "gt"),
    "less_than_equal": ("at most", "le"),
    "less_than": ("below", "lt"),
}
WANTED = {
    "finite_number": "a finite number",
    "bool": "true or false",
    "string": "a text",
    "tuple": "a list",
    "list": "a list",
    "dict": "a mapping of keys to values",
    "model": "a mapping of keys to values",
    "int": "a whole number",
    "float": "a number",
}
"""By the beginnings of pydantic's names of problems."""


def load_model(model: type[Model], path: Path) -> Model:
    """Read `path` and check it against `model`.

    Raises:
        ConfigError: one line, `file:line: key: what is wrong; what would be right`.
    """
    try:
        with path.open("rb") as file:
            content = file.read(LONGEST + 1)
        text = content.decode("utf-8")
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror})") from None
    except UnicodeDecodeError:
        if len(content) <= LONGEST:
            raise ConfigError(f"{path}: is not a text file in UTF-8") from None
        text = content.decode("utf-8", errors="replace")  # too long, which is said
    return parse_model(model, text, str(path), directory=path.resolve().parent)


def parse_model(model: type[Model], text: str, source: str, directory: Path | None = None) -> Model:
    """The same for YAML text that came from `source`.

    Args:
        directory: where files that the text names are looked for.
    """
    try:
        _check_events(text, source)
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        _check_aliases(root, source)
        content = yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{source}:{mark.line + 1}" if mark else source
        problem = getattr(error, "problem", None) or "malformed"
        raise ConfigError(f"{where}: is not valid YAML: {problem}") from None
    except (ValueError, OverflowError) as error:  # a date or a number that there is not
        raise ConfigError(f"{source}: is not valid YAML: {error}") from None
    if not isinstance(content, dict) or root is None:
        raise ConfigError(f"{source}: must be a mapping of keys to values, like `name: ...`")
    for key in _repeated_keys(root):
        line = key.start_mark.line + 1
        raise ConfigError(f"{source}:{line}: key {key.value!r} stands here twice; keep one")
    try:
        return model.model_validate(content, context={"directory": directory})
    except ValidationError as error:
        raise ConfigError(_one_line(error, model, root, source)) from None


def _check_events(text: str, source: str) -> None:
    """Refuse text that is longer or nested deeper than anything a person writes, control
    characters, and tags, which PyYAML takes where they make no sense."""
    if len(text) > LONGEST:
        raise ConfigError(f"{source}: is longer than {LONGEST:,} characters; is it the right file?")
    depth = 0
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        line = event.start_mark.line + 1 if event.start_mark else 1
        if tag := getattr(event, "tag", None):
            shown = tag.replace("tag:yaml.org,2002:", "!!")
            raise ConfigError(f"{source}:{line}: tags ({shown}) are not read; leave it out")
        if isinstance(event, yaml.ScalarEvent) and (sign := CONTROL.search(event.value)):
            shown = sign.group().encode("unicode_escape").decode()
            raise ConfigError(
                f"{source}:{line}: holds a control character ({shown}), which terminals and pages "
                "would obey; leave it out"
            )
        if depth > DEEPEST:
            raise ConfigError(f"{source}:{line}: is nested more than {DEEPEST} levels deep")


def _check_aliases(root: yaml.Node | None, source: str) -> None:
    """Refuse aliases (`*name`) that contain themselves, or that make much of little text."""
    sizes: dict[int, int | None] = {}  # of what a node amounts to; None while that is counted

    def size_of(node: yaml.Node) -> int:
        if id(node) in sizes:
            known = sizes[id(node)]
            if known is None:
                line = node.start_mark.line + 1
                raise ConfigError(f"{source}:{line}: contains itself, by an alias (`*name`)")
            return known
        sizes[id(node)] = None
        children: list[yaml.Node] = []
        if isinstance(node, yaml.MappingNode):
            children = [child for pair in node.value for child in pair]
        elif isinstance(node, yaml.SequenceNode):
            children = node.value
        sizes[id(node)] = size = 1 + sum(size_of(child) for child in children)
        return size

    if root is not None and (size := size_of(root)) > MOST:
        raise ConfigError(
            f"{source}: aliases (`*name`) make {size:,} entries of it, more than {MOST:,}; write "
            "less"
        )


def _repeated_keys(node: yaml.Node) -> Iterator[yaml.Node]:
    children: list[yaml.Node] = []
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            if key.value in seen:
                yield key
            seen.add(key.value)
            children.append(value)
    elif isinstance(node, yaml.SequenceNode):
        children = node.value
    for child in children:
        yield from _repeated_keys(child)


def _one_line(error: ValidationError, model: type[BaseModel], root: yaml.Node, source: str) -> str:
    problems = error.errors(include_url=False)
    # A list also counts as too short if its entries are wrong: these are what to mend.
    problems = [p for p in problems if p["type"] != "too_short" or not _inside(p, problems)]
    # A misspelt key also makes the right one "missing": the misspelling is what to mend.
    misspelt = {p["loc"][:-1] for p in problems if p["type"] == "extra_forbidden"}
    problems = [p for p in problems if p["type"] != "missing" or p["loc"][:-1] not in misspelt]
    said: dict[tuple[int, str], str] = {}
    for problem in sorted(problems, key=lambda problem: problem["type"] != "extra_forbidden"):
        line, keys = _find(root, problem["loc"])
        where = ".".join(keys)
        # What fits none of several forms is a problem for each of them.
        told = (f"{where}: " if where else "") + _explain(problem, model)
        key = (line, where)
        if key not in said:
            said[key] = told
        elif problem["type"] == "literal_error":  # a word is as well as what was said first
            said[key] += f" or {problem['ctx']['expected']}"
    (first, _), *_ = said
    lines = [
        text if number == first else f"line {number}: {text}"
        for (number, _), text in list(said.items())[:SHOWN]
    ]
    more = len(said) - len(lines)
    also = f"; and {more} more problem{'s' if more > 1 else ''}" if more > 0 else ""
    return f"{source}:{first}: " + "; ".join(lines) + also


def _inside(problem: ErrorDetails, problems: list[ErrorDetails]) -> bool:
    """True if another problem lies below `problem`."""
    here = problem["loc"]
    return any(p["loc"][: len(here)] == here and p is not problem for p in problems)


def _find(root: yaml.Node, location: Location) -> tuple[int, list[str]]:
    """Line and path of keys of a pydantic error; steps that are not in the file are skipped."""
    node, line, keys = root, root.start_mark.line + 1, list[str]()
    for step in location:
        if isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                if key.value == str(step):
                    node, line = value, key.start_mark.line + 1
                    keys.append(str(step))
                    break
        elif (
            isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value)
        ):
            node = node.value[step]
            line = node.start_mark.line + 1
            keys.append(_entry_name(node, step))
    return line, keys


def _entry_name(node: yaml.Node, position: int) -> str:
    """A list entry is called by its op, as people call it, else by its position."""
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == "op" and isinstance(value, yaml.ScalarNode):
                return str(value.value)
    return str(position)


def _explain(problem: Mapping[str, Any], model: type[BaseModel]) -> str:
    kind, value = problem["type"], problem.get("input")
    context: dict[str, Any] = problem.get("ctx", {})
    if kind == "extra_forbidden":
        return _unknown_key(problem["loc"], model)
    if kind == "union_tag_invalid":
        return _unknown_tag(problem["loc"], context)
    if kind in ("missing", "union_tag_not_found"):
        key = context.get("discriminator", repr(str(problem["loc"][-1])))
        return f"the key {key} is missing"
    if kind == "too_short":
        return f"has {context['actual_length']} entries, want at least {context['min_length']}"
    if kind == "value_error":
        return str(context["error"])
    return f"{_shown(value)} does not fit: want {_wanted(problem, model)}"


def _unknown_key(location: Location, model: type[BaseModel]) -> str:
    key = str(location[-1])
    if len(location) == 1 and key in ELSEWHERE:
        return f"{key!r} belongs in {ELSEWHERE[key]}, not in a {_kind(model)}"
    return f"unknown key {key!r}{_nearest(key, _keys_near(location, model))}"


def _unknown_tag(location: Location, context: dict[str, Any]) -> str:
    tag, key = str(context["tag"]), str(context["discriminator"]).strip("'")
    if key == "op" and tag in GROUPS:
        parents = [str(step) for step in location if step in GROUPS]
        return GROUPS[tag].misplaced(parents[-1] if parents else None)
    known = [name.strip().strip("'") for name in str(context["expected_tags"]).split(",")]
    return f"unknown {key} {tag!r}{_nearest(tag, known)}"


def _shown(value: Any) -> str:
    """A value of a file, in words if it is long."""
    if value is None:
        return "an empty value"
    if isinstance(value, (str, int, float, bool)):
        text = repr(value)
        return text if len(text) <= LONG else f"{text[:LONG]}…"
    return "a mapping" if isinstance(value, dict) else f"a {type(value).__name__}"


def _wanted(problem: Mapping[str, Any], model: type[BaseModel]) -> str:
    """What would have been right, without pydantic's vocabulary."""
    kind, value = str(problem["type"]), problem.get("input")
    context: dict[str, Any] = problem.get("ctx", {})
    if kind in LIMITS:
        words, bound = LIMITS[kind]
        return f"{words} {context[bound]:g}"
    if problem["loc"] == ("schema_version",):
        return (
            f"{context.get('expected', 1)}; the file was written by another version of augsearch: "
            "use that one, or write the file anew"
        )
    if kind == "literal_error":
        return str(context["expected"])
    if isinstance(value, dict) and FORMS & value.keys() and _kind(model) == "policy":
        return "one number; ranges, choices and strengths belong in a space (augsearch run --space)"
    if isinstance(value, str) and isinstance(problem["loc"][-1], int) and kind.startswith("model"):
        return f"an entry like `op: {value}`"
    wanted = next((words for start, words in WANTED.items() if kind.startswith(start)), None)
    return wanted or str(problem["msg"])


def _kind(model: type[BaseModel]) -> str:
    """What a file of that model is called."""
    return model.__name__.removesuffix("Config").lower()


def _keys_near(location: Location, model: type[BaseModel]) -> list[str]:
    """Keys that would have been right where the unknown one stands, from the model's schema."""
    schema = model.model_json_schema()
    definitions = schema.get("$defs", {})
    tagged = {_tag(d, name.lower()): d for name, d in definitions.items()}
    here = schema
    for step in location[:-1]:
        reference = here.get("properties", {}).get(step, {}).get("$ref", "")
        if reference:
            here = definitions[reference.removeprefix("#/$defs/")]
        elif step in tagged:
            here = tagged[step]
    return list(here.get("properties", {}))


def _tag(definition: dict[str, Any], name: str) -> str:
    """By which a file says that it means this one of several models."""
    properties = definition.get("properties", {})
    tags = (properties.get(key, {}).get("const") for key in ("op", "kind"))
    return str(next(filter(None, tags), name))


def _nearest(word: str, known: list[str]) -> str:
    return did_you_mean(word, known) or f"; known: {', '.join(sorted(set(known)))}"


def without_defaults(
    model: BaseModel, content: dict[str, Any], names: Iterable[str]
) -> dict[str, Any]:
    """What is written of a model, less those fields that are at their default.

    Fields that came later than others are left out there, so that digests and stored studies of
    before hold.
    """
    fields = type(model).model_fields
    at_default = {name for name in names if getattr(model, name) == fields[name].default}
    return {key: value for key, value in content.items() if key not in at_default}
