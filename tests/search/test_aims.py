"""Two aims at once, and a limit on what a class may lose."""

import json
from pathlib import Path

import optuna
import pytest
from small_study import small_config, small_images, small_space

from augsearch.errors import ConfigError
from augsearch.progress import Quiet
from augsearch.space.yaml_file import parse_model
from augsearch.store.database import open_storage
from augsearch.store.ranking import Reference, pareto_front, ranked
from augsearch.store.study_store import Store
from augsearch.study_file import StudyConfig
from augsearch.study_sections import Aim, NoPrunerConfig
from augsearch.verbs.run import run_study

STORAGE = "sqlite:///augsearch.db"


class Noted(Quiet):
    def __init__(self):
        self.notes = []

    def note(self, sentence):
        self.notes.append(sentence)


def trial(number, *values, excess=0.0):
    found = optuna.create_trial(values=list(values), constraints={"class_loss": excess})
    found.number = number
    return found


def numbers(trials):
    return [found.number for found in trials]


def test_the_front_is_what_none_beats_in_both_aims():
    aims: tuple[Aim, ...] = ("score", "cost")
    trials = [trial(0, 0.7, 30), trial(1, 0.8, 50), trial(2, 0.7, 40), trial(3, 0.6, 20)]
    assert numbers(pareto_front(trials, aims)) == [0, 1, 3]
    assert numbers(ranked(trials, aims)) == [1, 0, 3, 2]
    # With recall instead of cost more is better.
    assert numbers(pareto_front(trials, ("score", "worst_recall"))) == [1]


def test_trials_that_break_the_limit_come_last_by_how_much():
    trials = [trial(0, 0.9, excess=3), trial(1, 0.95, excess=5), trial(2, 0.5), trial(3, 0.6)]
    assert numbers(ranked(trials, ("score",))) == [3, 2, 0, 1]
    assert numbers(pareto_front(trials, ("score",))) == [3]


def test_the_worst_loss_names_its_class():
    against = Reference("crop only", {"pit": 0.8, "scratch": 0.5})
    assert against.worst_loss({"pit": 0.75, "scratch": 0.6}) == ("pit", pytest.approx(5))
    assert against.worst_loss({"pit": 0.9, "scratch": 0.6}) == ("pit", pytest.approx(-10))


def config_with(**search) -> StudyConfig:
    config = small_config()
    return config.model_copy(update={"search": config.search.model_copy(update=search)})


@pytest.mark.long
def test_a_study_with_two_aims_ends_with_its_front():
    config = config_with(aims=("score", "cost"), pruner=NoPrunerConfig(), trials=6)
    result = run_study(small_space(), data=small_images(), study=config, name="two", device="cpu")
    store = Store(open_storage(STORAGE), "two")
    assert store.aims == ("score", "cost")
    assert numbers(store.front()) == numbers(
        ranked(store.trials_study.best_trials, ("score", "cost"))
    )  # as Optuna has it
    assert [policy.name for policy in result.front] == [
        f"trial {found.number}" for found in store.front()
    ]
    assert all(policy.values["cost"] > 0 for policy in result.front)
    scores = [policy.values["score"] for policy in result.front]
    assert scores == sorted(scores, reverse=True)
    assert Path("runs/two/front.png").read_bytes().startswith(b"\x89PNG")
    # It goes on by its name, with two values a trial.
    run_study(small_space(), data=small_images(), study=config, trials=7, name="two", device="cpu")
    assert len(store.finished()) == 7


@pytest.mark.slow
def test_a_limit_on_classes_steers_the_search_and_is_told():
    def run(limit, name):
        progress = Noted()
        config = config_with(class_loss=limit, pruner=NoPrunerConfig())
        result = run_study(
            small_space(), data=small_images(), study=config, name=name, device="cpu",
            progress=progress,
        )  # fmt: skip
        return result, progress.notes, Store(open_storage(STORAGE), name)

    result, notes, store = run(100.0, "lax")
    assert any("true of 4 of the 4 complete trials that no class loses" in note for note in notes)
    kept = result.kept_classes
    assert (
        kept.against
        == max(
            (policy for policy in result.policies if policy.kind == "baseline"),
            key=lambda policy: policy.search_score,
        ).name
    )  # the one that trials were compared with
    assert kept.limit == 100 and kept.loss <= 100 and "within the limit of 100" in kept.sentence
    stored = json.loads(Path("runs/lax/result.json").read_text())
    assert stored["kept_classes"]["worst"] == kept.worst
    [excess] = store.trials()[0].constraints.values()
    assert excess < 0

    result, notes, store = run(0.0, "strict")
    broken = [t for t in store.trials() if t.constraints["class_loss"] > 0]
    if len(broken) == 4:
        assert any("true of none of the 4 complete trials" in note for note in notes)
    best = store.best_trials(1)[0]
    assert (
        best.constraints["class_loss"]
        == min(max(0.0, t.constraints["class_loss"]) for t in store.trials())
        or best.constraints["class_loss"] <= 0
    )
    # One noisy run leaves no trial out: those that break the limit come after the others.
    confirmed = [policy.name for policy in result.policies if policy.kind == "candidate"]
    assert len(confirmed) == 1
    kept = {f"trial {t.number}" for t in store.trials()} - {f"trial {t.number}" for t in broken}
    assert len(kept & set(confirmed)) == min(len(kept), len(confirmed))
    # What is recommended keeps the classes on fresh seeds, too; else a baseline is.
    recommended = next(p for p in result.policies if p.name == result.verdict.recommended)
    assert result.kept_classes.holds or recommended.kind == "baseline"


@pytest.mark.parametrize(
    ("search", "said"),
    [
        ("{aims: [cost]}", "begin with score"),
        ("{aims: 3}", "aims: 3 does not fit: want a list"),
        ("{aims: [score, cost, cost]}", "once beside it"),
        ("{aims: [score, cost], pruner: {kind: successive_halving}}", "no single order"),
        ("{class_loss: -1}", "class_loss"),
    ],
)
def test_bad_aims_are_refused_in_words(search, said):
    with pytest.raises(ConfigError, match=said):
        parse_model(StudyConfig, f"name: s\nsearch: {search}\n", "s.yaml")


def test_classes_need_labels():
    text = "name: s\nevaluate: {score: rankme}\nsearch: {class_loss: 2}\n"
    with pytest.raises(ConfigError, match="look at classes"):
        parse_model(StudyConfig, text, "s.yaml")
