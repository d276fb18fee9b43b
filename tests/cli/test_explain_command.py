"""`augsearch explain` and `augsearch embed` as a person gives them."""

from pathlib import Path

import pandas as pd
import pytest
from finetuning.small_finetuning import config, go

from augsearch.data.embedded.surfaces import SurfaceSpec, draw_surfaces
from augsearch.study.source import EMBEDDED


@pytest.mark.parametrize("verb", ["explain", "embed"])
def test_a_directory_without_an_encoder_is_one_line(cli, verb):
    assert cli(verb, "nothing").refusal.startswith("nothing: holds no finetune.json")


@pytest.mark.long
def test_what_is_found_is_printed(cli):
    go(data=None, study=config(combine="single"), labels=3)
    ended = cli("explain", "out", "--images", "4", "--device", "cpu")
    assert ended.code == 0, ended.err
    images = draw_surfaces(SurfaceSpec(image_size=16))
    assert "checks of the maps on 4 decisions" in ended.out and "warning: " in ended.out
    assert "out/explained/explain.html" in ended.out.replace("\n", "")
    assert "holds an explanation; give another" in cli("explain", "out").refusal
    ended = cli("embed", "out", "--output", "f.parquet", "--device", "cpu")
    assert f"wrote f.parquet: {len(images)} images (" in ended.out
    assert len(pd.read_parquet("f.parquet")) == len(images)
    assert (
        "--output f.parquet: is there already"
        in cli("embed", "out", "--output", "f.parquet").refusal
    )
    assert EMBEDDED in Path("out/finetune.json").read_text()
