"""The notebook of examples/: committed without outputs, and every cell runs."""

import re
from pathlib import Path

import pytest
from tiny_tutorial import smaller

REASON = "`--group docs` installs what runs notebooks"
nbformat = pytest.importorskip("nbformat", reason=REASON)
nbclient = pytest.importorskip("nbclient", reason=REASON)

NOTEBOOK = Path(__file__).resolve().parents[2] / "examples" / "search.ipynb"


def shown(cell):
    """What a cell gave, by its kind; what it wrote is under `stderr`."""
    found = {}
    for output in cell.get("outputs", []):
        found |= output.get("data", {}) or {output.get("name", "error"): output.get("text", "")}
    return found


def test_it_is_committed_without_outputs():
    cells = nbformat.read(NOTEBOOK, as_version=4).cells
    code = [cell for cell in cells if cell.cell_type == "code"]
    assert len(code) > 8
    assert all(not cell.outputs and cell.execution_count is None for cell in code)
    assert max(len(line) for cell in cells for line in cell.source.splitlines()) < 350


@pytest.mark.long
def test_every_cell_runs_and_shows_something(tmp_path):
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    for cell in notebook.cells:
        cell.source = smaller(cell.source)
    where = {"metadata": {"path": str(tmp_path)}}
    nbclient.NotebookClient(notebook, timeout=170, resources=where).execute()
    by_source = {cell.source: shown(cell) for cell in notebook.cells if cell.cell_type == "code"}
    results = {source: one for source, one in by_source.items() if "text/html" in one}
    said = " ".join(one["text/html"] for one in results.values())
    assert re.search(r"balanced accuracy, %</th>.*untrained encoder", said)  # the result
    assert "resized_crop" in said  # the policy
    assert "balanced accuracy" in said and "sealed images" in said  # the classifier
    assert any("image/png" in one for one in by_source.values())
