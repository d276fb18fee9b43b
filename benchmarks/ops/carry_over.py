"""How much of every operation's effect carries over from 32 pixels to 96 and to 224.

    uv run python -m benchmarks.ops.carry_over [--op NAME ...] [--images DIR ...] [--count 24]
        [--sizes 96 224]

Pictures of 224 pixels, and the same averaged down to 96, are rendered with every gate open and the
defaults (half of the magnitudes where those change nothing); what that changes, averaged down to
32, is compared with what the same draws change in pictures of 32 pixels: root mean squares over
all pictures. 1 is an effect that carries over. Pictures: the embedded surfaces, random pictures
with the spectrum of photographs, and the folders of images that `--images` names.

Prints a table. Without options it writes `augsearch/space/handbook/carry_over.json`, from
which `augsearch ops NAME` and `docs/ops.md` take their ratios; afterwards: `uv run python -m
tools.ops_page --text`.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import torch
from torch import Tensor

from augsearch.augment.ops.grain import resized
from augsearch.augment.ops.kornia_ops import IMPLEMENTATIONS
from augsearch.data.config import DataConfig
from augsearch.data.decoding.decode import decode_file
from augsearch.data.embedded.surfaces import CLASSES, SurfaceSpec, draw_surfaces
from augsearch.data.listing.sources import find_images
from augsearch.space.catalogue import OPERATIONS
from augsearch.space.handbook.carry_over import CARRY_OVER_FILE
from augsearch.testing.carry_over import carried_share, natural_pictures, typical_values

SIZES = (96, 224)


def surfaces(count: int) -> Tensor:
    """`[n, 3, 224, 224]`: as many of each of the embedded domains, together at least `count`."""
    each = -(-count // len(CLASSES))
    found = []
    for label, classes in CLASSES.items():
        per_class = -(-each // len(classes))
        spec = SurfaceSpec(label=label, images_per_class=per_class, image_size=max(SIZES))
        found.append(torch.tensor(draw_surfaces(spec).images[:each]))
    return torch.cat(found).float() / 255


def folder(path: Path, count: int) -> Tensor:
    """`[count, 3, 224, 224]`: images from all over a folder, cut to their middle square."""
    records = find_images(path)
    chosen = records[:: max(1, len(records) // count)][:count]
    config = DataConfig(image_size=max(SIZES), channels="colour")
    pixels = [torch.tensor(decode_file(path / record.path, config).pixels) for record in chosen]
    return torch.cat(pixels).permute(0, 3, 1, 2).float() / 255


def measured(name: str, pictures: Tensor, sizes: Sequence[int]) -> Iterator[tuple[int, float]]:
    """Each size with its ratio."""
    values = typical_values(OPERATIONS[name])
    for size in sizes:
        images = resized(pictures, size, size)
        yield size, carried_share(name, IMPLEMENTATIONS[name], values, images)


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure what carries over to larger images.")
    parser.add_argument("--op", nargs="+", choices=OPERATIONS, default=list(OPERATIONS))
    parser.add_argument("--images", nargs="+", type=Path, default=[])
    parser.add_argument("--count", type=int, default=24, help="pictures of each kind")
    parser.add_argument("--sizes", nargs="+", type=int, default=list(SIZES))
    arguments = parser.parse_args()
    everything = arguments == parser.parse_args([])
    kinds = {"surfaces": surfaces(arguments.count)} if not arguments.images else {}
    kinds |= {} if arguments.images else {"spectrum": natural_pictures(arguments.count, 3, 224)}
    kinds |= {path.name: folder(path, arguments.count) for path in arguments.images}
    columns = [f"{kind} {size}" for kind in kinds for size in arguments.sizes]
    print(f"{'effect over that at 32 px':28s}", *(f"{column:>14s}" for column in columns))
    found: dict[str, dict[str, dict[str, float]]] = {}
    for name in arguments.op:
        found[name] = {
            kind: {
                str(size): round(ratio, 3)
                for size, ratio in measured(name, pictures, arguments.sizes)
            }
            for kind, pictures in kinds.items()
        }
        ratios = [ratio for sizes in found[name].values() for ratio in sizes.values()]
        print(f"{name:28s}", *(f"{ratio:14.2f}" for ratio in ratios), flush=True)
    if not everything:
        return
    content = {
        "command": "uv run python -m benchmarks.ops.carry_over",
        "unit": "effect seen at 32 pixels over that at 32 pixels",
        "count": arguments.count,
        "ops": found,
    }
    CARRY_OVER_FILE.write_text(json.dumps(content, indent=1) + "\n")
    print(f"wrote {CARRY_OVER_FILE}")


if __name__ == "__main__":
    main()
