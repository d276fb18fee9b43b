"""For DINO-style loops: a transform that gives the global crops, made as for torchvision."""

from __future__ import annotations

from augsearch.augment.export.parts import Export, found_on, program_head
from augsearch.augment.export.to_torchvision import needs_kornia, pipelines, torchvision_code
from augsearch.augment.views import ViewPlan
from augsearch.space.policy import Policy

USE = """Needs torch, torchvision{kornia}. As the transform of a DINO-style loop:

    transform = DataAugmentationDINO(normalise=True)
    dataset = torchvision.datasets.ImageFolder("images", transform=transform)
    crops, label = dataset[0]  # a list of two global crops, each [C, {{size}}, {{size}}]

A policy has two views, the global crops of student and teacher, and no local ones: give the loop
`local_crops_number` 0.

{{draws}}

`DataAugmentationDINO(normalise=True)` gives views less MEAN, over STD, as DINO's loops expect."""

TRANSFORM = '''

class DataAugmentationDINO(TwoViewTransform):
    """Maps an image to a list of two global crops of IMAGE_SIZE pixels.

    Args:
        window: see `eight_bits`.
        fit: how pictures become square: crop (the middle), squash, pad (mirrored), or tile (they
            are tiles already, of FOUND_AT pixels).
        normalise: views less MEAN, over STD.
        rank, world_size: of a distributed run; None to ask torch.distributed.
    """

    def __init__(
        self,
        window: tuple[float, float] | None = WINDOW,
        seed: int = 0,
        *,
        fit: str = FIT,
        normalise: bool = False,
        rank: int | None = None,
        world_size: int | None = None,
    ) -> None:
        stream = DrawStream(seed, rank, world_size)
        surroundings = Surroundings(FIT, FOUND_AT, MEAN, STD).chosen(fit, normalise)
'''
REST = """        super().__init__(view1, SECOND, window, surroundings, stream)

    def __call__(self, image: object) -> list[Tensor]:
        return list(super().__call__(image))
"""


def to_dino(policy: Policy, view_plan: ViewPlan, image_size: int) -> Export:
    """A file with torch and torchvision, of the same distribution."""
    lines, second = pipelines(view_plan, 8)
    return Export(
        program_head(policy, USE.format(kornia=needs_kornia(view_plan)), image_size)
        + torchvision_code(policy, view_plan, ("TwoViewTransform", "Surroundings"))
        + f"\n\n{found_on(policy, image_size)}{TRANSFORM}{lines}"
        + REST.replace("SECOND", second)
    )
