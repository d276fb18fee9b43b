"""Write `docs/ops.md` and its pictures.

uv run python -m tools.ops_page           # text and pictures
uv run python -m tools.ops_page --text    # text only: the catalogue's words or costs changed
"""

from __future__ import annotations

import argparse
from pathlib import Path

from augsearch.space.handbook.handbook import describe_ops
from tools.ops_page.strips import strips_of
from tools.ops_page.text import page_text

DOCS = Path(__file__).parents[2] / "docs"
PAGE = DOCS / "ops.md"
PICTURES = DOCS / "images" / "ops"


def main() -> None:
    parser = argparse.ArgumentParser(description="Write docs/ops.md and its pictures.")
    parser.add_argument("--text", action="store_true", help="leave the pictures as they are")
    if not parser.parse_args().text:
        write_pictures()
    PAGE.write_text(page_text(), encoding="utf-8")
    print(f"wrote {PAGE}")


def write_pictures() -> None:
    """Draw every strip anew and remove those that no operation has."""
    from tools.ops_page.pictures import strip_webp

    PICTURES.mkdir(parents=True, exist_ok=True)
    strips = [strip for one in describe_ops() for strip in strips_of(one.operation)]
    for strip in strips:
        (PICTURES / strip.file).write_bytes(strip_webp(strip))
    for left_over in {path.name for path in PICTURES.iterdir()} - {strip.file for strip in strips}:
        (PICTURES / left_over).unlink()
    print(f"wrote {len(strips)} pictures to {PICTURES}")


if __name__ == "__main__":
    main()
