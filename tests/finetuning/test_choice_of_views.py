"""Whether labelled images are seen through the policy or as they are: held-out folds say."""

from pathlib import Path

import numpy as np
import pytest
import torch
from finetuning.small_finetuning import config, go
from mlflow import MlflowClient
from pretraining.full_runs import StopsAt
from small_study import small_images

from augsearch.augment.baselines import BASELINES
from augsearch.cli.terminal.tables import print_finetuned
from augsearch.data.embedded.domains import DOMAINS
from augsearch.data.embedded.surfaces import SurfaceSpec, draw_surfaces
from augsearch.errors import ConfigError
from augsearch.explaining.held_out import of_folds
from augsearch.finetuning.classifier import open_classifier, open_images
from augsearch.finetuning.result import AS_THEY_ARE
from augsearch.progress import Quiet
from augsearch.space.policy import Policy, load_policy
from augsearch.verbs.finetune import finetune
from augsearch.verbs.pretrain import pretrain
from augsearch.watch.account import Account
from augsearch.watch.console import terminal

DOMAIN = DOMAINS["hue"]
DESTROYS = Policy(name="destroys", ops=(*DOMAIN.base, *DOMAIN.destroys.values()))


def images():
    return draw_surfaces(SurfaceSpec("hue", images_per_class=60, seed=3))


def folds_say(directory):
    """What the networks think of labelled images that they did not learn from."""
    classifier = open_classifier(directory)
    opened = open_images(classifier, images(), progress=Quiet())
    return of_folds(classifier, opened, torch.device("cpu"))[1]


@pytest.mark.long
def test_a_policy_that_destroys_the_label_is_left_out_unless_it_is_named(capsys):
    wanted = config(steps=60, batch_size=32, labels=10, seeds=1)
    pretrain(DESTROYS, data=images(), study=wanted, output="pre", device="cpu", steps=2)
    found = finetune("pre", data=images(), output="out", device="cpu")
    assert list(found.views) == ["images as they are", "destroys"]
    assert found.views["images as they are"] > found.views["destroys"] + 0.1
    assert found.policy == AS_THEY_ARE.name
    runs = MlflowClient().search_runs(
        [one.experiment_id for one in MlflowClient().search_experiments()],
        "tags.`augsearch.kind` = 'finetuning'",
    )
    assert runs[0].data.tags["augsearch.policy"] == AS_THEY_ARE.name
    assert runs[0].data.metrics["held_out_percent/as_they_are"] == pytest.approx(
        100 * found.views["images as they are"], abs=0.01
    )
    print_finetuned(found, terminal())
    assert "labelled images are seen as they are; on held-out folds" in capsys.readouterr().out
    assert load_policy("out/policy.yaml").digest == DESTROYS.digest  # what a student learns with
    # By name it is taken, for better or worse, and by none it is not.
    named = finetune("pre", policy="pre/policy.yaml", data=images(), output="named", device="cpu")
    assert named.policy == "destroys" and named.views == {}
    assert named.held_out["single"] == found.views["destroys"]
    plain = finetune("pre", policy="none", data=images(), output="plain", device="cpu")
    assert plain.policy == AS_THEY_ARE.name and plain.views == {}
    weights = [Path(one, "model.safetensors").read_bytes() for one in ("out", "plain")]
    assert weights[0] == weights[1]
    assert plain.sealed.accuracy == found.sealed.accuracy
    # What explains a classifier asks the networks of the chosen kind.
    assert np.array_equal(folds_say("out"), folds_say("plain"))
    assert not np.array_equal(folds_say("out"), folds_say("named"))
    with pytest.raises(ConfigError, match="views"):
        finetune("pre", policy="pre/policy.yaml", data=images(), output="out", device="cpu")
    # Older versions asked nobody: what they left is found again by its policy.
    with pytest.raises(ConfigError, match=r"through destroys; --policy named.policy.yaml"):
        finetune("pre", data=images(), output="named", device="cpu")


@pytest.mark.long
def test_a_stopped_choice_goes_on_and_its_networks_are_used():
    pretrain("SimCLR s=0.5", data=small_images(), study=config(), output="pre", device="cpu")
    asked = {"data": small_images(), "labels": 4, "device": "cpu"}
    whole = finetune("pre", output="whole", **asked)

    class Stops(StopsAt):
        ended = 0

        def run_ended(self, run, score, remark):
            self.ended += 1
            if self.ended == 2:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        finetune("pre", output="out", progress=Stops(99), **asked)
    account = Account()

    class Watches(StopsAt):
        def expected(self, phases, lengths):
            account.expected(phases, lengths)

        def phase(self, name, done, total, round=""):
            account.phase(name, done, total, round)

        def run_ended(self, run, score, remark):
            account.run_ended(run, counts=True)
            shares.append(account.share)

    shares = []
    again = finetune("pre", output="out", progress=Watches(99), **asked)
    # Eight networks in all, of which two were there: a choice is not the whole of it.
    assert shares == pytest.approx([3 / 8, 4 / 8, 5 / 8, 6 / 8, 7 / 8, 1.0])
    assert again.views == whole.views and again.sealed == whole.sealed
    # Two folds of one seed for either, and the rest of two seeds for the chosen one.
    assert len(list(Path("out/networks").glob("*.safetensors"))) == 2 + 2 * (1 + 2)


@pytest.mark.long
def test_a_policy_with_a_view_each_is_chosen_or_not_as_well():
    two = Policy(name="two", view1=BASELINES["crop only"].ops, view2=BASELINES["SimCLR s=1"].ops)
    pretrain(two, data=small_images(), study=config(), output="pre", device="cpu")
    found = finetune("pre", data=small_images(), labels=4, output="out", device="cpu")
    assert list(found.views) == ["images as they are", "two"]


@pytest.mark.long
def test_without_a_fold_there_is_no_choice_and_without_a_policy_none_to_make():
    pretrain("SimCLR s=0.5", data=small_images(), study=config(), output="pre", device="cpu")
    found = finetune("pre", data=small_images(), labels=1, output="out", device="cpu")
    assert found.policy == AS_THEY_ARE.name and found.views == {} and found.held_out == {}
    assert go(output="alone").views == {}
