"""JSON Schemas of the files that users write and read, from the models themselves.

`python -m augsearch.verbs.schemas` writes them to schemas/; a test keeps them in step.
"""

from __future__ import annotations

import json
from pathlib import Path

from pydantic import BaseModel

from augsearch.deploying.result import Deployed
from augsearch.distilling.result import Distilled
from augsearch.explaining.result import Explained
from augsearch.finetuning.result import Finetuned
from augsearch.piloting.result import Pilot
from augsearch.pretraining.result import Pretrained
from augsearch.search.ablation.result import Ablation
from augsearch.search.result.result import StudyResult
from augsearch.space.policy import Policy
from augsearch.space.space import Space
from augsearch.study_file import StudyConfig

MODELS: dict[str, type[BaseModel]] = {
    "ablation": Ablation,
    "deploy": Deployed,
    "distill": Distilled,
    "explain": Explained,
    "finetune": Finetuned,
    "pilot": Pilot,
    "policy": Policy,
    "pretrain": Pretrained,
    "result": StudyResult,
    "space": Space,
    "study": StudyConfig,
}


def schema_texts() -> dict[str, str]:
    """File name -> JSON text of every schema."""
    return {
        f"{name}.schema.json": json.dumps(model.model_json_schema(), indent=1) + "\n"
        for name, model in MODELS.items()
    }


def write_schemas(directory: Path) -> None:
    """Write every schema into `directory`."""
    directory.mkdir(parents=True, exist_ok=True)
    for name, text in schema_texts().items():
        (directory / name).write_text(text)


if __name__ == "__main__":
    write_schemas(Path("schemas"))
