"""A study that nobody named is called without its digits where one alone is called so."""

import pytest

from augsearch.errors import StudyError
from augsearch.store.database import open_storage
from augsearch.store.names import full_name, is_made, made_name, short_names
from augsearch.store.stored import find_study
from augsearch.store.study_store import Store

ONE, OTHER = "factory-images-82ba1e", "factory-images-0a1b2c"


def test_a_short_name_finds_the_only_study_that_it_can_mean():
    assert full_name("factory-images", [ONE, "else"]) == ONE
    assert full_name(ONE, [ONE, OTHER]) == ONE
    assert full_name("factory-images", [ONE, OTHER]) == "factory-images"  # which of them?
    assert full_name("factory-images", [ONE, "factory-images"]) == "factory-images"
    assert full_name("factory", [ONE]) == "factory"
    assert full_name("factory-images", ["factory-images-more"]) == "factory-images"


def test_only_names_that_augsearch_made_are_shortened():
    assert made_name("factory", "My images", "82ba1e") == "factory-my-images-82ba1e"
    assert is_made(ONE, "factory", "images")
    assert is_made(f"pairs-{ONE}", "factory", "images")  # an ablation
    assert not is_made("lot-202611", "factory", "images")
    assert not is_made("factory-images", "factory", "images")


def test_names_are_short_where_that_tells_them_apart():
    assert short_names([ONE], [ONE, "lot-202611"]) == {ONE: "factory-images"}
    assert short_names([ONE, OTHER], [ONE, OTHER]) == {}
    assert short_names([ONE], [ONE, "factory-images"]) == {}
    for name, short in short_names([ONE], [ONE, "lot-202611"]).items():
        assert full_name(short, [ONE, "lot-202611"]) == name


def test_a_stored_study_is_found_by_either_name(tmp_path):
    url = f"sqlite:///{tmp_path}/studies.db"
    storage = open_storage(url)
    made = {"space": {"name": "factory"}, "data": {"name": "images"}}
    Store(storage, ONE, settings={**made, "seed": 0})
    assert find_study(url, "factory-images").name == ONE
    Store(storage, OTHER, settings={**made, "seed": 1})
    with pytest.raises(StudyError, match=r"'factory-images'; did you mean 'factory-images-.*'"):
        find_study(url, "factory-images")
    assert find_study(url, OTHER).kept.settings["seed"] == 1
