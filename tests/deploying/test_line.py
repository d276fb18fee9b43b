"""The example of a line takes over a newer model, and keeps the old one if the new one is none."""

import io
import json
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

import numpy as np
import onnx
import pytest
from data.deep_files import write_png
from deploying.test_deploy import deployed, trained
from onnx import TensorProto, helper
from PIL import Image

from benchmarks.deploying.swap import LINE, ask, measure

__all__ = ["deployed", "trained"]
pytestmark = pytest.mark.long


def test_no_request_is_lost_when_a_newer_model_takes_over(deployed):
    found = measure(deployed.files["deploy.json"].parent, rate=20, seconds=6, swaps=2)
    assert found["requests"] == 120 and found["lost"] == 0
    assert len(found["new_answers_after_s"]) == 2 and max(found["new_answers_after_s"]) < 4


def test_it_is_short():
    text = LINE.read_text()
    code = text.partition('"""\n')[2]
    assert 20 < sum(bool(line.strip()) for line in code.splitlines()) <= 40


def as_file(picture, **more):
    file = io.BytesIO()
    picture.save(file, "PNG", **more)
    return file.getvalue()


def foreign(path):
    """A model that says what its classes are, and takes no pictures."""
    numbers = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1]) for name in "xy"]
    node = helper.make_node("Relu", ["x"], ["y"])
    graph = helper.make_graph([node], "foreign", numbers[:1], numbers[1:])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    helper.set_model_props(model, {"classes": '["a", "b"]'})
    onnx.save(model, path)


def test_what_is_no_picture_and_no_model_is_answered(deployed, tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    model = tmp_path / "model.onnx"
    shutil.copy(deployed.files["model.onnx"], model)
    line = subprocess.Popen(
        [sys.executable, LINE, model, str(port)], stdout=subprocess.PIPE, text=True
    )
    try:
        picture = as_file(Image.new("L", (20, 30)))
        while (found := ask(port, picture)) is None:
            time.sleep(0.1)
        assert found in deployed.classes
        assert line.stdout.readline() == f"{model} answers: {', '.join(deployed.classes)}\n"
        upright = "want an upright, opaque picture of 8 bits"
        deep = write_png(tmp_path / "deep.png", np.full((20, 30, 3), 4000, dtype=np.uint16))
        grey, turned = Image.new("L", (20, 30)), Image.Exif()
        turned[274] = 6
        for sent, reason in (
            (b"no picture", "image"),
            (as_file(Image.new("I;16", (20, 30))), upright),
            (as_file(Image.new("RGBA", (20, 30))), upright),
            (as_file(grey, exif=turned), upright),
            (as_file(grey, transparency=0), upright),
            (deep.read_bytes(), upright),
        ):
            with pytest.raises(urllib.error.HTTPError) as raised:
                urllib.request.urlopen(f"http://127.0.0.1:{port}", sent)
            assert raised.value.code == 400
            assert reason in json.loads(raised.value.read())["error"]
            raised.value.close()
        write = (lambda path: path.write_bytes(b"no model"), foreign)
        for number, written in enumerate(write):
            written(tmp_path / "new")
            (tmp_path / "new").replace(model)
            said = line.stdout.readline()
            assert "model.onnx: not a model of `augsearch deploy`: " in said, number
            assert ask(port, picture) == found
    finally:
        line.kill()
        line.wait()
        line.stdout.close()
