"""Features in two dimensions."""

from __future__ import annotations

import importlib.util
import warnings
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from augsearch.explaining.nearest import Features

Places = NDArray[np.float64]
"""`[n, 2]`."""


def by_pca(features: Features) -> tuple[Places, float]:
    """Along the two directions in which they differ most, and the share of the variance in them."""
    from sklearn.decomposition import PCA

    if not np.ptp(features, axis=0).any():
        return np.zeros((len(features), 2)), 0.0
    axes = min(2, *features.shape)
    pca = PCA(axes, svd_solver="full").fit(features)
    found = np.zeros((len(features), 2))
    found[:, :axes] = pca.transform(features)
    return found, float(pca.explained_variance_ratio_.sum())


def umap_if_there(seed: int) -> Callable[[Features], Places] | None:
    """UMAP, which keeps neighbours together and means nothing by its distances; None if the package
    `umap-learn` is not installed."""
    if importlib.util.find_spec("umap") is None:
        return None

    def place(features: Features) -> Places:
        with warnings.catch_warnings(action="ignore"):  # of TensorFlow, and of threads
            import umap

            mapper = umap.UMAP(n_neighbors=min(15, len(features) - 1), random_state=seed)
            return np.asarray(mapper.fit_transform(features), dtype=np.float64)

    return place
