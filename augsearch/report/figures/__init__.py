"""The report's figures: plain data in, plotly figures with their description out. Templates call
them as `figures.MODULE.FUNCTION`."""

from augsearch.report.figures import (
    classes,
    cost,
    fidelity,
    front,
    history,
    labels,
    parallel,
    parameters,
    results,
)

__all__ = [
    "classes",
    "cost",
    "fidelity",
    "front",
    "history",
    "labels",
    "parallel",
    "parameters",
    "results",
]
