"""The planted truth: what carries the label in each embedded domain, and what follows from that
for augmentations.

For every domain there is a base policy that keeps the label; an op that destroys what carries the
label must make the base worse, an op that matches a nuisance must make it better, and where
SimCLR's policy destroys the label, a search must find something better. `search.planted` checks
that; `docs/planted.md` shows it. The label `defect`, which a first study gets, is not among them:
its classes differ in several factors at once, and no single operation decides.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal

from augsearch.data.embedded.scenes import Label
from augsearch.space.policy import Policy

Factor = Literal[
    "hue",
    "brightness",
    "orientation",
    "scale",
    "texture",
    "side",
    "distance",
    "position",
    "light",
    "focus",
    "noise",
    "white_balance",
]
Op = Mapping[str, Any]
"""One operation as a policy file writes it."""

DESTROYS: Mapping[Factor, str] = MappingProxyType(
    {
        "hue": "color_jitter (hue), grayscale, channel_shuffle",
        "brightness": "color_jitter (brightness), gamma, autocontrast, equalize",
        "orientation": "rotation, rotate90; a flip, which swaps 45 and 135 degrees",
        "scale": "affine (zoom), resized_crop with a small scale_min",
        "texture": "gaussian_blur, median_blur",
        "side": "horizontal_flip, half a turn",
        "distance": "resized_crop with a small scale_min, affine (zoom)",
    }
)
"""What carries a label -> which operations take it away."""

_CAMERA: tuple[Factor, ...] = ("light", "focus", "noise", "white_balance")

_CROP: Op = {"op": "resized_crop", "scale_min": 0.2}
_SMALL_CROP: Op = {"op": "resized_crop", "name": "small_crop", "scale_min": 0.08}
_SHIFT: Op = {"op": "affine", "name": "shift", "translate": 0.25}
_ZOOM: Op = {"op": "affine", "name": "zoom", "zoom": 2.0}
_LIGHT: Op = {
    "op": "color_jitter", "name": "light", "p": 0.8, "brightness": 0.6, "contrast": 0.4
}  # fmt: skip
_BRIGHTNESS: Op = {"op": "color_jitter", "name": "brightness", "p": 0.8, "brightness": 0.8}
_HUE: Op = {"op": "color_jitter", "name": "hue", "hue": 0.5}
_ROTATION: Op = {"op": "rotation", "degrees": 180.0}
_FLIP: Op = {"op": "horizontal_flip", "p": 0.5}
_BLUR: Op = {"op": "gaussian_blur", "sigma": 0.1}


@dataclass(frozen=True)
class Domain:
    """What is known of a domain.

    Attributes:
        label: its name.
        carriers: the factors of the drawing that carry the label.
        nuisance: those that vary without regard to it.
        base: operations that keep the label.
        destroys: name -> operation that takes a carrier away: it must hurt the base.
        matches: name -> operation that varies what is nuisance: it must help the base.
        simclr_destroys: which part of SimCLR's policy takes a carrier away; empty if none does.
    """

    label: Label
    carriers: tuple[Factor, ...]
    nuisance: tuple[Factor, ...]
    base: tuple[Op, ...]
    destroys: Mapping[str, Op]
    matches: Mapping[str, Op]
    simclr_destroys: str

    def policies(self) -> dict[str, Policy]:
        """`base`, and the base followed by each single operation under that operation's name."""
        added: dict[str, tuple[Op, ...]] = {"base": ()}
        added |= {name: (op,) for name, op in (*self.destroys.items(), *self.matches.items())}
        return {
            name: Policy.model_validate({"name": name, "ops": [*self.base, *ops]})
            for name, ops in added.items()
        }


DOMAINS: Mapping[Label, Domain] = MappingProxyType(
    {
        domain.label: domain
        for domain in (
            Domain(
                "hue",
                carriers=("hue",),
                nuisance=("orientation", "position", *_CAMERA),
                base=(_CROP, _LIGHT),
                destroys={"hue jitter": _HUE},
                matches={"rotation": _ROTATION},
                simclr_destroys="hue jitter, grayscale",
            ),
            Domain(
                "brightness",
                carriers=("brightness",),
                nuisance=("hue", "position", *_CAMERA),
                base=(_CROP,),
                destroys={"brightness jitter": _BRIGHTNESS},
                matches={"hue jitter": _HUE},
                simclr_destroys="brightness jitter",
            ),
            Domain(
                "orientation",
                carriers=("orientation",),
                nuisance=("hue", "position", *_CAMERA),
                base=(_CROP, _LIGHT),
                destroys={"rotation": _ROTATION},
                matches={"hue jitter": _HUE},
                simclr_destroys="flip",
            ),
            Domain(
                "scale",
                carriers=("scale",),
                nuisance=("hue", "orientation", "position", *_CAMERA),
                base=(_SHIFT, _LIGHT),
                destroys={"zoom": _ZOOM},
                matches={"hue jitter": _HUE},
                simclr_destroys="crop",
            ),
            Domain(
                "texture",
                carriers=("texture",),
                nuisance=("hue", "orientation", "position", *_CAMERA),
                base=(_CROP, _LIGHT),
                destroys={"blur": _BLUR},
                matches={"hue jitter": _HUE},
                simclr_destroys="",
            ),
            Domain(
                "position",
                carriers=("side", "distance"),
                nuisance=("hue", "position", *_CAMERA),
                base=(_SHIFT, _HUE),
                destroys={"flip": _FLIP, "small crop": _SMALL_CROP},
                matches={"light": _LIGHT},
                simclr_destroys="flip, crop",
            ),
            Domain(
                "hue_orientation",
                carriers=("hue", "orientation"),
                nuisance=("position", *_CAMERA),
                base=(_CROP,),
                destroys={"hue jitter": _HUE, "flip": _FLIP},
                matches={"brightness jitter": _BRIGHTNESS},
                simclr_destroys="hue jitter, flip",
            ),
            Domain(
                "hue_scale",
                carriers=("hue", "scale"),
                nuisance=("orientation", "position", *_CAMERA),
                base=(_SHIFT, _LIGHT),
                destroys={"hue jitter": _HUE, "zoom": _ZOOM},
                matches={"rotation": _ROTATION},
                simclr_destroys="hue jitter, crop",
            ),
        )
    }
)
