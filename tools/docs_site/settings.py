"""The pages of files: every key of a study, space, policy and result, from the JSON Schemas."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
Schema = Mapping[str, Any]

SEARCHED = ("Range", "Choices", "Coupled")
HEAD = "| key | value | default | |\n|---|---|---|---|\n"


def study_page() -> str:
    """Markdown of every key of a study file."""
    return (
        "# Study file\n\n"
        "How a study trains, scores and searches: `--study my_study.yaml`. A key that you leave "
        "out has its default, so a file of three lines will do. `--study` also takes the name of "
        "a preset: `standard`, `quick` or `pretrained`. This is `standard`:\n\n"
        f"{_yaml('studies/standard.yaml')}\n## All keys\n\n"
        f"{''.join(_tables(schema_of('study'), '', level=2, seen={}))}"
    )


def space_page() -> str:
    """Markdown of every key of a space file."""
    schema = schema_of("space")
    return (
        "# Space file\n\n"
        "Which operations a policy may have and over which ranges: `--space my_space.yaml`. "
        "`--space` also takes the name of a preset: `factory`, `satellite`, `microscopy` or "
        "`natural`. [Operations](../ops.md) lists every operation with its parameters. This is "
        f"`factory`:\n\n{_yaml('spaces/factory.yaml')}\n## All keys\n\n"
        f"{''.join(_tables(schema, '', level=2, seen={}))}"
        "## Searched numbers\n\nIn place of a number:\n\n"
        f"{_definitions(schema, SEARCHED)}"
        "## Groups and operations of your own\n\n"
        f"{_definitions(schema, ('SpaceOneOf', 'SpaceAnyOrder', 'SpaceBlock', 'SpaceCustom'))}"
        f"{_operations(schema)}"
    )


def policy_page() -> str:
    """Markdown of every key of a policy file."""
    schema = schema_of("policy")
    return (
        "# Policy file\n\n"
        "What a study recommends: `runs/NAME/policy.yaml`. [Operations](../ops.md) lists every "
        "operation with its parameters.\n\n## All keys\n\n"
        f"{''.join(_tables(schema, '', level=2, seen={}))}"
        "## Groups and operations of your own\n\n"
        f"{_definitions(schema, ('OneOf', 'CustomPolicyOp'))}{_operations(schema)}"
    )


RESULTS = {
    "result": "of `augsearch run`: `augsearch.StudyResult`",
    "pretrain": "of `augsearch pretrain`: `augsearch.Pretrained`",
    "finetune": "of `augsearch finetune`: `augsearch.Finetuned`",
    "distill": "of `augsearch distill`: `augsearch.Distilled`",
    "deploy": "of `augsearch deploy`: `augsearch.Deployed`",
    "explain": "of `augsearch explain`: `augsearch.Explained`",
    "pilot": "of `augsearch pilot`: `augsearch.Pilot`",
    "ablation": "of `augsearch ablate`: `augsearch.Ablation`",
}


def results_page() -> str:
    """Markdown of every key of the result files."""
    parts = [
        "# Result files\n\nEvery verb that ends in numbers writes them as JSON into its directory, "
        "and returns the same as an object in Python. Their JSON Schemas are in `schemas/`.\n"
    ]
    for name, of in RESULTS.items():
        schema = schema_of(name)
        parts.append(f"\n## {schema['title']}\n\nThe file {of}.\n\n")
        parts += _tables(schema, "", level=3, seen={})
    return "".join(parts)


def schema_of(name: str) -> dict[str, Any]:
    """The JSON Schema of a file; a test keeps those in schemas/ in step with the models."""
    found: dict[str, Any] = json.loads((ROOT / f"schemas/{name}.schema.json").read_text())
    return found


def _yaml(path: str) -> str:
    lines = (ROOT / path).read_text().splitlines()
    shown = [line for line in lines if not line.startswith("# yaml-language-server")]
    return "\n".join(["```yaml", *shown, "```\n"])


def _tables(schema: Schema, path: str, level: int, seen: dict[str, str]) -> Iterator[str]:
    """The table of a section's keys, then those of the sections in it under headings of their own.

    `seen` says where a section has been described; the next one of its kind points there.
    """
    yield _table(schema)
    for key, value in schema.get("properties", {}).items():
        for part in _sections(value, schema):
            name = f"{path}{key}"
            kind = part["properties"].get("kind", {}).get("const")
            title = f"`{name}`" + (f" with `kind: {kind}`" if kind else "")
            yield f"{'#' * min(level + 1, 6)} {title}\n\n{_sentences(part)}\n\n"
            if first := seen.get(part["title"]):
                yield f"The keys are those of `{first}`.\n\n"
            else:
                seen[part["title"]] = name
                yield from _tables(part, f"{name}.", level, seen)


def _table(section: Schema) -> str:
    """The keys of one section."""
    attributes = _attributes(section)
    rows = [
        f"| `{key}` | {_values(value, section)} | {_default(value, section)} "
        f"| {_words(value.get('description') or attributes.get(key, ''))} |\n"
        for key, value in section.get("properties", {}).items()
    ]
    return f"{HEAD}{''.join(rows)}\n"


def _definitions(schema: Schema, names: Iterable[str]) -> str:
    """A heading and a table for each of these definitions."""
    found = []
    for name in names:
        part = _resolved({"$ref": name}, schema)
        op = part["properties"].get("op", {}).get("const")
        title = f"`op: {op}`" if op else f"`{{{', '.join(part['required'])}}}`"
        found.append(f"### {title}\n\n{_sentences(part)}\n\n{_table(part)}")
    return "".join(found)


def _operations(schema: Schema) -> str:
    """One table of all operations with the keys that each has beside `op`, `p` and `name`."""
    rows = []
    for part in schema["$defs"].values():
        op = part["properties"].get("op", {}).get("const")
        if op is None or op == "custom" or "ops" in part["properties"]:
            continue
        own = [f"`{key}`" for key in part["properties"] if key not in {"op", "p", "name"}]
        rows.append(f"| [`{op}`](../ops.md#{op}) | {', '.join(own)} | {_sentences(part)} |\n")
    return f"## Operations\n\n| `op` | keys | |\n|---|---|---|\n{''.join(sorted(rows))}"


def _sections(value: Schema, schema: Schema) -> list[dict[str, Any]]:
    """The sections that a value may be."""
    found = [_resolved(part, schema) for part in _parts(value)]
    return [part for part in found if part.get("properties")]


def _parts(value: Schema) -> list[Schema]:
    """What a value refers to, alone, among others or in a list."""
    options = [value, *value.get("anyOf", ()), *value.get("oneOf", ())]
    if "items" in value:
        options += _parts(value["items"])
    return [option for option in options if "$ref" in option]


def _resolved(part: Schema, schema: Schema) -> dict[str, Any]:
    """What a reference names, with the definitions that it may refer to."""
    name = part["$ref"].rpartition("/")[2]
    return {**schema["$defs"][name], "$defs": schema["$defs"]}


def _values(value: Schema, schema: Schema) -> str:
    """What may be written there, in words."""
    if "$ref" in value:
        return _section_word(_resolved(value, schema))
    if options := value.get("anyOf") or value.get("oneOf"):
        named = [_values(option, schema) for option in options]
        return " or ".join(dict.fromkeys(text for text in named if text != "null"))
    if "enum" in value:
        return ", ".join(f"`{option}`" for option in value["enum"])
    if "const" in value:
        return f"`{value['const']}`"
    return _plain_values(value, schema)


def _section_word(part: Schema) -> str:
    """What a section is called."""
    if "op" in part.get("properties", {}):
        return "operation"
    if part["title"] in SEARCHED:
        return "searched number"
    return "section" if part.get("properties") else _values(part, part)


def _plain_values(value: Schema, schema: Schema) -> str:
    """A number, a text, a list or a mapping, in words."""
    if "prefixItems" in value:
        return f"[{', '.join(_values(item, schema) for item in value['prefixItems'])}]"
    if value.get("type") == "array":
        return f"list: {_values(value.get('items', {}), schema)}"
    if value.get("type") == "object":
        return f"mapping: {_values(value.get('additionalProperties') or {}, schema)}"
    return f"{value.get('type', 'anything')}{_bounds(value)}"


def _bounds(value: Schema) -> str:
    signs = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}
    return ",".join(f" {sign} {value[bound]}" for bound, sign in signs.items() if bound in value)


def _default(value: Schema, schema: Schema) -> str:
    if value.get("default") in (None, "") or _sections(value, schema):
        return ""
    return f"`{json.dumps(value['default'], ensure_ascii=False)}`"


def _words(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _sentences(section: Schema) -> str:
    """What a section is, without its list of attributes."""
    return _words(section.get("description", "").partition("\n\nAttributes:")[0])


def _attributes(section: Schema) -> dict[str, str]:
    """Key -> what a list of attributes says of it."""
    text = section.get("description", "").partition("\n\nAttributes:\n")[2]
    found = re.findall(r"^ {4}(\w[\w, ]*): (.*(?:\n {8}.*)*)", text, re.MULTILINE)
    return {name: words for names, words in found for name in names.split(", ")}
