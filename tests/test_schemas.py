"""The committed JSON Schemas are those of the models, and the presets satisfy theirs."""

from pathlib import Path

import jsonschema
import pytest
import yaml

from augsearch.space.presets import find_config
from augsearch.space.yaml_file import parse_model
from augsearch.study_file import StudyConfig, load_study_config
from augsearch.verbs.schemas import schema_texts

ROOT = Path(__file__).resolve().parents[1]
PRESETS = sorted([*(ROOT / "spaces").glob("*.yaml"), *(ROOT / "studies").glob("*.yaml")])


def test_schemas_are_those_of_the_models():
    committed = {path.name: path.read_text() for path in (ROOT / "schemas").iterdir()}
    assert committed == schema_texts(), "run `python -m augsearch.verbs.schemas`"


@pytest.mark.parametrize("preset", PRESETS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_preset_names_its_schema_and_satisfies_it(preset):
    text = preset.read_text()
    schema = {"spaces": "space", "studies": "study"}[preset.parent.name]
    first = text.splitlines()[0]
    assert first == f"# yaml-language-server: $schema=../schemas/{schema}.schema.json"
    checker = jsonschema.Draft202012Validator(
        yaml.safe_load((ROOT / f"schemas/{schema}.schema.json").read_text())
    )
    content = yaml.safe_load(text)
    checker.validate(content)
    with pytest.raises(jsonschema.ValidationError, match="speling"):
        checker.validate({**content, "speling": 1})


def test_what_a_study_file_leaves_out_is_as_in_standard():
    standard = load_study_config(find_config("standard", "studies"))
    assert parse_model(StudyConfig, "name: standard\n", "study.yaml") == standard
    shorter = parse_model(StudyConfig, "pretrain: {steps: 400}\n", "study.yaml")
    assert (shorter.rungs, shorter.confirm.steps) == ((200,), 400)
    named = "pretrain: {steps: 400}\nconfirm: {steps: 500}\nsearch: {aims: [score, cost]}\n"
    longer = parse_model(StudyConfig, named, "study.yaml")
    assert (longer.search.pruner.kind, longer.confirm.steps) == ("none", 500)
