"""The page of the benchmarks lists their commands."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
BENCHMARKS = ROOT / "benchmarks"


def test_every_command_is_listed_and_no_other():
    listed = re.findall(r"`(benchmarks\.[\w.]+)", (BENCHMARKS / "README.md").read_text())
    commands = [
        ".".join(file.relative_to(ROOT).with_suffix("").parts)
        for file in BENCHMARKS.rglob("*.py")
        if '\nif __name__ == "__main__":' in file.read_text()
    ]
    assert sorted(listed) == sorted(commands)
