"""Every form of file that users keep is read for ever: `tests/stored/version-N/` holds examples of
schema version N, as the version that they are of wrote them, and is only added to."""

import gzip
from pathlib import Path

import pytest
from pydantic import BaseModel

from augsearch.deploying.result import Deployed
from augsearch.distilling.result import Distilled
from augsearch.explaining.result import Explained
from augsearch.finetuning.result import Finetuned
from augsearch.piloting.result import Pilot
from augsearch.pretraining.result import Pretrained
from augsearch.search.ablation.result import Ablation
from augsearch.search.certificate.certificate import Certificate
from augsearch.search.result.result import StudyResult, load_result
from augsearch.space.policy import Policy, load_policy
from augsearch.space.space import Space, load_space
from augsearch.store.database import DEFAULT_STORAGE, open_storage
from augsearch.store.listing import summaries
from augsearch.store.runs import BASELINE
from augsearch.store.stored import find_study, stored_config, stored_space
from augsearch.study_file import StudyConfig, load_study_config
from augsearch.verbs.compare_pilots import read_pilot
from augsearch.verbs.schemas import MODELS

STORED = Path(__file__).parent / "stored"
VERSIONS = sorted(STORED.glob("version-*"))


def read_json(model: type[BaseModel]):
    return lambda path: model.model_validate_json(path.read_text())


READ = {
    "ablation.json": (Ablation, read_json(Ablation)),
    "certificate.json": (Certificate, read_json(Certificate)),
    "deploy.json": (Deployed, read_json(Deployed)),
    "distill.json": (Distilled, read_json(Distilled)),
    "explain.json": (Explained, read_json(Explained)),
    "finetune.json": (Finetuned, read_json(Finetuned)),
    "pilot.json": (Pilot, lambda path: read_pilot(path.parent)),
    "policy.yaml": (Policy, load_policy),
    "pretrain.json": (Pretrained, read_json(Pretrained)),
    "result.json": (StudyResult, lambda path: load_result(path.parent)),
    "space.json": (Space, load_space),
    "space.yaml": (Space, load_space),
    "study.json": (StudyConfig, load_study_config),
    "study.yaml": (StudyConfig, load_study_config),
}
"""By the name of a file: what it is, and how it is read."""
BESIDE = ("config.json", "split.csv")
FILES = [path for version in VERSIONS for path in sorted(version.rglob("*.*"))]


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(STORED)))
def test_a_file_of_that_version_is_read(path):
    if path.name in BESIDE:
        return
    model, read = READ[path.name]
    found = read(path)
    assert isinstance(found, model)
    # What is written of it today is read too.
    assert type(found).model_validate_json(found.model_dump_json()) == found


def test_there_is_one_of_every_form():
    stored = {READ[path.name][0] for path in FILES if path.name in READ}
    assert stored >= set(MODELS.values()), "add an example of the new form to tests/stored"


def test_a_database_of_before_is_listed_and_opened():
    Path("augsearch.db").write_bytes(gzip.decompress((STORED / "study.db.gz").read_bytes()))
    assert [study.name for study in summaries(open_storage(DEFAULT_STORAGE))] == ["before"]
    store = find_study(DEFAULT_STORAGE, "before")
    assert len(store.trials()) == 3 and store.runs(BASELINE)
    assert isinstance(stored_config(store), StudyConfig) and isinstance(stored_space(store), Space)
