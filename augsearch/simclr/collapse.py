"""Did pretraining end in features that tell images apart at all?"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from augsearch.errors import TrialFailure

MIN_VARIANCE_SHARE = 1e-6
MIN_EFFECTIVE_RANK = 1.1
CAUSES = (
    "the pictures may be nearly alike (`augsearch preview` shows them), the augmentations too "
    "strong, or the learning rate too high"
)


def effective_rank(features: NDArray[np.float32]) -> float:
    """How many directions centred features `[N, D]` use: exp of the singular values' entropy.

    Source: Roy & Vetterli 2007, "The effective rank". 1 for features on a line; 0 if all are equal.
    """
    centred = features.astype(np.float64) - features.mean(axis=0, dtype=np.float64)
    singular = np.linalg.svd(centred, compute_uv=False)
    if singular.sum() == 0:
        return 0.0
    share = singular / singular.sum()
    share = share[share > 0]
    return float(np.exp(-(share * np.log(share)).sum()))


def check_collapse(features: NDArray[np.float32]) -> None:
    """Check features `[N, D]` of N different clean images.

    Raises:
        TrialFailure: some are not finite, or they hardly differ between images (variance below a
            millionth of their mean square), or only along a single direction.
    """
    if not np.isfinite(features).all():
        raise TrialFailure("features became non-finite; try a lower learning rate")
    wide = features.astype(np.float64)
    power = float(np.square(wide).sum(axis=1).mean())
    variance = float(np.square(wide - wide.mean(axis=0)).sum(axis=1).mean())
    share = variance / power if power > 0 else 0.0
    if share < MIN_VARIANCE_SHARE:
        raise TrialFailure(
            f"features collapsed: their variance between images is {share:.1e} of their mean "
            f"square; {CAUSES}"
        )
    rank = effective_rank(features)
    if rank < MIN_EFFECTIVE_RANK:
        raise TrialFailure(
            f"features collapsed: their effective rank is {rank:.2f} of {features.shape[1]}; "
            f"{CAUSES}"
        )
