"""`augsearch preview`: what a policy does to a team's own images; look before you train."""

from __future__ import annotations

from pathlib import Path

from augsearch.progress import Progress
from augsearch.search.preview.draw import draw_preview
from augsearch.search.preview.request import PreviewRequest
from augsearch.search.preview.sheet import Preview
from augsearch.space.policy import Policy
from augsearch.space.space import Space
from augsearch.store.database import DEFAULT_STORAGE
from augsearch.watch.watched import watched


# The options of `augsearch preview` are its arguments.
def write_preview(
    policy: str | Path | Policy | None = None,
    data: str | Path | None = None,
    output: str | Path = "preview.png",
    *,
    image_size: int | None = None,
    seed: int = 0,
    space: str | Path | Space | None = None,
    study: str | None = None,
    baseline: str | None = None,
    storage: str = DEFAULT_STORAGE,
    progress: Progress | bool | None = None,
) -> Preview:
    """Draw what a policy does to some images into a picture file; see `preview`.

    Args:
        policy: to show; without it, that of `study` or the middle of `space`.
        data: the images; None for those of `study`, else for embedded ones.
        output: its suffix says the format, any that Pillow writes; without one it is a PNG. Should
            the sheet need more pages, they lie beside it as `-2`, `-3` and so on.
        image_size: side in pixels; None for that of `study`, else 96.
        space: whose operations are shown alone, instead of the policy's.
        study: name of a finished study: its winner on its own images.
        baseline: name of the published policy to compare with; None for the best one in the
            confirmation of `study`, else SimCLR s=1.
        storage: URL of the database that holds `study`.
        progress: told what happens; None shows it on a terminal and in a notebook, False nowhere.

    Raises:
        ConfigError, DataError, StudyError, OutputError: what is wrong, in one line.
    """
    request = PreviewRequest(
        policy=policy,
        data=data,
        output=Path(output),
        image_size=image_size,
        seed=seed,
        space=space,
        study=study,
        baseline=baseline,
        storage=storage,
    )
    with watched(progress) as told:
        return draw_preview(request, told)
