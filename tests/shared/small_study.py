"""A study that is real in every part but takes seconds."""

from augsearch.data.embedded.surfaces import SurfaceSpec, draw_surfaces
from augsearch.space.space import Space
from augsearch.space.yaml_file import parse_model
from augsearch.study_file import StudyConfig

SPACE = """
name: small
ops:
  - op: resized_crop
    scale_min: {low: 0.1, high: 1.0}
  - op: color_jitter
    p: 0.8
    brightness: {low: 0.0, high: 0.8}
    hue: {low: 0.0, high: 0.5}
"""

STUDY = """
name: small
data: {image_size: 16}
encoder: {width: 8, stages: 2, stem: stride2}
pretrain: {steps: 12, batch_size: 32, learning_rate: LEARNING_RATE}
evaluate: {labels_per_class: 4, draws: 10}
search:
  trials: 4
  sampler: {kind: tpe, startup_trials: 2}
  pruner: {kind: successive_halving, first_rung: 6, reduction_factor: 2}
confirm: {top: 1, baselines: 2, seeds: 5, steps: 12, also: []}
compute: {parallel: 1}
"""


def small_space() -> Space:
    return parse_model(Space, SPACE, "space.yaml")


def small_config(learning_rate: float = 0.002, parallel: int = 1) -> StudyConfig:
    text = STUDY.replace("LEARNING_RATE", str(learning_rate)).replace(
        "parallel: 1", f"parallel: {parallel}"
    )
    return parse_model(StudyConfig, text, "s.yaml")


def small_images(**spec):
    return draw_surfaces(SurfaceSpec(**{"images_per_class": 12, "image_size": 16, **spec}))
