"""Operations of a user's own on the command line: found broken before anything is trained, named
when they break later, and kept with the results."""

import shutil
from pathlib import Path

import pytest
from command_line import STUDY, write_files, write_images

from augsearch.engines.processes import process_count
from augsearch.store.database import open_storage
from augsearch.store.study_store import Store

OPS = """\
import multiprocessing, os
import torch
from augsearch import CustomOp, Parameter


def darken(images, u, values, field):
    return images * (1 - values["amount"] * u[:, 0].view(-1, 1, 1, 1))


darkening = CustomOp(
    doc="Darken the whole picture.",
    parameters=(Parameter("amount", 0, 1, "largest loss of light", identity=0, default=0.2),),
    slots=1,
    apply=darken,
)
"""
RIGHT = '    return images * (1 - values["amount"] * u[:, 0].view(-1, 1, 1, 1))\n'
SPACE = """\
ops:
  - op: custom
    of: my_ops.py:darkening
    parameters: {amount: {low: 0.0, high: 0.5}}
"""
RUN = (
    *("run", "--space", "space.yaml", "--study", "study.yaml", "--data", "images"),
    *("--name", "small", "--device", "cpu"),
)


@pytest.fixture(autouse=True)
def files():
    write_files()
    write_images(pit=14, scratch=14)
    Path("space.yaml").write_text(SPACE)
    write_op()


def write_op(body: str = RIGHT) -> None:
    Path("my_ops.py").write_text(OPS.replace(RIGHT, body))


BROKEN = {
    "raises": ("    raise KeyError('two\\nlines')\n", ["line 7: KeyError: ", "two"]),
    "only on one image": ("    return images.squeeze()\n", ["[1, 3, 16, 16]", "[3, 16, 16]"]),
    "only at its bound": (
        "    assert values['amount'] < 0.4, 'too dark'\n    return images\n",
        ["amount 0.5", "line 7: AssertionError: too dark"],
    ),
    "no tensor": ("    return None\n", ["darken gave a NoneType", "want a tensor"]),
    "another shape": ("    return images[:, :1]\n", ["gave the shape [16, 1, 16, 16]"]),
    "another type": ("    return images.double()\n", ["gave torch.float64; want torch.float32"]),
    "not finite": ("    return images / 0\n", ["darken gave pixels that are not finite"]),
    "NaN in one pixel": (
        "    images[0, 0, 0, 0] = torch.nan\n    return images\n",
        ["darken gave pixels that are not finite"],
    ),
    "too bright": ("    return images + 1\n", ["darken gave pixels from 1", "want [0, 1]"]),
    "too dark": ("    return images - 0.01\n", ["darken gave pixels from -0.01 to"]),
}


@pytest.mark.parametrize(("body", "words"), BROKEN.values(), ids=BROKEN)
def test_a_broken_one_is_found_by_a_dry_run(cli, body, words):
    write_op(body)
    line = cli(*RUN, "--dry-run").refusal
    assert "my_ops.py:darkening: on images [" in line
    assert all(word in line for word in words), line


def test_a_broken_one_is_found_before_a_run_makes_anything(cli):
    write_op("    raise ValueError('no')\n")
    assert "darken, line 7: ValueError: no" in cli(*RUN).refusal
    assert not Path("augsearch.db").exists()


def test_a_module_beside_the_file_is_refused_in_words(cli):
    Path("helpers.py").write_text("")
    Path("my_ops.py").write_text("import helpers\n" + OPS)
    line = cli(*RUN, "--dry-run").refusal
    assert "my_ops.py does not run: ModuleNotFoundError: No module named 'helpers'" in line
    assert "stands alone: copy what it needs into it" in line


def test_a_dataclass_in_the_file_finds_its_module(cli):
    future = "from __future__ import annotations\nfrom dataclasses import dataclass\n"
    settings = "\n\n@dataclass\nclass Settings:\n    most: float = 0.5\n"
    Path("my_ops.py").write_text(future + OPS + settings)
    assert cli(*RUN, "--dry-run").code == 0


@pytest.mark.long
def test_one_that_breaks_during_a_study_ends_it_in_one_line(cli, monkeypatch):
    from augsearch.search import begin as study
    from augsearch.search.confirm.confirmation import run_baselines

    def then_broken(*arguments):
        run_baselines(*arguments)
        broken.touch()

    monkeypatch.setattr(study, "run_baselines", then_broken)
    broken = Path("broken").resolve()
    write_op(
        f"    if os.path.exists({str(broken)!r}):\n        raise RuntimeError('worn out')\n{RIGHT}"
    )
    assert "darken, line 8: RuntimeError: worn out" in cli(*RUN).refusal
    store = Store(open_storage("sqlite:///augsearch.db"), "small")
    assert len(store.runs("baseline")) == 5  # nothing that was finished is lost
    assert len(store.finished()) == 0


@pytest.mark.long
@pytest.mark.skipif(process_count(1, 2) < 2, reason="one core runs one process")
@pytest.mark.parametrize(("parallel", "trials"), [(1, 2), (2, 0)])
def test_one_that_breaks_in_a_process_of_its_own_loses_no_finished_run(cli, parallel, trials):
    Path("study.yaml").write_text(STUDY.replace("threads: 2", f"threads: 1, parallel: {parallel}"))
    fine = Path("fine").resolve()
    write_op(
        f"    if multiprocessing.parent_process() and not os.path.exists({str(fine)!r}):\n"
        f"        raise RuntimeError('not\\nhere')\n{RIGHT}"
    )
    assert "darken, line 8: RuntimeError: not here" in cli(*RUN).refusal
    store = Store(open_storage("sqlite:///augsearch.db"), "small")
    assert len(store.runs("baseline")) == 5
    assert len(store.finished()) == trials
    kept = set(store.runs("confirmation"))
    fine.touch()
    resumed = cli(*RUN)
    assert resumed.code == 0, resumed.err
    done = f" ({trials} done before)" if trials else ""
    assert f"search: 2 runs{done}" in resumed.out
    assert not kept or f" runs ({len(kept)} done before)" in resumed.out


@pytest.mark.slow
def test_a_study_can_be_repeated_from_its_directory(cli, tmp_path):
    unused = OPS.replace("darken", "brighten")
    Path("other_ops.py").write_text(unused)
    # At its only value it does nothing, so that no policy holds it, but the space does.
    Path("space.yaml").write_text(
        SPACE + "  - {op: custom, of: other_ops.py:brightening, parameters: {amount: 0.0}}\n"
    )
    assert cli(*RUN).code == 0
    shutil.move("runs/small", "kept")
    for name in ("my_ops.py", "other_ops.py", "space.yaml", "study.yaml"):
        Path(name).unlink()
    again = cli(
        *("run", "--space", "kept/space.json", "--study", "kept/study.json", "--data", "images"),
        *("--name", "small", "--device", "cpu", "--trials", "2"),
    )
    assert again.code == 0, again.err
    assert "search: 2 runs (2 done before)" in again.out
    assert Path("runs/small/policy.yaml").read_text() == Path("kept/policy.yaml").read_text()
