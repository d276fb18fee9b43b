"""The policy that a study recommends, as MLflow's model registry shows it."""

from __future__ import annotations

import math

import numpy as np

from augsearch.search.result.mlflow_page import parent_metrics
from augsearch.search.result.result import StudyResult
from augsearch.space.handbook.policy_words import policy_steps
from augsearch.space.policy import Policy
from augsearch.store.kept import NOTHING_GAINED
from augsearch.study.setup import Setup, some_images
from augsearch.tracking.policy_model import PolicyModel
from augsearch.tracking.registry import ALIAS, Registration, registered_name

EXAMPLES, EXAMPLE_SIDE = 2, 64
"""Images of the input example, and their largest side: MLflow writes 50 characters a number."""
LONGEST = 5000
"""Characters of a description that MLflow keeps on any database."""


def registration(setup: Setup, policy: Policy, result: StudyResult) -> Registration:
    """What the registry is told about the recommended policy.

    Where the study measured nothing, the policy gets a version, but not the alias by which a
    pipeline would fetch it.
    """
    size = setup.image_set.image_size
    stride = math.ceil(size / EXAMPLE_SIDE)
    images = some_images(setup.bench, EXAMPLES)[:, :, ::stride, ::stride].permute(0, 2, 3, 1)
    name = registered_name(setup.name)
    return Registration(
        study=setup.name,
        model=PolicyModel(policy, size, np.ascontiguousarray(images.cpu())),
        about=f"Two augmented views of images, for self-supervised pretraining: what the augsearch "
        f"study {setup.name} recommends for {setup.image_set.name}. Each version is one policy; "
        f"`models:/{name}@{ALIAS}` is the one to use, once the study could measure something.",
        describe=lambda uri: _description(uri, policy, result, size),
        tags={
            "verdict": result.verdict.code,
            **_scores(result),
            "policy": result.verdict.recommended,
            "data": setup.image_set.name,
            "data_digest": setup.image_set.digest,
        },
        metrics={"confirmed_percent": parent_metrics(result)["confirmed_percent"]},
        recommended=result.verdict.code not in NOTHING_GAINED,
    )


def _scores(result: StudyResult) -> dict[str, str]:
    chosen = next(p for p in result.policies if p.name == result.verdict.recommended)
    if chosen.confirmed_mean is None or chosen.interval is None:
        return {}
    low, high = chosen.interval
    return {
        "score": f"{100 * chosen.confirmed_mean:.1f} %",
        "interval": f"{100 * low:.1f} to {100 * high:.1f} %",
    }


def _description(uri: str, policy: Policy, result: StudyResult, size: int) -> str:
    verdict, scores = result.verdict, _scores(result)
    channels = result.data["channels"]
    score = (
        f" It scored {scores['score']} (95 % interval {scores['interval']}, "
        f"{result.metric.replace('_', ' ')}) on sealed test images."
        if scores
        else ""
    )
    before = f"""{verdict.badge}: {verdict.sentence} {verdict.advice}

This is {verdict.recommended} of the study {result.study}, as a model that draws two views of each \
image.{score}

```python
import mlflow

model = mlflow.pyfunc.load_model("{uri}")
views = model.predict(images)  # images: uint8 [n, H, W, {channels}]
view1, view2 = views["view1"], views["view2"]  # float32 [n, {size}, {size}, {channels}] in [0, 1]
```

Every call draws new views. `params={{"seed": 0, "step": 0}}` draws the same ones again; \
`image_size` sets another size, and `normalise` subtracts the mean of the study's images and \
divides by their standard deviation. What it needs is \
in `requirements.txt`; augsearch is not among that. Where augsearch is installed, a training loop \
gets the same views by `augsearch.load_policy("policy.yaml").build(image_size)`, with the file \
from among the artifacts.

The policy, in order:

"""
    lines = []
    for number, (title, doc, values) in enumerate(policy_steps(policy), 1):
        lines += [f"{number}. **{title}**: {doc}", *(f"    - {value}" for value in values)]
    text, rest = before, "\n- and more: see `policy.yaml`"
    for line in lines:
        if len(text) + len(line) + len(rest) > LONGEST:
            return text + rest
        text += f"{line}\n"
    return text
