"""What a search did around its policy: images made square before it, views normalised after."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor

from augsearch.errors import ConfigError, DataError

WAYS = ("crop", "squash", "pad", "tile")


@dataclass(frozen=True)
class Surroundings:
    """What is done to images before a policy and to views after it.

    Attributes:
        fit: how images become square. squash: both sides are resized. crop: the largest square in
            the middle is kept. pad: the short side is filled up with the mirrored picture. tile:
            they have to be tiles already, of `tile` pixels.
        tile: side of the tiles; of no meaning otherwise.
        mean, std: of each channel, in [0, 1]; empty leaves views in [0, 1].
    """

    fit: str = "squash"
    tile: int = 0
    mean: Sequence[float] = ()
    std: Sequence[float] = ()

    def chosen(self, fit: str | None, normalise: bool) -> Surroundings:
        """Those to use, of those that a policy was found with: another fit, and whether to
        normalise.

        Raises:
            ConfigError: no such fit; tiles or a normalisation of which nothing is known.
        """
        way = fit or self.fit
        if way not in WAYS:
            raise ConfigError(f"fit {way!r}: want {', '.join(WAYS)}")
        if (normalise and not self.mean) or (way == "tile" and not self.tile):
            what = "mean and standard deviation are" if normalise else "size of tiles is"
            raise ConfigError(
                "the policy does not say what images it was found on (`found_on`), so their "
                f"{what} not known: do this yourself"
            )
        return Surroundings(
            way, self.tile, self.mean if normalise else (), self.std if normalise else ()
        )

    def square(self, images: Tensor) -> Tensor:
        """Images `[..., H, W]` as the policy wants them; squashing is left to the resize after.

        Raises:
            DataError: `tile`, and these are none.
        """
        height, width = images.shape[-2:]
        if self.fit == "tile":
            if (height, width) != (self.tile, self.tile):
                raise DataError(
                    f"images are {width} x {height}; the policy was found on tiles of "
                    f"{self.tile} x {self.tile} pixels, cut from the pictures at their own "
                    'resolution: cut these, too, or set fit to "crop", "squash" or "pad"'
                )
            return images
        if self.fit == "squash":
            return images
        if self.fit == "pad":
            rows, columns = (_mirrored(length, max(height, width)) for length in (height, width))
            return images[..., rows, :][..., columns]
        short = min(height, width)
        top, left = (height - short) // 2, (width - short) // 2
        return images[..., top : top + short, left : left + short]

    def normalised(self, views: Tensor) -> Tensor:
        """Views `[..., C, H, W]` less the mean, over the standard deviation.

        Raises:
            DataError: another number of channels.
        """
        if not self.mean:
            return views
        if views.shape[-3] != len(self.mean):
            raise DataError(
                f"views have {views.shape[-3]} channels, the mean to normalise by has "
                f"{len(self.mean)}: the policy was found on other images"
            )
        mean, std = views.new_tensor(self.mean), views.new_tensor(self.std)
        return (views - mean[:, None, None]) / std[:, None, None]


def _mirrored(length: int, side: int) -> list[int]:
    """Which of `length` pixels stand in `side`: all in the middle, mirrored as often as needed."""
    places = ((n - (side - length) // 2) % (2 * length) for n in range(side))
    return [place if place < length else 2 * length - 1 - place for place in places]
