"""An encoder of a user's own, in a Python file beside the study file that names it.

    # my_net.py
    from torch import nn
    from augsearch import CustomEncoder

    def build(in_channels, image_size):
        return nn.Sequential(nn.Conv2d(in_channels, 32, 3, 2), nn.ReLU(), nn.AdaptiveAvgPool2d(1))

    network = CustomEncoder(build=build)

In the study file: `encoder: {name: custom, file: my_net.py}`, and `file: my_net.py:network` where
the file defines several.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from augsearch.errors import ConfigError
from augsearch.space.custom import digest, run_file

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True)
class CustomEncoder:
    """An encoder that no library has. `augsearch.testing.encoders` checks what it promises.

    Attributes:
        build: (channels, side of the images in pixels) -> a module from images `[B, C, H, W]`,
            normalised, to features `[B, D]` or `[B, D, 1, 1]`. Initial weights come from torch's
            global generator.
        mean, std: of pixels in [0, 1], one number or one for each channel, that weights of this
            network were trained with; empty for those of the user's images.
    """

    build: Callable[[int, int], nn.Module]
    mean: tuple[float, ...] | float = ()
    std: tuple[float, ...] | float = ()

    def __post_init__(self) -> None:
        if not callable(self.build):
            raise TypeError("build: want a function of channels and image size")
        mean, std = self.normalised_by
        if len(mean) != len(std) or any(deviation <= 0 for deviation in std):
            raise ValueError("mean and std: want as many numbers of each, deviations above 0")

    @property
    def normalised_by(self) -> tuple[tuple[float, ...], tuple[float, ...]]:
        """`mean` and `std`, a number for each channel or a single one."""
        mean, std = (
            (value,) if isinstance(value, int | float) else tuple(value)
            for value in (self.mean, self.std)
        )
        return mean, std


@dataclass(frozen=True)
class EncoderFile:
    """The file that a study file names.

    Attributes:
        name: of the encoder in it; empty if there is just one.
    """

    path: Path
    name: str = ""

    @classmethod
    def parse(cls, text: str, directory: Path | None, *, must_exist: bool = True) -> EncoderFile:
        """From `my_net.py` or `my_net.py:network`; a relative path starts at `directory`.

        Raises:
            ValueError: another form, or there is no such file.
        """
        file, name = (text, "") if text.endswith(".py") else text.rpartition(":")[::2]
        if not file.endswith(".py") or (name and not name.isidentifier()):
            raise ValueError(f"{text!r} does not name an encoder; want `file.py` or `file.py:name`")
        path = ((directory or Path()) / file).absolute()
        if must_exist and not path.is_file():
            raise ValueError(f"there is no file {path}")
        return cls(path, name)

    def __str__(self) -> str:
        return f"{self.path}:{self.name}" if self.name else str(self.path)

    @property
    def digest(self) -> str:
        """Twelve hex digits that change with the file and with which encoder in it is meant."""
        return digest(self.path.read_bytes()) + self.name

    def load(self, code: str = "") -> CustomEncoder:
        """The encoder; this runs the file, once for each of its versions.

        Args:
            code: the digest of the version that is meant; empty for the file as it is now.

        Raises:
            ConfigError: the file cannot be read or run, is another version, or does not say which
                encoder is meant.
        """
        try:
            module = run_file(self.path, code[:12] or self.digest[:12])
        except OSError as error:
            raise ConfigError(f"encoder.file {self.path}: {error.strerror or error}") from None
        except ValueError as error:
            raise ConfigError(f"encoder.file {self.path}: {error}") from None
        there = {n: value for n, value in vars(module).items() if isinstance(value, CustomEncoder)}
        if self.name in there:
            return there[self.name]
        if not self.name and len(there) == 1:
            return next(iter(there.values()))
        wanted = f"no CustomEncoder called {self.name!r}" if self.name else "not one CustomEncoder"
        raise ConfigError(
            f"encoder.file {self.path}: has {wanted}; it has: {', '.join(there) or 'none'}"
        )
