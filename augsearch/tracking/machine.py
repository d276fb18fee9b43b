"""What processors, memory and GPUs do while a long run goes on, beside its metrics."""

from __future__ import annotations

import logging
from typing import Any


class Watch:
    """MLflow's own thread that looks at the machine. A run that ends before the first interval is
    over gets nothing, and where there is no GPU, or no library that reads it, there is no more to
    it than processors, memory, disk and network.

    Args:
        run: MLflow's id of the run that shows it.
        seconds: between two looks.
    """

    def __init__(self, run: str, uri: str, seconds: float) -> None:
        from mlflow.system_metrics.system_metrics_monitor import SystemMetricsMonitor

        for logger in ("mlflow.system_metrics", "alembic"):
            logging.getLogger(logger).setLevel(logging.ERROR)
        monitor: Any = SystemMetricsMonitor  # MLflow's, without types
        self._monitor = monitor(
            run, sampling_interval=seconds, resume_logging=True, tracking_uri=uri
        )
        self._monitor.start()

    def end(self) -> None:
        """No more looks; what was seen is sent."""
        self._monitor.finish()
