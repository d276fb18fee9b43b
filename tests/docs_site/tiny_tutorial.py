"""What the tutorial and the notebook run on in tests: few small images, a study of seconds."""

from pathlib import Path

STUDY = """
name: tiny
data: {image_size: 16}
encoder: {width: 8, stages: 2, stem: stride2}
pretrain: {steps: 6, batch_size: 32}
evaluate: {labels_per_class: 3, draws: 10}
search: {trials: 2, sampler: {kind: tpe, startup_trials: 1}, pruner: {kind: none}}
confirm: {top: 1, baselines: 1, seeds: 5, max_seeds: 5, steps: 6, also: []}
full: {steps: 6}
finetune: {steps: 3, batch_size: 16, seeds: 1, folds: 2}
compute: {parallel: 1}
"""

SMALLER = {
    "write_surfaces('surfaces')": "write_surfaces('surfaces', images_per_class=24)",
    "write_surfaces(IMAGES)": "write_surfaces(IMAGES, images_per_class=24)",
    "--study quick": "--study tiny.yaml",
    'STUDY = "quick"': 'STUDY = "tiny.yaml"',
    "steps: 1200": "steps: 3",
}


def smaller(text: str) -> str:
    """The text with small numbers; `tiny.yaml` is written."""
    Path("tiny.yaml").write_text(STUDY, encoding="utf-8")
    for asked, instead in SMALLER.items():
        text = text.replace(asked, instead)
    return text
