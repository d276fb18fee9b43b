"""A study file need only name what differs from `standard`, at any depth; all faults are named."""

import pytest

from augsearch.errors import ConfigError
from augsearch.space.yaml_file import parse_model
from augsearch.study_file import StudyConfig
from augsearch.study_sections import GpConfig, NoPrunerConfig, SuccessiveHalvingConfig, TpeConfig


def study(text: str) -> StudyConfig:
    return parse_model(StudyConfig, text, "s.yaml")


def test_nested_sections_keep_what_they_do_not_name():
    search = study("search: {pruner: {first_rung: 75}, sampler: {startup_trials: 3}}").search
    assert search.pruner == SuccessiveHalvingConfig(first_rung=75)
    assert search.sampler == TpeConfig(startup_trials=3)
    assert search.trials == StudyConfig().search.trials
    assert study("search: {pruner: {}}").search.pruner == SuccessiveHalvingConfig()


def test_a_kind_that_is_named_wins():
    search = study("search: {pruner: {kind: none}, sampler: {kind: gp, startup_trials: 3}}").search
    assert (search.pruner, search.sampler) == (NoPrunerConfig(), GpConfig(startup_trials=3))


def test_first_rung_follows_the_steps_where_the_pruner_names_something_else():
    pruner = study("pretrain: {steps: 200}\nsearch: {pruner: {reduction_factor: 4}}").search.pruner
    assert pruner == SuccessiveHalvingConfig(first_rung=100, reduction_factor=4)


def test_every_problem_is_named():
    text = "confirm:\n  seeds: 3\n  max_seeds: 2\n  share: 2\npretrain: {steps: x}\n"
    with pytest.raises(ConfigError) as caught:
        study(text)
    line = str(caught.value)
    assert line.startswith("s.yaml:5: pretrain.steps: 'x' does not fit: want a whole number; ")
    assert "line 2: confirm.seeds: 3 are too few: at least five are needed" in line
    assert "line 3: confirm.max_seeds: 2 does not fit: want at least 5" in line
    assert "line 4: confirm.share: 2 does not fit: want below 1" in line


def test_a_long_list_of_problems_is_cut_and_counted():
    wrong = "\n".join(f"  {key}: -1" for key in ("seeds", "max_seeds", "share", "steps", "top"))
    with pytest.raises(ConfigError, match=r"; and 2 more problems$"):
        study(f"confirm:\n{wrong}\n  baselines: 0\nsearch: {{trials: 0}}\n")


def test_a_misspelt_key_is_one_problem():
    with pytest.raises(ConfigError, match=r"did you mean 'seeds'\?$"):
        study("confirm: {seds: 7}\n")
