"""Where the benchmarks keep what they find."""

from pathlib import Path

BENCHMARKS = Path(__file__).parents[1]
ROOT = BENCHMARKS.parent
RESULTS = BENCHMARKS / "results"
TABLES = BENCHMARKS / "tables"
PICTURES = ROOT / "docs" / "images"
