"""From a classifier's directory to files that decide as it does."""

import hashlib
import json
import shutil
from collections import defaultdict
from pathlib import Path

import mlflow
import numpy as np
import onnx
import onnxruntime
import pandas as pd
import pytest
import torch
from finetuning.small_finetuning import STOPPING, config, go
from PIL import Image
from safetensors.torch import save_file
from small_study import small_images

from augsearch.data.embedded.surfaces import SurfaceSpec, draw_surfaces
from augsearch.data.imageset import ImageSet
from augsearch.deploying.graph import Head, Parts
from augsearch.deploying.judge import Limits, why_refused
from augsearch.deploying.needs import is_there
from augsearch.deploying.runtimes import in_torch
from augsearch.errors import ConfigError
from augsearch.finetuning.classifier import open_classifier
from augsearch.finetuning.result import Loss
from augsearch.simclr.encoders.config import EncoderConfig
from augsearch.verbs.deploy import deploy

pytestmark = [
    pytest.mark.long,
    # onnxruntime's quantiser asks NumPy for it.
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]


def folder(root, images):
    """An image set as files of a size that is not the network's."""
    for place, path in enumerate(images.paths):
        name = images.classes[images.labels[place]]
        file = root / name / f"{Path(path).name}-{place}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        picture = Image.fromarray(images.images[place].transpose(1, 2, 0))
        picture.resize((50 + place % 3, 40), Image.Resampling.BICUBIC).save(file)
    return root


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A classifier with a threshold, an ensemble of two, from files."""
    home = tmp_path_factory.mktemp("trained")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(home)
        patch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{home}/mlflow.db")
        patch.setenv("AUGSEARCH_TRUST_CODE", "1")  # kept by the processes that begin here
        spec = SurfaceSpec(images_per_class=30, image_size=16)
        data = folder(home / "data", draw_surfaces(spec))
        go(data=data, study=config(combine="ensemble", **STOPPING), labels=12)
    return home / "out"


@pytest.fixture(scope="module")
def deployed(trained, tmp_path_factory):
    formats = ["onnx", "fp16", "int8", "torch", *(["openvino"] if is_there("openvino") else [])]
    return deploy(
        trained, formats=formats, loss=0.5, class_loss=0.9,
        output=tmp_path_factory.mktemp("deployed"),
    )  # fmt: skip


def of(found, name):
    return next(one for one in found.formats if one.name == name)


def test_it_decides_as_the_network_does(trained, deployed):
    assert deployed.checked.as_in_torch == 0
    assert deployed.checked.pictures == open_classifier(trained).found.sealed.images
    plain = of(deployed, "onnx")
    assert plain.changed == 0 and plain.loss.value == 0
    classifier = open_classifier(trained)
    session = onnxruntime.InferenceSession(deployed.files["model.onnx"])
    assert [one.name for one in session.get_outputs()] == ["probabilities", "guess", "stopped"]
    rng = np.random.default_rng(0)
    whole = in_torch(Parts.of(classifier).whole())
    for shape in [(1, 16, 16, 3), (3, 40, 61, 3), (2, 300, 200, 1)]:
        images = rng.integers(0, 256, shape, np.uint8)
        said, wanted = session.run(None, {"images": images}), whole(images)
        assert np.allclose(said[0], wanted[0], atol=1e-5) and (said[1] == wanted[1]).all()
        assert (said[2] == wanted[2]).all()
        good = classifier.found.classes.index("clean")
        stopped = 1 - said[0][:, good] >= classifier.found.limit.threshold
        assert (said[2] == stopped).all()
    with pytest.raises(Exception, match=r"(?i)indices|dimension|shape"):
        session.run(None, {"images": rng.integers(0, 256, (1, 20, 20, 4), np.uint8)})


def test_smaller_forms_are_smaller_and_say_what_they_change(deployed):
    assert {one.name for one in deployed.formats if one.files} >= {"onnx", "fp16", "int8", "torch"}
    for name in ("fp16", "int8"):
        form = of(deployed, name)
        assert 0 <= form.changed < sum(deployed.judged.values()) / 4
        assert form.loss.value <= form.loss.high
        assert form.one_core.p50 > 0 and form.one_core.p50 <= form.one_core.p95

    sizes = {name: weights(deployed.files[name]) for name in ("model.onnx", "model-fp16.onnx")}
    whole = sizes["model.onnx"]
    kinds = onnx.TensorProto
    assert set(whole) & {kinds.FLOAT16, kinds.INT8} == set()
    assert sizes["model-fp16.onnx"][kinds.FLOAT16] > 0.45 * whole[kinds.FLOAT]
    eighth = weights(deployed.files["model-int8.onnx"])
    assert eighth[kinds.INT8] > 0.23 * whole[kinds.FLOAT]
    assert eighth[kinds.FLOAT] < 0.1 * whole[kinds.FLOAT]


def weights(file):
    """Bytes of a model's weights, by kind of number."""
    total = defaultdict(int)
    for one in onnx.load(file).graph.initializer:
        total[one.data_type] += onnx.numpy_helper.to_array(one).nbytes
    return total


def test_other_forms_decide_alike(trained, deployed):
    images = np.random.default_rng(1).integers(0, 256, (2, 33, 47, 3), np.uint8)
    wanted = in_torch(Parts.of(open_classifier(trained)).whole())(images)
    program = torch.export.load(deployed.files["model.pt2"]).module()
    for count in (1, 2):
        said = program(torch.from_numpy(images[:count]))[0]
        assert not said.requires_grad and np.allclose(said, wanted[0][:count], atol=1e-5)
    told = {"classes": ""}
    torch.export.load(deployed.files["model.pt2"], extra_files=told)
    assert json.loads(told["classes"]) == list(deployed.classes)
    assert of(deployed, "torch").changed == 0 and of(deployed, "torch").one_core.p50 > 0
    if is_there("openvino"):
        import openvino

        settings = {"INFERENCE_PRECISION_HINT": "f32"}
        compiled = openvino.Core().compile_model(deployed.files["model.xml"], "CPU", settings)
        assert np.allclose(compiled([images])[0], wanted[0], atol=1e-4)
        kept = openvino.Core().read_model(deployed.files["model.xml"])
        told = kept.get_rt_info(["augsearch", "classes"]).astype(str)
        assert json.loads(told) == list(deployed.classes)
        with pytest.raises(RuntimeError):  # it would answer a picture of any channels
            compiled([np.concatenate([images, images[..., :1]], axis=3)])
        assert of(deployed, "openvino").changed == 0


def test_the_manifest_says_what_a_line_must_know(trained, deployed):
    content = json.loads(deployed.files["deploy.json"].read_text())
    assert content["classes"] == list(open_classifier(trained).found.classes)
    assert content["limit"]["good"] == "clean" and content["input"]["channels"] == [1, 3]
    for form in deployed.formats:
        if form.files:
            path = deployed.files[form.files[0]]
            assert hashlib.sha256(path.read_bytes()).hexdigest() == form.digest
    model = onnx.load(deployed.files["model.onnx"])
    told = {one.key: one.value for one in model.metadata_props}
    assert json.loads(told["classes"]) == content["classes"]
    assert json.loads(told["limit"]) == content["limit"]


def test_mlflow_has_the_files_and_what_they_cost(trained, tmp_path):
    found = deploy(trained, formats=["fp16"], output=tmp_path / "line", storage="sqlite:///s.db")
    client = mlflow.MlflowClient()
    everywhere = [one.experiment_id for one in client.search_experiments()]
    (run,) = client.search_runs(everywhere, "tags.`augsearch.kind` = 'deployment'")
    assert run.info.status == "FINISHED" and run.info.run_name == "line"
    assert run.data.metrics["fp16/size_mb"] == pytest.approx(of(found, "fp16").bytes / 1e6)
    assert run.data.metrics["onnx/changed"] == 0
    kept = {file.path for file in client.list_artifacts(run.info.run_id)}
    assert {"model.onnx", "model-fp16.onnx", "deploy.json"} <= kept
    # The same once more is no further look at the sealed images; another one is.
    again = deploy(trained, formats=["fp16"], output=tmp_path / "line", storage="sqlite:///s.db")
    assert again.uses == found.uses
    more = deploy(trained, formats=["onnx"], output=tmp_path / "more", storage="sqlite:///s.db")
    assert more.uses == found.uses + 1


def test_what_was_learnt_from_does_not_judge(trained, deployed):
    learnt = pd.read_csv(trained / "labels.csv")
    split = pd.read_csv(trained / "split.csv")
    free = (split.side == "test").sum() + ((split.side == "pool").sum() - len(learnt))
    assert 0 < sum(deployed.judged.values()) <= free
    assert deployed.calibrated_on % 16 == 0


def test_int8_that_may_lose_too_much_is_not_written(trained, tmp_path):
    told = []

    class Told:
        def __getattr__(self, name):
            return lambda *said: told.append((name, *said))

    found = deploy(trained, formats=["int8"], output=tmp_path / "out", progress=Told())
    form = of(found, "int8")
    assert form.refused and not form.files and not (tmp_path / "out" / "model-int8.onnx").exists()
    assert (tmp_path / "out" / "model.onnx").exists()
    (warned,) = [said[0] for kind, *said in told if kind == "warn"]
    assert warned.startswith("int8 is not written: ") and "the limit is 1.0" in warned


def test_a_class_that_is_lost_is_named():
    losses = {name: Loss(value=0.0, high=0.01, of=300) for name in ("pit", "crack")}
    losses["stain"] = Loss(value=0.3, high=0.36, of=250)
    overall = Loss(value=0.004, high=0.008, of=850)
    limits = Limits(0.01, 0.02, proven=True)
    names = {name: f"in class {name}" for name in ("crack", "pit", "stain")}
    lost = "30.0 points lost in class stain, up to 36.0 by 250 pictures; the limit is 2.0"
    assert why_refused(overall, losses, names, limits) == lost
    # It is named even if the whole loses too much as well.
    both = why_refused(Loss(value=0.0, high=0.02, of=850), losses, names, limits)
    assert both == f"0.0 points lost overall, up to 2.0 by 850 pictures; the limit is 1.0; {lost}"
    unproven = {"crack": losses["crack"], "pit": losses["pit"]}
    assert "shows what is lost in class stain" in why_refused(overall, unproven, names, limits)
    del names["stain"]
    assert why_refused(overall, unproven, names, limits) is None


def test_forms_that_compute_as_torch_does_are_refused_by_what_they_lost():
    limits = Limits(0.01, 0.02, proven=False)
    names = {"crack": "in class crack"}
    few = Loss(value=0.0, high=0.09, of=30)
    assert why_refused(few, {"crack": few}, names, limits) is None
    assert why_refused(None, {}, names, limits) is None
    lost = Loss(value=0.1, high=0.2, of=30)
    assert "10.0 points lost overall" in why_refused(lost, {"crack": few}, names, limits)
    assert "in class crack" in why_refused(few, {"crack": lost}, names, limits)


def test_bad_input_is_said(trained, tmp_path):
    with pytest.raises(ConfigError, match=r"holds no finetune.json"):
        deploy(tmp_path)
    with pytest.raises(ConfigError, match="--formats tflite: unknown; known: onnx, fp16, int8"):
        deploy(trained, formats=["tflite"])
    with pytest.raises(ConfigError, match=r"--class-loss: 200 points; must lie above 0 and"):
        deploy(trained, class_loss=2)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("mine")
    with pytest.raises(ConfigError, match="mine: holds files that are of no deployment"):
        deploy(trained, output=tmp_path / "mine")
    copy = tmp_path / "copy"
    shutil.copytree(trained, copy)
    with pytest.raises(ConfigError, match="has the classes"):
        others = small_images()
        deploy(copy, data=type(others)(**{**others.__dict__, "classes": ("a", "b")}))


UNEVEN = """
from torch import nn
from augsearch import CustomEncoder

def build(channels, image_size):
    return nn.Sequential(nn.Conv2d(channels, 2, 1), nn.AdaptiveAvgPool2d(1), nn.Flatten())

network = CustomEncoder(build=build)
"""


def lights():
    """Dark red, bright red, and green at which red stays dark; as `small_images` in the rest."""
    rng = np.random.default_rng(0)
    labels = np.repeat([0, 1, 2], 40)
    images = rng.integers(0, 20, (120, 3, 16, 16), np.uint8)
    images[labels == 1, 0] += 200
    images[labels == 2, 1] += 200
    return ImageSet(
        name="lights",
        images=images,
        labels=labels,
        classes=("crack", "pit", "stain"),
        groups=np.arange(120),
        fixed_split=("",) * 120,
        paths=tuple(f"{n}.png" for n in range(120)),
        digest="lights",
    )


def test_a_network_that_loses_a_class_in_8_bits_is_refused_by_its_name(tmp_path):
    """Its two features differ a thousandfold in size, and 8 bits hold them on one scale."""
    (tmp_path / "net.py").write_text(UNEVEN)
    encoder = EncoderConfig(name="custom", file=str(tmp_path / "net.py"))
    found = go(data=lights(), study=config(encoder, combine="single"), labels=5)
    mean, std = torch.tensor(found.mean), torch.tensor(found.std)
    large, small = torch.tensor([[1000.0], [1.0]]) * torch.eye(3)[:2], torch.tensor([1000.0, 1.0])
    save_file(
        {
            "0.weight": (large * std)[:, :, None, None].contiguous(),
            "0.bias": small * mean[:2],
            "classifier.weight": torch.tensor([[0.0, 0.0], [0.02, 0.0], [0.0, 20.0]]),
            "classifier.bias": torch.tensor([8.0, 0.0, 0.0]),
        },
        "out/model.safetensors",
    )
    deployed = deploy("out", data=lights(), formats=["fp16", "int8"], loss=0.9, class_loss=0.9)
    plain, half, eighth = (of(deployed, name) for name in ("onnx", "fp16", "int8"))
    assert plain.changed == 0 and half.changed == 0 and not half.refused
    assert "100.0 points lost in class stain, up to 100.0 by " in eighth.refused
    assert eighth.loss_by_class["crack"].value == eighth.loss_by_class["pit"].value == 0
    assert "model-int8.onnx" not in deployed.files


def test_a_network_that_16_bits_cannot_hold_is_refused(tmp_path):
    """Its features are larger than the largest number of 16 bits, and its classifier as small."""
    (tmp_path / "net.py").write_text(UNEVEN)
    encoder = EncoderConfig(name="custom", file=str(tmp_path / "net.py"))
    found = go(data=lights(), study=config(encoder, combine="single"), labels=5)
    mean, std = torch.tensor(found.mean), torch.tensor(found.std)
    large = 1e6 * torch.eye(3)[:2]
    save_file(
        {
            "0.weight": (large * std)[:, :, None, None].contiguous(),
            "0.bias": 1e6 * mean[:2],
            "classifier.weight": 2e-5 * torch.tensor([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]]),
            "classifier.bias": torch.tensor([8.0, 0.0, 0.0]),
        },
        "out/model.safetensors",
    )
    deployed = deploy("out", data=lights(), formats=["fp16"])
    assert of(deployed, "onnx").changed == 0
    assert "points lost" in of(deployed, "fp16").refused
    assert "model-fp16.onnx" not in deployed.files


@pytest.mark.parametrize("shape", [(1, 33, 47, 1), (1, 1, 40, 3), (3, 1, 1, 1), (1, 300, 16, 3)])
def test_sizes_of_one_are_sizes(trained, deployed, shape):
    images = np.random.default_rng(2).integers(0, 256, shape, np.uint8)
    wanted = in_torch(Parts.of(open_classifier(trained)).whole())(images)[0]
    program = torch.export.load(deployed.files["model.pt2"]).module()
    assert np.allclose(program(torch.from_numpy(images))[0], wanted, atol=1e-5)
    session = onnxruntime.InferenceSession(deployed.files["model.onnx"])
    assert np.allclose(session.run(None, {"images": images})[0], wanted, atol=1e-5)


def test_of_no_tile_nothing_is_said_and_it_is_stopped():
    probabilities, _, stopped = Head(1.0, good=0, threshold=0.9)(torch.zeros(2, 0, 1, 3))
    assert probabilities.isnan().all() and stopped.all()


def test_other_images_are_another_deployment(trained, tmp_path):
    deploy(trained, formats=["onnx"], output=tmp_path / "line")
    fewer = tmp_path / "fewer"
    shutil.copytree(trained.parent / "data", fewer)
    split, learnt = (pd.read_csv(trained / name) for name in ("split.csv", "labels.csv"))
    free = split[(split.side == "test") & ~split.path.isin(learnt.path)]
    (fewer / free.path.iloc[0]).unlink()
    with pytest.raises(ConfigError, match=r"line: holds another deployment \(images"):
        deploy(trained, data=fewer, formats=["onnx"], output=tmp_path / "line")
