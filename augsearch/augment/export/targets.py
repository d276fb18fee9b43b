"""The names of the libraries that policies are exported to. Imports nothing: `--help` reads it."""

from __future__ import annotations

ENDINGS = {
    "kornia": ".py",
    "torchvision": ".py",
    "albumentations": ".py",
    "lightly": ".py",
    "lightly-train": ".py",
    "solo-learn": ".yaml",
    "dino": ".py",
    "json": ".json",
}
"""How the file of a target ends."""


def usual_name(target: str) -> str:
    """The file that is written where none is named."""
    return f"views_{target.replace('-', '_')}{ENDINGS[target]}"
