"""Feed drawn inputs: `python -m fuzz.many KIND FIRST LAST`, which names what broke and goes on."""

import sys
import tempfile
import traceback
from collections import Counter
from pathlib import Path

from fuzz.fed import Broken, check, made


def main(kind: str, first: int, last: int) -> None:
    counts: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as folder:
        at = Path(folder) / "fed"
        at.mkdir()
        for seed in range(first, last):
            content = made(kind, seed)
            (Path(folder) / "last").write_bytes(content)
            try:
                counts["taken" if check(kind, content, at) else "refused"] += 1
            except Broken as error:
                counts["broken"] += 1
                print(f"{kind} {seed}: {error}", flush=True)
                cause = error.__cause__
                if cause is not None:
                    print("    ", traceback.format_tb(cause.__traceback__)[-1].strip(), flush=True)
    print(kind, dict(counts))
    if counts["broken"]:
        raise SystemExit(1)


main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
