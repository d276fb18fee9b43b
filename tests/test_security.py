"""What augsearch reads from somebody else runs nothing: no pickle on any path, whatever a file is
called."""

import ast
import hashlib
import json
import pickle
from pathlib import Path

import numpy as np
import pytest
import torch

import augsearch
from augsearch.data.config import DataConfig
from augsearch.data.decoding.decode import decode_file
from augsearch.data.decoding.pixel_store import FACTS_FILE, PIXELS_FILE, read_entry
from augsearch.data.listing.sources import find_images
from augsearch.errors import AugsearchError
from augsearch.piloting.runs import read_answers
from augsearch.pretraining.checkpoint import Checkpoints
from augsearch.search.result.result import load_result
from augsearch.simclr.encoders.checkpoint import read_states
from augsearch.space.policy import load_policy
from augsearch.space.space import load_space
from augsearch.store.database import open_storage
from augsearch.study_file import load_study_config
from augsearch.verbs.compare_pilots import read_pilot

PACKAGE = Path(augsearch.__file__).parent
READS_PICKLES = {
    "pickle", "_pickle", "cPickle", "dill", "cloudpickle", "joblib", "marshal", "shelve",
}  # fmt: skip
ALLOWED = {
    "simclr/encoders/checkpoint.py",  # names pickle's errors
    "engines/starting.py",  # what processes of our own are started with, by a pipe
}


def called(node):
    """The name of what is called, such as `torch.load`."""
    return ast.unparse(node.func) if isinstance(node, ast.Call) else ""


def option(node, name):
    return next((ast.unparse(k.value) for k in node.keywords if k.arg == name), None)


@pytest.mark.parametrize(
    "path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: str(path.relative_to(PACKAGE))
)
def test_no_line_reads_pickles_or_runs_text(path):
    for node in ast.walk(ast.parse(path.read_text())):
        where = f"{path}:{getattr(node, 'lineno', 0)}"
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = {alias.name for alias in node.names} | {getattr(node, "module", None)}
            allowed = path.relative_to(PACKAGE).as_posix() in ALLOWED
            assert allowed or not names & READS_PICKLES, where
        name = called(node)
        assert name not in ("eval", "exec", "os.system", "pickle.load", "pickle.loads"), where
        assert not name.endswith(("Unpickler", "read_pickle", "unsafe_load")), where
        if name == "torch.load":
            assert option(node, "weights_only") == "True", where
        if name == "np.load":
            assert option(node, "allow_pickle") == "False", where
        if name == "yaml.load":
            assert "Safe" in ast.unparse(node), where
        if name.startswith(("subprocess.", "psutil.Popen")):
            assert option(node, "shell") is None, where


class Touches:
    """A pickle of it makes the file `ran` where it is read."""

    def __reduce__(self):
        return Path.touch, (Path("ran"),)


def checkpoint(path):
    kept = Checkpoints(path.parent / "kept", {})
    kept.save(1, {"a": torch.ones(1)})
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    note = path.parent / "kept" / "checkpoint.json"
    whole = json.loads(note.read_text())
    note.write_text(json.dumps({**whole, "sha256": digest}))
    (path.parent / "kept" / "step-1.pt").write_bytes(path.read_bytes())
    kept.load()


def cache(path):
    path.parent.joinpath(FACTS_FILE).write_text("{}")
    assert read_entry(path.parent) is None


def kept_answers(path):
    assert read_answers(path, 2) is None


READERS = {
    "a.png": lambda path: decode_file(path, DataConfig(image_size=8)),
    "a.tif": lambda path: decode_file(path, DataConfig(image_size=8, bands=(1,))),
    "w.pth": read_states,
    "w.safetensors": read_states,
    "step.pt": checkpoint,
    "labels.csv": lambda path: (path.with_name("a.png").touch(), find_images(path.parent)),
    "groups.csv": lambda path: (path.with_name("a.png").touch(), find_images(path.parent)),
    "policy.yaml": load_policy,
    "space.yaml": load_space,
    "study.yaml": load_study_config,
    "result.json": lambda path: load_result(path.parent),
    "pilot.json": lambda path: read_pilot(path.parent),
    "augsearch.db": lambda path: open_storage(f"sqlite:///{path}"),
    "answers.npz": kept_answers,
    PIXELS_FILE: cache,
}


def as_pickle(path):
    path.write_bytes(pickle.dumps({"w": Touches()}))


def as_torch(path):
    torch.save({"w": Touches()}, path)


def as_numpy(path):
    with path.open("wb") as file:
        np.save(file, np.array([Touches()], dtype=object), allow_pickle=True)


@pytest.mark.parametrize("write", [as_pickle, as_torch, as_numpy])
@pytest.mark.parametrize("name", READERS)
def test_a_malicious_file_runs_nothing_whatever_it_is_called(name, write, tmp_path):
    path = tmp_path / "given" / name
    path.parent.mkdir()
    write(path)
    try:
        READERS[name](path)
    except AugsearchError as error:
        assert "\n" not in str(error)
    assert not list(tmp_path.rglob("ran"))


def test_the_malicious_file_would_run_if_it_were_let(tmp_path):
    as_pickle(tmp_path / "file")
    pickle.loads((tmp_path / "file").read_bytes())
    assert Path("ran").exists()
