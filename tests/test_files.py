"""Files that belong together, where whoever writes them is killed or the disk is full."""

import io
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from augsearch.errors import OutputError
from augsearch.files import LAST, as_written, csv_bytes, write_files

OLD = {"policy.yaml": b"old policy", LAST: b"old result", "views.png": b"old", "same.csv": b"same"}
NEW = {"policy.yaml": b"new policy", LAST: b"new result", "views.png": b"new", "same.csv": b"same"}
NEW["report.html"] = b"new report"

KILLED = """
import os, signal, sys
from pathlib import Path
from augsearch.files import write_files

left = int(sys.argv[2])

def dies(call):
    def counted(*arguments, **options):
        global left
        left -= 1
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return call(*arguments, **options)
    return counted

for name in ("mkdir", "write_bytes", "unlink", "replace"):
    setattr(Path, name, dies(getattr(Path, name)))
write_files(Path(sys.argv[1]), {NEW!r})
"""

FULL = """
import resource, signal, sys
from pathlib import Path
from augsearch.errors import OutputError
from augsearch.files import write_files
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
try:
    write_files(Path(sys.argv[1]), {"policy.yaml": b"new", "result.json": b"x" * 5000})
except OutputError as error:
    sys.exit(str(error))
"""


def there(directory):
    return {path.name: path.read_bytes() for path in directory.iterdir() if path.is_file()}


def laid(directory):
    directory.mkdir()
    for name, content in {**OLD, "notes.txt": b"mine"}.items():
        (directory / name).write_bytes(content)
    return directory


@pytest.mark.long
def test_killed_at_any_write_it_leaves_no_mixture_and_the_next_run_completes_it(tmp_path):
    program = KILLED.replace("{NEW!r}", repr(NEW))
    ended = False
    for number in range(40):
        directory = laid(tmp_path / str(number))
        done = subprocess.run(
            [sys.executable, "-c", program, directory, str(number)],
            check=False,
            capture_output=True,
        )
        ended = done.returncode == 0
        left = there(directory)
        assert left.pop("notes.txt") == b"mine"
        old = left.items() <= OLD.items()
        new = left.items() <= NEW.items()
        assert old or new, (number, left)
        if LAST in left:
            assert left in (OLD, NEW), (number, left)
        write_files(directory, NEW)
        assert there(directory) == {**NEW, "notes.txt": b"mine"}
        assert not list(directory.glob(".augsearch-*"))
        if ended:
            break
    assert ended and number > len(NEW)


def test_a_full_disk_changes_nothing(tmp_path):
    directory = laid(tmp_path / "out")
    done = subprocess.run(
        [sys.executable, "-c", FULL, directory], check=False, capture_output=True, text=True
    )
    assert done.returncode == 1, done.stderr
    assert "result.json: cannot be written (File too large); nothing is lost" in done.stderr
    assert there(directory) == {**OLD, "notes.txt": b"mine"}
    assert sorted(path.name for path in directory.iterdir()) == sorted([*OLD, "notes.txt"])


def test_files_that_are_as_they_should_be_are_left_alone(tmp_path):
    write_files(tmp_path, NEW)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    write_files(tmp_path, NEW)
    assert {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()} == before


def test_a_folder_in_the_place_of_a_file_is_one_line(tmp_path):
    Path(tmp_path / "views.png").mkdir()
    with pytest.raises(OutputError, match=r"views\.png: cannot be written \(is a directory\)"):
        write_files(tmp_path, NEW)
    assert not there(tmp_path)


def test_a_table_has_no_formulas_in_it():
    table = pd.DataFrame(
        {"=1+1": ["=cmd|' /C calc'!A0", "fine", None, "-1 degree"], "score": [-0.5, 1, 2, 3]}
    )
    text = csv_bytes(table).decode()
    lines = text.splitlines()
    assert lines[0] == "'=1+1,score" and lines[1] == "'=cmd|' /C calc'!A0,-0.5"
    assert lines[3] == ",2.0" and lines[4] == "'-1 degree,3.0"
    read = pd.read_csv(io.StringIO(text), keep_default_na=False, dtype=str)
    assert list(read["'=1+1"].map(as_written)) == ["=cmd|' /C calc'!A0", "fine", "", "-1 degree"]


@pytest.mark.parametrize("text", ["'quoted'", "'", "''=", "plain", "", "it's"])
def test_only_what_was_put_there_is_taken_away(text):
    assert as_written(text) == text
