"""What a study is called that nobody named."""

import re
from pathlib import Path

import pytest
from small_study import SPACE, small_config, small_images, small_space
from studying import STORAGE

from augsearch.errors import StudyError
from augsearch.progress import Quiet
from augsearch.search.ablation.prepare import prepare_ablation
from augsearch.search.ablation.request import AblationRequest
from augsearch.search.ablation.train import ablation_store
from augsearch.search.begin import held_store
from augsearch.space.space import Space
from augsearch.space.yaml_file import parse_model
from augsearch.store.database import open_storage
from augsearch.store.listing import delete_study
from augsearch.store.stored import find_study
from augsearch.study.mirrored import mirror_of
from augsearch.study.request import StudyRequest
from augsearch.verbs.run import checked_setup
from augsearch.verbs.studies import delete_stored

NAME = "small-inspection-surfaces"


class Told(Quiet):
    def __init__(self):
        self.notes = []

    def note(self, sentence):
        self.notes.append(sentence)

    warn = note


def setup_of(seed=0, name=None, told=None, **images):
    request = StudyRequest(
        small_space(),
        data=small_images(**images),
        study=small_config(),
        seed=seed,
        name=name,
        device="cpu",
    )
    return checked_setup(request, told or Quiet())


def begun(setup):
    with held_store(setup) as store:
        return store


def test_the_first_study_has_no_digits_and_goes_on_under_its_name():
    told = Told()
    first = setup_of(told=told)
    assert first.name == NAME and first.directory == Path("runs") / NAME
    begun(first)
    assert setup_of(told=told).name == NAME
    assert not any("called" in note for note in told.notes)


@pytest.mark.parametrize(
    ("other", "differs"),
    [({"seed": 1}, "seed: 0 there, 1 here"), ({"images_per_class": 13}, r"data\.digest: ")],
)
def test_another_study_gets_digits_and_is_told_why_once(other, differs):
    begun(setup_of())
    told = Told()
    second = setup_of(**other, told=told)
    assert re.fullmatch(rf"{NAME}-[0-9a-f]{{6}}", second.name)
    assert re.search(
        rf"another study is called {NAME} \({differs}.*; this one is called {second.name}",
        "\n".join(told.notes),
    )
    begun(second)
    told.notes.clear()
    assert setup_of(**other, told=told).name == second.name
    assert not any("called" in note for note in told.notes)
    assert setup_of().name == NAME


def test_what_an_older_version_named_goes_on_under_that_name():
    first = setup_of()
    long = f"{NAME}-{first.digits}"
    begun(setup_of(name=long))
    assert setup_of().name == long


def test_a_name_that_somebody_gave_is_not_taken():
    begun(setup_of(name=NAME, seed=1))
    assert setup_of().name == f"{NAME}-{setup_of().digits}"
    assert setup_of(name=NAME, seed=1).name == NAME


def test_results_of_a_study_that_is_gone_are_not_written_over():
    first = setup_of()
    begun(first)
    first.directory.mkdir(parents=True)
    (first.directory / "result.json").write_text("{}")
    assert setup_of().name == NAME
    delete_study(open_storage(STORAGE), NAME)
    told = Told()
    assert setup_of(told=told).name == f"{NAME}-{first.digits}"
    assert f"runs/{NAME} holds results of a study that is not stored here" in told.notes[-1]


def test_an_empty_directory_is_nobodys():
    setup_of().directory.mkdir(parents=True)
    assert setup_of().name == NAME


def test_where_others_keep_theirs_digits_tell_two_apart(monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    assert setup_of().name == f"{NAME}-{setup_of().digits}"


@pytest.mark.long
def test_another_study_in_mlflow_keeps_its_name(monkeypatch, tmp_path):
    """One MLflow, two directories with a database each."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/shared.db")
    first = setup_of()
    assert mirror_of(first, Quiet()).sync({})
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert setup_of().name == NAME  # the same study
    told = Told()
    assert setup_of(seed=1, told=told).name != NAME
    assert f"MLflow shows, or may show, another study called {NAME}" in told.notes[-1]
    # Given the name all the same, it leaves the other one's run alone.
    warned = Told()
    assert not mirror_of(setup_of(name=NAME, seed=1), warned).sync({})
    assert "other images, another space or other settings" in warned.notes[-1]


def ablation(space=SPACE, told=None):
    request = AblationRequest(
        parse_model(Space, space, "space.yaml"),
        data=small_images(),
        study=small_config(),
        device="cpu",
        mode="add-one",
    )
    return prepare_ablation(request, told or Quiet())


def test_ablations_of_other_cells_are_told_apart():
    first = ablation()
    assert first.setup.name == f"add-one-{NAME}"
    with ablation_store(first, Quiet()):
        pass
    assert ablation().setup.name == first.setup.name
    told = Told()
    other = ablation(SPACE.replace("high: 0.8", "high: 0.4"), told)
    assert re.fullmatch(rf"add-one-{NAME}-[0-9a-f]{{6}}", other.setup.name)
    assert f"another study is called add-one-{NAME}" in told.notes[-1]


def test_a_study_that_is_gone_is_not_taken_for_one_with_digits():
    """Whoever deletes it twice must not lose another."""
    begun(setup_of())
    other = setup_of(seed=1)
    begun(other)
    delete_stored(STORAGE, NAME)
    with pytest.raises(StudyError, match=f"there is no study '{NAME}'; did you mean"):
        delete_stored(STORAGE, NAME)
    with pytest.raises(StudyError, match="there is no study"):
        find_study(STORAGE, NAME)
    assert find_study(STORAGE, other.name).name == other.name


def test_a_date_at_the_end_of_a_folder_is_no_digits():
    begun(setup_of(name="factory-lot-241103"))
    with pytest.raises(StudyError, match="there is no study 'factory-lot'"):
        find_study(STORAGE, "factory-lot")
