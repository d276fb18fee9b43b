"""What a study sealed is never trained on, wherever its files are and whatever they are called."""

import shutil
from pathlib import Path

import pandas as pd
import pytest
from PIL import Image
from pretraining.full_runs import StopsAt, full_config

from augsearch.errors import DataError, StudyError
from augsearch.verbs.finetune import finetune
from augsearch.verbs.pretrain import pretrain

pytestmark = pytest.mark.long


def sealed_pixels(folder):
    table = pd.read_csv("runs/line/split.csv")
    return {Image.open(folder / path).tobytes() for path in table[table.side == "test"].path}


def pool_pixels(directory, folder):
    table = pd.read_csv(Path(directory) / "split.csv")
    return {Image.open(folder / path).tobytes() for path in table[table.side == "pool"].path}


def more(folder, into):
    """The folder elsewhere, with a third as many new pictures."""
    shutil.copytree(folder, into)
    for number, path in enumerate(sorted(into.rglob("*.png"))[::3]):
        Image.open(path).rotate(90).point(lambda v: 255 - v).save(path.with_name(f"n{number}.png"))
    return into


def go(**changes):
    asked = {"study": "line", "steps": 1, "output": "out", "device": "cpu"}
    return pretrain(**{**asked, **changes})


def test_images_that_moved_and_grew_keep_their_seal(studied, tmp_path):
    elsewhere = more(studied, tmp_path / "elsewhere")
    sealed, heard = sealed_pixels(studied), StopsAt(99)
    go(data=elsewhere, progress=heard)
    assert not sealed & pool_pixels("out", elsewhere)
    assert any(f"the {len(sealed)} that were sealed stay sealed" in n for n in heard.notes)
    finetune("out", data=elsewhere, study=full_config(), labels=2, output="tuned", device="cpu")
    learnt = pd.read_csv("tuned/labels.csv")
    assert not sealed & {Image.open(elsewhere / path).tobytes() for path in learnt.path}


def test_a_policy_file_alone_warns_of_what_its_study_sealed(studied, tmp_path):
    elsewhere = more(studied, tmp_path / "elsewhere")
    heard = StopsAt(99)
    go(policy="runs/line/policy.yaml", study=full_config(), data=elsewhere, progress=heard)
    overlap = sealed_pixels(studied) & pool_pixels("out", elsewhere)
    warned = [note for note in heard.notes if "are sealed in line" in note]
    assert bool(overlap) == bool(warned)


def test_renamed_files_are_known_by_their_content(studied):
    sealed = sealed_pixels(studied)
    paths = sorted(studied.rglob("*.png"))
    contents = [path.read_bytes() for path in paths]
    for path, content in zip(paths, contents[1:] + contents[:1], strict=True):
        path.write_bytes(content)
    # Labels follow the folders, so that some pictures are of another class now: that is theirs.
    go()
    table = pd.read_csv("out/split.csv")
    assert set(table.side) >= {"pool", "test"}
    pool = set(table[table.side == "pool"].image)
    assert len(pool) + len(set(table[table.side == "test"].image)) == len(table)
    now = {Image.open(path).tobytes() for path in paths}
    assert sealed <= now


def test_without_its_table_a_study_hands_on_nothing(studied):
    table = Path("runs/line/split.csv")
    text = table.read_text()
    for content, said in (
        (text.replace(",", ";"), "has no columns path and side"),
        (text.replace("pool", "Pool", 1), "is on side 'Pool'; want pool, test, unused"),
    ):
        table.write_text(content)
        with pytest.raises(DataError, match=said):
            go()
    table.unlink()
    with pytest.raises(StudyError, match=r"has no split\.csv .* give its own command again"):
        go()
    assert not Path("out").exists()


def test_a_table_that_was_changed_is_found_out(studied):
    table = pd.read_csv("runs/line/split.csv")
    table["side"] = table["side"].map({"pool": "test", "test": "pool"})
    table.to_csv("runs/line/split.csv", index=False)
    with pytest.raises(DataError, match="but the study sealed it"):
        go()
