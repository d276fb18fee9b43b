"""The page of the Python API: every public name, described by its docstring (mkdocstrings)."""

from __future__ import annotations

import augsearch

GROUPS = {
    "Search": (
        "run_study",
        "estimate_study",
        "triage_study",
        "certify_study",
        "ablate",
        "compare_policies",
        "report_study",
        "work_on_study",
        "load_result",
        "StudyResult",
        "Triage",
        "Ablation",
    ),
    "Policies and views": (
        "load_policy",
        "build_views",
        "preview",
        "write_preview",
        "export",
        "export_policy",
        "write_export",
        "Policy",
    ),
    "Classifiers": (
        "pretrain",
        "finetune",
        "distill",
        "deploy",
        "explain",
        "embed",
        "pilot",
        "compare_pilots",
        "Pretrained",
        "Finetuned",
        "Distilled",
        "Deployed",
        "Explained",
        "Embedded",
        "Pilot",
    ),
    "Images, spaces and study files": (
        "load_images",
        "write_surfaces",
        "load_space",
        "load_study_config",
        "Space",
        "StudyConfig",
    ),
    "Operations and encoders of your own": (
        "describe_op",
        "describe_ops",
        "trust_code",
        "CustomOp",
        "CustomEncoder",
        "Parameter",
    ),
    "Stored studies": (
        "list_stored",
        "stored_study",
        "sync_study",
        "study_frame",
        "delete_stored",
        "clean_stored",
        "serve_ui",
    ),
}


def python_page() -> str:
    """Markdown that mkdocstrings fills in.

    Raises:
        LookupError: a public name is in no group, or in more than one, or a group has another.
    """
    grouped = [name for names in GROUPS.values() for name in names]
    if sorted(grouped) != sorted(augsearch.__all__):
        wrong = {name for name in grouped if grouped.count(name) > 1}
        wrong |= set(grouped) ^ set(augsearch.__all__)
        raise LookupError(f"tools/docs_site/python_api.py: {', '.join(sorted(wrong))}")
    parts = [
        "# Python\n\nEverything that a verb of the command line does is one call. The keys of "
        "results are on [a page of their own](results.md), those of "
        "[study files](study_file.md), [space files](space_file.md) and "
        "[policies](policy_file.md) as well.\n"
    ]
    for title, names in GROUPS.items():
        parts.append(f"\n## {title}\n")
        parts += [f"\n{_entry(name)}" for name in names]
    return "".join(parts)


def _entry(name: str) -> str:
    home = augsearch._HOMES[name]
    return f'::: {home}.{name}\n    options:\n      heading: "{name}"\n      toc_label: "{name}"\n'
