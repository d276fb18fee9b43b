"""Fuzzing that is guided by what runs: `uv run --with atheris python tests/fuzz/guided.py KIND`.

What follows the kind is libFuzzer's, such as `-max_total_time=600`. It begins with whole files and
stops at the first input that is not as `fed.py` says, which it keeps in the working directory.
"""

import sys
import tempfile
from pathlib import Path

import atheris

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]
with atheris.instrument_imports(include=["augsearch", "tifffile", "PIL", "yaml", "safetensors"]):
    from fuzz.fed import KINDS, check

kind, *options = sys.argv[1:]
fed = KINDS[kind]
with tempfile.TemporaryDirectory() as folder:
    corpus, at = Path(folder) / "corpus", Path(folder) / "fed"
    corpus.mkdir()
    at.mkdir()
    for number, content in enumerate(fed.whole()):
        (corpus / str(number)).write_bytes(bytes([number % 256] * fed.first) + content)
    limits = ["-timeout=60", "-rss_limit_mb=12000", "-max_len=4000", "-print_final_stats=1"]
    atheris.Setup([sys.argv[0], *limits, *options, str(corpus)], lambda x: check(kind, x, at))
    atheris.Fuzz()
