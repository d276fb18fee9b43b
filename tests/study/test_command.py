"""Commands that are printed do again what was asked, flag by flag."""

import shlex
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
import numpy as np
import pytest
import typer
from PIL import Image
from small_study import small_config, small_images, small_space

from augsearch.cli.app import app
from augsearch.progress import Quiet
from augsearch.search.ablation.prepare import prepare_ablation
from augsearch.search.ablation.request import AblationRequest
from augsearch.space.policy import load_policy
from augsearch.store.ranking import Reference
from augsearch.study.command import command_line, handed_over
from augsearch.study.origin import Origin, looks_of
from augsearch.study.prepare import prepare
from augsearch.study.reopen import as_asked
from augsearch.study.request import StudyRequest

NOT_REPEATED = {"dry_run"}
AWKWARD = 'it\'s a "b" $HOME; rm'


def command_of(verb: str) -> click.Command:
    group: Any = typer.main.get_command(app)
    return group.commands[verb]


def parsed(verb, line):
    """What the command line makes of a printed command: option -> value, those given alone."""
    program, said, *rest = shlex.split(line)
    assert (program, said) == ("augsearch", verb)
    command = command_of(verb)
    context = command.make_context(verb, list(rest))
    given = click.core.ParameterSource.COMMANDLINE
    return {
        option.name: context.params[option.name]
        for option in command.params
        if context.get_parameter_source(option.name).name == given.name
    }


def options_of(verb):
    return {option.name for option in command_of(verb).params}


@pytest.fixture
def files():
    place = Path(AWKWARD)
    place.mkdir()
    (place / "space.yaml").write_text(
        "ops: [{op: resized_crop, scale_min: {low: 0.1, high: 1.0}}, {op: horizontal_flip}]\n"
    )
    (place / "study.yaml").write_text(
        "data: {image_size: 16}\nencoder: {width: 4, stages: 1}\n"
        "pretrain: {steps: 4, batch_size: 8}\nevaluate: {labels_per_class: 2, draws: 10}\n"
    )
    (place / "policy.yaml").write_text("ops: [{op: resized_crop, scale_min: 0.5}]\n")
    pixels = np.random.default_rng(0).integers(0, 256, (48, 16, 16, 3), dtype=np.uint8)
    for number, image in enumerate(pixels):
        folder = place / "images" / f"class {number % 2}"
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(folder / f"{number}.png")
    return place


def setup_with_everything(place):
    request = StudyRequest(
        place / "space.yaml",
        data=place / "images",
        study=str(place / "study.yaml"),
        trials=7,
        seed=3,
        device="cpu",
        name="named",
        subset=30,
        storage="sqlite:///other place.db",
        output=place / "out",
        engine="workers",
    )
    setup = prepare(request, progress=Quiet())
    policy = load_policy(place / "policy.yaml")
    older = Origin(
        study="older", winner=policy, space=setup.space, config=setup.config, trials=(),
        baselines={}, reference=Reference("none", {}), looks=looks_of(setup.bench), sealed=(),
    )  # fmt: skip
    return replace(setup, origin=older)


def test_run_repeats_every_option_that_it_has(files):
    """A new option of `run` must be in the command or in NOT_REPEATED."""
    setup = setup_with_everything(files)
    again = parsed("run", setup.command())
    assert again.keys() == options_of("run") - NOT_REPEATED - {"help"}
    assert again == {
        "space": str(files / "space.yaml"),
        "data": files / "images",
        "from_study": "older",
        "study": str(files / "study.yaml"),
        "trials": 7,
        "seed": 3,
        "device": "cpu",
        "storage": "sqlite:///other place.db",
        "name": "named",
        "output": files / "out",
        "subset": 30,
        "engine": "workers",
    }
    # As it is stored, and after it has been opened again with objects and on another device.
    assert parsed("run", command_line("run", setup.asked["flags"])) == again
    other = replace(setup, asked_space="x.yaml", asked_study="y.yaml", asked_device="cuda:1")
    assert as_asked(other, setup.asked).command() == setup.command()


@pytest.mark.long
def test_what_was_not_asked_for_is_not_made_up(files):
    setup = prepare(StudyRequest(files / "space.yaml", study="quick"), progress=Quiet())
    assert parsed("run", setup.command()).keys() == {"space", "study", "trials", "seed", "name"}
    # A study that took its space and study file from another one has none of its own.
    bare = replace(setup, asked_space=None, asked_study=None)
    assert not {"space", "study"} & parsed("run", bare.command()).keys()


def test_ablate_repeats_every_option_that_it_has(files):
    common = {
        "data": files / "images", "study": str(files / "study.yaml"), "replicates": 4, "seed": 3,
        "device": "cpu", "storage": "sqlite:///other.db", "name": "named", "output": files / "out",
        "subset": 30, "policy": files / "policy.yaml",
    }  # fmt: skip
    seen = set()
    for own in (
        {"mode": "pairs", "protocol": "policy", "ops": ["resized_crop", "horizontal_flip"]},
        {"mode": "strength", "op": "resized_crop"},
    ):
        request = AblationRequest(files / "space.yaml", **common, **own)
        prepared = prepare_ablation(request, Quiet())
        again = parsed("ablate", prepared.command)
        wanted = {**common, **own, "space": str(files / "space.yaml")}
        if "ops" in own:
            wanted["ops"] = ",".join(own["ops"])
        assert again == wanted
        seen |= again.keys()
    assert seen == options_of("ablate") - NOT_REPEATED - {"help"}


def test_what_no_command_can_name_is_said():
    request = StudyRequest(
        small_space(), data=small_images(), study=small_config(), device="cpu", name="n"
    )
    setup = prepare(request, progress=Quiet())
    assert "objects (space, study, images)" in setup.in_python
    assert setup.asked["in_python"] == setup.in_python
    assert handed_over({"space": False, "images": False}) == ""
