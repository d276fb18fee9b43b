"""What a study file may say of the weights to start from."""

import pytest
from networks import TIMM
from pydantic import ValidationError

from augsearch.errors import ConfigError
from augsearch.simclr.config import PretrainConfig
from augsearch.simclr.encoders.config import EncoderConfig
from augsearch.space.yaml_file import parse_model


@pytest.mark.parametrize(
    "text",
    [
        "{weights: nowhere.pth}",
        "{weights: maybe}",
        "{frozen_stages: 1}",
        "{statistics: keep}",
        "{weights: pretrained, name: timm/test_resnet, mean: [0.5, 0.5]}",
        "{weights: pretrained, name: timm/test_resnet, mean: 0.5, std: 0}",
        "{name: custom}",
        "{file: net.py}",
        "{name: custom, file: net.py}",
        "{name: custom, file: net.txt}",
    ],
)
def test_settings_that_mean_nothing_are_refused(text, tmp_path):
    with pytest.raises(ConfigError, match=r"^f\.yaml:1: .*") as refused:
        parse_model(EncoderConfig, text, "f.yaml", directory=tmp_path)
    assert "\n" not in str(refused.value)


def test_weights_lie_beside_the_study_file(tmp_path):
    (tmp_path / "w.pth").write_bytes(b"")
    text = "{name: timm/test_resnet, weights: w.pth}"
    config = parse_model(EncoderConfig, text, "f.yaml", directory=tmp_path)
    assert config.weights == str(tmp_path / "w.pth")
    assert config.deciding()["weights"] == "file"  # wherever it lies


def test_older_digests_hold():
    assert set(EncoderConfig().model_dump()) == {"name", "width", "stages", "stem"}
    assert "layer_decay" not in PretrainConfig().model_dump()


def test_a_config_needs_no_file_to_be_read_again(tmp_path):
    """A report of a study opens it wherever its weights are."""
    stored = {"name": TIMM, "weights": str(tmp_path / "gone.pth")}
    assert EncoderConfig.model_validate(stored).weights_file == tmp_path / "gone.pth"
    with pytest.raises(ValidationError):
        EncoderConfig.model_validate({"weights": "weights.txt"})
