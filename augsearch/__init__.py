"""augsearch: find the augmentations that suit your own images for self-supervised learning.

Everything that a verb of the command line does is one call here:

    result = augsearch.run_study("factory", data="images/")
    views = augsearch.build_views(result.policy, image_size=96)
    policy = augsearch.load_policy("runs/.../policy.yaml")
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from augsearch.augment.build import build_views
    from augsearch.augment.export.export import export_policy
    from augsearch.data.cache import load_images
    from augsearch.data.embedded.folder import write_surfaces
    from augsearch.deploying.result import Deployed
    from augsearch.distilling.result import Distilled
    from augsearch.explaining.embedding import Embedded
    from augsearch.explaining.result import Explained
    from augsearch.finetuning.result import Finetuned
    from augsearch.piloting.result import Pilot
    from augsearch.pretraining.result import Pretrained
    from augsearch.search.ablation.result import Ablation
    from augsearch.search.preview.sheet import preview
    from augsearch.search.result.result import StudyResult, load_result
    from augsearch.search.triage.answer import Triage
    from augsearch.simclr.encoders.custom import CustomEncoder
    from augsearch.space.catalogue import Parameter
    from augsearch.space.custom import CustomOp
    from augsearch.space.handbook.handbook import describe_op, describe_ops
    from augsearch.space.policy import Policy, load_policy
    from augsearch.space.space import Space, load_space
    from augsearch.space.trust import trust_code
    from augsearch.store.frame import study_frame
    from augsearch.study_file import StudyConfig, load_study_config
    from augsearch.tracking.ui import serve_ui
    from augsearch.verbs.ablate import ablate
    from augsearch.verbs.certify import certify_study
    from augsearch.verbs.compare_pilots import compare_pilots
    from augsearch.verbs.compare_policies import compare_policies
    from augsearch.verbs.deploy import deploy
    from augsearch.verbs.distill import distill
    from augsearch.verbs.embed import embed
    from augsearch.verbs.explain import explain
    from augsearch.verbs.export import export, write_export
    from augsearch.verbs.finetune import finetune
    from augsearch.verbs.pilot import pilot
    from augsearch.verbs.pretrain import pretrain
    from augsearch.verbs.preview import write_preview
    from augsearch.verbs.report import report_study
    from augsearch.verbs.run import estimate_study, run_study
    from augsearch.verbs.studies import clean_stored, delete_stored, list_stored, stored_study
    from augsearch.verbs.sync import sync_study
    from augsearch.verbs.triage import triage_study
    from augsearch.verbs.worker import work_on_study

__version__ = "0.1.0"

# Imported on first use: importing torch and MLflow takes seconds, `augsearch --help` must not.
_HOMES = {
    "Ablation": "augsearch.search.ablation.result",
    "CustomEncoder": "augsearch.simclr.encoders.custom",
    "CustomOp": "augsearch.space.custom",
    "Deployed": "augsearch.deploying.result",
    "Distilled": "augsearch.distilling.result",
    "Embedded": "augsearch.explaining.embedding",
    "Explained": "augsearch.explaining.result",
    "Finetuned": "augsearch.finetuning.result",
    "Parameter": "augsearch.space.catalogue",
    "Pilot": "augsearch.piloting.result",
    "Policy": "augsearch.space.policy",
    "Pretrained": "augsearch.pretraining.result",
    "Space": "augsearch.space.space",
    "StudyConfig": "augsearch.study_file",
    "StudyResult": "augsearch.search.result.result",
    "Triage": "augsearch.search.triage.answer",
    "build_views": "augsearch.augment.build",
    "export": "augsearch.verbs.export",
    "export_policy": "augsearch.augment.export.export",
    "load_images": "augsearch.data.cache",
    "load_policy": "augsearch.space.policy",
    "load_result": "augsearch.search.result.result",
    "load_space": "augsearch.space.space",
    "load_study_config": "augsearch.study_file",
    "preview": "augsearch.search.preview.sheet",
    "ablate": "augsearch.verbs.ablate",
    "certify_study": "augsearch.verbs.certify",
    "trust_code": "augsearch.space.trust",
    "work_on_study": "augsearch.verbs.worker",
    "clean_stored": "augsearch.verbs.studies",
    "delete_stored": "augsearch.verbs.studies",
    "compare_pilots": "augsearch.verbs.compare_pilots",
    "compare_policies": "augsearch.verbs.compare_policies",
    "describe_op": "augsearch.space.handbook.handbook",
    "describe_ops": "augsearch.space.handbook.handbook",
    "embed": "augsearch.verbs.embed",
    "explain": "augsearch.verbs.explain",
    "estimate_study": "augsearch.verbs.run",
    "deploy": "augsearch.verbs.deploy",
    "distill": "augsearch.verbs.distill",
    "finetune": "augsearch.verbs.finetune",
    "list_stored": "augsearch.verbs.studies",
    "pilot": "augsearch.verbs.pilot",
    "pretrain": "augsearch.verbs.pretrain",
    "report_study": "augsearch.verbs.report",
    "run_study": "augsearch.verbs.run",
    "serve_ui": "augsearch.tracking.ui",
    "stored_study": "augsearch.verbs.studies",
    "sync_study": "augsearch.verbs.sync",
    "study_frame": "augsearch.store.frame",
    "triage_study": "augsearch.verbs.triage",
    "write_export": "augsearch.verbs.export",
    "write_preview": "augsearch.verbs.preview",
    "write_surfaces": "augsearch.data.embedded.folder",
}

__all__ = [
    "Ablation",
    "CustomEncoder",
    "CustomOp",
    "Deployed",
    "Distilled",
    "Embedded",
    "Explained",
    "Finetuned",
    "Parameter",
    "Pilot",
    "Policy",
    "Pretrained",
    "Space",
    "StudyConfig",
    "StudyResult",
    "Triage",
    "ablate",
    "build_views",
    "certify_study",
    "clean_stored",
    "compare_pilots",
    "compare_policies",
    "delete_stored",
    "deploy",
    "describe_op",
    "describe_ops",
    "distill",
    "embed",
    "estimate_study",
    "explain",
    "export",
    "export_policy",
    "finetune",
    "list_stored",
    "load_images",
    "load_policy",
    "load_result",
    "load_space",
    "load_study_config",
    "pilot",
    "pretrain",
    "preview",
    "report_study",
    "run_study",
    "serve_ui",
    "stored_study",
    "study_frame",
    "sync_study",
    "triage_study",
    "trust_code",
    "work_on_study",
    "write_export",
    "write_preview",
    "write_surfaces",
]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'augsearch' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
