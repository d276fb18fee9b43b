"""A policy as an MLflow model: a Python file that needs torch and Kornia, but not augsearch.

The file is what `augsearch export --to kornia` writes, with MLflow's `predict` at its end: nothing
is pickled, and the views are the study's. This module writes the model to a directory and knows no
store.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import packages_distributions, version
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray

from augsearch.augment.export.export import export_policy
from augsearch.space.policy import Policy

PREDICT = '''

import secrets

import mlflow
import numpy as np


class TwoViewsModel(mlflow.pyfunc.PythonModel):
    def predict(self, context, model_input: np.ndarray, params=None):
        """Images [n, H, W, C] uint8 -> `view1` and `view2`, each [n, S, S, C] float32 in [0, 1].

        Every call draws new numbers, unless `seed` is given (0 or more): the views of a seed and a
        `step` are always the same ones. S is `image_size`; `normalise` gives views less MEAN, over
        STD.
        """
        options = {"seed": -1, "step": 0, "image_size": IMAGE_SIZE, "normalise": False}
        options |= params or {}
        seed = options["seed"] if options["seed"] >= 0 else secrets.randbits(63)
        views = build_views(
            seed,
            image_size=options["image_size"],
            normalise=options["normalise"],
            rank=0,
            world_size=1,
        )
        views.set_step(options["step"])
        images = torch.from_numpy(np.array(model_input)).permute(0, 3, 1, 2)
        view1, view2 = (view.permute(0, 2, 3, 1).contiguous().numpy() for view in views(images))
        return {"view1": view1, "view2": view2}


mlflow.models.set_model(TwoViewsModel())
'''


@dataclass(frozen=True)
class PolicyModel:
    """What a model of a policy's views is made of.

    Attributes:
        image_size: side of the views in pixels, unless `predict` is told another.
        example: `[n, H, W, C]` uint8; its channels are those that the model takes.
    """

    policy: Policy
    image_size: int
    example: NDArray[np.uint8]

    def script(self) -> str:
        """The model's code.

        Raises:
            ConfigError: a custom operation uses a name that means something else here.
        """
        return export_policy(self.policy, "kornia", self.image_size) + PREDICT

    def save(self, directory: Path, model_id: str, run_id: str) -> None:
        """Write the model to `directory`, which must not exist yet.

        Args:
            model_id, run_id: MLflow's, written into the model.

        Raises:
            ConfigError: see `script`.
            mlflow.exceptions.MlflowException: MLflow refuses the model.
        """
        import mlflow.pyfunc
        from mlflow.models import Model

        with TemporaryDirectory() as temporary:
            sources = Path(temporary)
            script = sources / "two_views.py"
            script.write_text(self.script(), encoding="utf-8")
            artifacts = {}
            for name, content in self.policy.files().items():
                (sources / "artifacts").mkdir(exist_ok=True)
                path = sources / "artifacts" / name
                path.write_bytes(content)
                artifacts[name] = str(path)
            mlflow.pyfunc.save_model(
                directory,
                mlflow_model=Model(model_uuid=model_id, model_id=model_id, run_id=run_id),
                python_model=script,
                artifacts=artifacts,
                signature=self._signature(),
                input_example=self.example,
                pip_requirements=requirements(script.read_text(encoding="utf-8")),
                # Else MLflow copies the uv.lock of whatever directory it is run in.
                uv_project_path=sources,
            )

    def _signature(self) -> object:
        from mlflow.models import ModelSignature
        from mlflow.types import DataType, ParamSchema, ParamSpec, Schema, TensorSpec

        shape = (-1, -1, -1, self.example.shape[3])
        return ModelSignature(
            inputs=Schema([TensorSpec(np.dtype(np.uint8), shape)]),
            outputs=Schema(
                [TensorSpec(np.dtype(np.float32), shape, name) for name in ("view1", "view2")]
            ),
            params=ParamSchema(
                [
                    ParamSpec("seed", DataType.long, -1),
                    ParamSpec("step", DataType.long, 0),
                    ParamSpec("image_size", DataType.long, self.image_size),
                    ParamSpec("normalise", DataType.boolean, False),
                ]
            ),
        )


def requirements(script: str) -> list[str]:
    """The packages that a Python file imports, in the versions that are installed here."""
    names = set()
    for node in ast.walk(ast.parse(script)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add(node.module or "")
    modules = {name.partition(".")[0] for name in names} - sys.stdlib_module_names
    packages_of = _packages_of_modules()
    packages = {
        module if module in packages_of[module] else packages_of[module][0]
        for module in modules & packages_of.keys()
    }
    # A local label ("+cu130") names a build that no index need have.
    return [f"{package}=={version(package).partition('+')[0]}" for package in sorted(packages)]


@cache
def _packages_of_modules() -> Mapping[str, list[str]]:
    """Found once a process: looking through all installed packages takes seconds."""
    return packages_distributions()
