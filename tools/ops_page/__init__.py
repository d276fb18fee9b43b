"""Makes `docs/ops.md` and its pictures: `uv run python -m tools.ops_page`."""
