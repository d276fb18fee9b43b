"""Fine-tunings that are real in every part but take seconds."""

from pretraining.full_runs import full_config
from small_study import small_images

from augsearch.model_sections import FinetuneConfig
from augsearch.verbs.finetune import finetune

STOPPING = {"good": "clean", "miss_rate": 0.2, "threshold_share": 0.5}


def config(encoder=None, size=16, **settings):
    """The small study's settings with a fine-tuning of a few steps."""
    wanted = FinetuneConfig(**{"steps": 4, "batch_size": 16, "seeds": 2, "folds": 2, **settings})
    found = full_config(steps=2).model_copy(update={"finetune": wanted})
    data = found.data.model_copy(update={"image_size": size})
    return found.model_copy(update={"data": data} | ({"encoder": encoder} if encoder else {}))


def go(**changes):
    asked = {"data": small_images(), "study": config(), "output": "out", "device": "cpu"}
    return finetune(**{**asked, **changes})
