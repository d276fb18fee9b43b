"""How image files become pixels: the `data` section of a study."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class DataConfig(BaseModel):
    """How every image file is brought to one size and one number of channels."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    image_size: int = Field(
        default=32,
        ge=8,
        le=1024,
        description="Side of the square images that the encoder sees, in pixels.",
    )
    fit: Literal["crop", "squash", "tile"] = Field(
        default="crop",
        description=(
            "How a picture of another shape becomes a square. crop: resize the short side to "
            "image_size and keep the centre. squash: resize both sides, whatever the aspect. "
            "tile: cut the picture at its own resolution into squares of image_size; all tiles of "
            "a picture share its label and its group, a rest at the borders is left out."
        ),
    )
    channels: Literal["auto", "grey", "colour"] = Field(
        default="auto",
        description=(
            "Channels of the images. auto: grey if every picture is grey (colour files with three "
            "equal channels count as grey), colour otherwise."
        ),
    )
