"""What a study writes, where writing fails."""

import subprocess
import sys

WRITE = """
import resource, signal, sys
from pathlib import Path
from augsearch.files import write_whole
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
try:
    write_whole(Path(sys.argv[1]), b"x" * 5000)
except OSError as error:
    sys.exit(f"failed: {error.strerror}")
"""


def test_a_file_that_was_there_stays_when_the_new_one_does_not_fit(tmp_path):
    file = tmp_path / "report.html"
    file.write_bytes(b"old")
    done = subprocess.run(
        [sys.executable, "-c", WRITE, file], check=False, capture_output=True, text=True
    )
    assert done.returncode == 1 and done.stderr.startswith("failed: "), done.stderr
    assert file.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [file]
