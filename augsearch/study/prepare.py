"""From what a user names (files, presets, folders) to everything a study needs, checked."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import torch

from augsearch.augment.custom import check_custom_ops
from augsearch.bench.bench import Bench
from augsearch.data.advice import classes_in_words
from augsearch.data.cache import load_images
from augsearch.data.embedded.surfaces import SurfaceSpec, draw_surfaces
from augsearch.data.imageset import ImageSet
from augsearch.data.listing.names import printable
from augsearch.data.splits.subset import take_subset
from augsearch.errors import ConfigError, DataError
from augsearch.progress import Progress, Quiet
from augsearch.simclr.device import resolve_device
from augsearch.space.presets import preset_names
from augsearch.space.space import Space, load_space
from augsearch.store.names import made_name
from augsearch.study.command import handed_over
from augsearch.study.origin import Origin
from augsearch.study.request import StudyRequest
from augsearch.study.setup import Setup, some_images
from augsearch.study.sizes import SIZES, SizeChoice, choose_size, own_size, with_size
from augsearch.study.source import Source
from augsearch.study_file import StudyConfig, load_study_config
from augsearch.testing.encoders import check_encoder
from augsearch.words import without_colour

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
CHECKED = 16
"""Images that every custom operation is tried on before anything is trained."""


def prepare(
    request: StudyRequest,
    *,
    progress: Progress,
    origin: Origin | None = None,
    searching: bool = True,
) -> Setup:
    """Resolve and check everything a study needs.

    Args:
        origin: the study that this one begins from.
        searching: whether it needs a space in which something is searched.

    Returns:
        The study under the name that it was given, else under one that ends in digits.

    Raises:
        ConfigError, DataError, DeviceError: what is wrong, in one line.
    """
    _check_paths(request)
    device = resolve_device(request.device)
    asked_space, space_file = _space(request.space, origin)
    config, study_file = _config(request, origin)
    _check_numbers(request)
    config, sizes = _settle_size(request, config, device, progress)
    image_set, source = _images(request, config, progress)
    space = _fitting(asked_space, image_set.channels, space_file, progress, searching=searching)
    check_own_encoder(config, image_set)
    bench = Bench.build(image_set, config, seed=request.seed, device=device)
    if request.engine == "ray":
        bench = bench.on(device)  # it is sent to where runs are
    for sentence in bench.start.notes if bench.start else ():
        progress.note(sentence)
    if request.data is not None:
        progress.note(classes_in_words(image_set, bench.split.test))
    check_custom_ops(space.custom_ops(), some_images(bench, CHECKED))
    digits = _digits(space, bench, origin)
    return Setup(
        name=request.name or made_name(asked_space.name, image_set.name, digits),
        digits=digits,
        space=space,
        config=config,
        bench=bench,
        seed=request.seed,
        device=device,
        source=source,
        space_file=space_file,
        study_file=study_file,
        subset=request.subset,
        storage=request.storage,
        output=None if request.output is None else Path(request.output),
        asked_device=request.device,
        asked_space=None if request.space is None else space_file,
        asked_study=None if request.study is None and origin is not None else study_file,
        in_python=handed_over(
            {
                "space": isinstance(request.space, Space),
                "study": isinstance(request.study, StudyConfig),
                "images": isinstance(request.data, ImageSet),
            }
        ),
        origin=origin,
        sizes=sizes,
        engine_name=request.engine,
        asked_engine=request.engine,
    )


def check_own_encoder(config: StudyConfig, image_set: ImageSet) -> None:
    """Try an encoder of the user's own as the study will use it."""
    file = config.encoder.encoder_file
    if file is None:
        return
    try:
        check_encoder(
            file.load(config.encoder.code),
            channels=(image_set.channels,),
            image_size=image_set.image_size,
        )
    except AssertionError as error:
        raise ConfigError(f"encoder.file {file}: {error}") from error


def _check_paths(request: StudyRequest) -> None:
    paths = {
        "--data": request.data,
        "--space": request.space,
        "--study": request.study,
        "--output": request.output,
        "this directory": Path.cwd(),
    }
    for option, path in paths.items():
        if isinstance(path, (str, Path)) and printable(str(path)) != str(path):
            raise ConfigError(
                f"{option} {printable(str(path))}: the path is no plain text in UTF-8, and the "
                "results could not name it; rename it, or make a link to it"
            )


def _space(space: str | Path | Space | None, origin: Origin | None) -> tuple[Space, str]:
    if space is None and origin is not None:
        space = origin.space
    if space is None:
        raise ConfigError(
            f"--space: name a space file or a preset ({', '.join(preset_names('spaces'))})"
        )
    if isinstance(space, Space):
        return space, f"{space.name}.yaml"
    return load_space(space), str(space)


def _fitting(
    space: Space, channels: int, file: str, progress: Progress, *, searching: bool
) -> Space:
    """The space as it acts on images of that many channels; if there is to be a search, something
    in it must be searched."""
    if searching and not space.axes():
        raise ConfigError(
            f"{file}: is a policy, not a space: every value is fixed, so nothing is searched; "
            "give some value a range or choices, like {low: 0.0, high: 0.5}"
        )
    try:
        fitting = space.for_channels(channels)
    except ValueError:
        fitting = None
    if searching and (fitting is None or not fitting.axes()):
        raise ConfigError(
            f"{file}: {without_colour(channels)}, and all that is searched acts on colour alone; "
            "give another value a range or choices"
        )
    fitting = fitting or space
    dropped = len(space.axes()) - len(fitting.axes())
    if dropped:
        progress.note(
            f"{without_colour(channels)}: {dropped} of the space's {len(space.axes())} searched "
            "values act on colour alone and are left out"
        )
    fitting.files()
    return fitting


def _config(request: StudyRequest, origin: Origin | None) -> tuple[StudyConfig, str]:
    study = request.study
    if study is None and origin is not None:
        study = origin.config
    if isinstance(study, StudyConfig):
        config, file = study, f"{study.name}.yaml"
    else:
        chosen = study or ("quick.yaml" if request.data is None else "standard.yaml")
        config, file = load_study_config(chosen), str(chosen)
    if request.trials is None:
        return config, file
    if request.trials < 1:
        raise ConfigError(f"--trials {request.trials}: must be 1 or more")
    search = config.search.model_copy(update={"trials": request.trials})
    return config.model_copy(update={"search": search}), file


def _check_numbers(request: StudyRequest) -> None:
    if request.name is not None and not NAME.fullmatch(request.name):
        raise ConfigError(
            f"--name {request.name}: use up to 100 letters, digits, dots, dashes and underscores"
        )
    if request.seed < 0:
        raise ConfigError(f"--seed {request.seed}: must be 0 or more")


def _settle_size(
    request: StudyRequest, config: StudyConfig, device: torch.device, progress: Progress
) -> tuple[StudyConfig, SizeChoice | None]:
    """The study with an image size; where that is auto, the one that probes show to be enough, with
    these."""
    if config.data.image_size != "auto":
        return config, None
    if isinstance(request.data, ImageSet):
        return with_size(config, request.data.image_size), None
    if config.evaluate.label_free:
        raise ConfigError(
            "data.image_size: auto goes by few-label probes, and evaluate.score "
            f"{config.evaluate.score} has no labels; say a size"
        )
    progress.note("looking for the image size; this takes a few minutes")
    choice = probe_sizes(request, config, device)
    for sentence in choice.sentences:
        progress.note(sentence)
    return with_size(config, choice.chosen.size), choice


def probe_sizes(request: StudyRequest, config: StudyConfig, device: torch.device) -> SizeChoice:
    """How well the classes can be told at each image size, up to that of the pictures.

    Raises:
        DataError, ConfigError: see `choose_size`.
    """
    quiet = Quiet()

    def read(size: int) -> ImageSet:
        images, _ = _images(request, with_size(config, size), quiet)
        check_own_encoder(config, images)
        return images

    most = SIZES[-1]
    if isinstance(request.data, (str, Path)):
        root = Path(request.data)
        most = own_size(root, _images(request, with_size(config, SIZES[0]), quiet)[0].paths)
    return choose_size(read, most, config, seed=request.seed, device=device)


def _images(
    request: StudyRequest, config: StudyConfig, progress: Progress
) -> tuple[ImageSet, Source]:
    """The images to work on, with labels where a score needs them, and where they came from."""
    image_set, source = _read(request.data, config, progress)
    label_free = config.evaluate.label_free
    if not label_free and not (image_set.labels >= 0).any():
        raise DataError(
            f"{source.name}: no image has a label, and policies are scored by a few labels of each "
            "class; sort some images into a folder for each class, list them in labels.csv, or "
            "set evaluate.score in the study file to a label-free score (docs/label_free.md)"
        )
    if request.subset is not None:
        if request.subset < 1:
            raise ConfigError(f"--subset {request.subset}: must be 1 or more")
        image_set = take_subset(image_set, request.subset, seed=0, unlabelled=label_free)
    for sentence in image_set.notes:
        progress.note(sentence)
    return image_set, source


def _read(
    data: str | Path | ImageSet | None, config: StudyConfig, progress: Progress
) -> tuple[ImageSet, Source]:
    if isinstance(data, ImageSet):
        return data, Source("given", data.name)
    if data is None:
        progress.note(
            "no --data given: searching on the embedded inspection surfaces, which this program "
            "draws itself"
        )
        return draw_surfaces(SurfaceSpec(image_size=config.data.side)), Source.embedded()
    folder = Source("folder", str(data))
    return load_images(Path(data), config.data, progress=progress.images), folder


def _digits(space: Space, bench: Bench, origin: Origin | None) -> str:
    """The beginning of a digest of all that decides the study."""
    text = f"{space.digest} {bench.config.digest} {bench.image_set.digest} {bench.seed}"
    if bench.start is not None:
        text += f" {bench.start.digest}"
    if origin is not None:
        text += f" {origin.study} {origin.winner.digest}"
    return hashlib.sha256(text.encode()).hexdigest()[:6]
