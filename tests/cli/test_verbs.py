"""What the verbs do when all is well, and when somebody presses Ctrl-C."""

import compileall
import io
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import typer.main
from command_line import SMALL_RUN, write_files, write_images
from PIL import Image

from augsearch import __version__
from augsearch.cli.app import app
from augsearch.search.result.result import load_result
from augsearch.space.catalogue import OPERATIONS
from augsearch.space.groups import GROUPS
from augsearch.space.space import load_space
from augsearch.words import points

FLAGS = {
    "": {"--help", "--version", "-h", "--install-completion", "--show-completion"},
    "run": {
        "--space", "--data", "--study", "--trials", "--seed", "--device", "--storage", "--name",
        "--output", "--subset", "--dry-run", "--from", "--engine",
    },
    "triage": {
        "--space", "--data", "--study", "--trials", "--seed", "--device", "--storage", "--name",
        "--output", "--subset", "--from", "--engine",
    },
    "worker": {"--study", "--storage", "--data", "--device", "--trials", "--wait"},
    "pretrain": {
        *("--policy", "--data", "--study", "--steps", "--seed", "--device", "--storage"),
        *("--output", "--force"),
    },
    "finetune": {
        *("--policy", "--data", "--study", "--labels", "--mode", "--good", "--miss-rate"),
        *("--seed", "--device", "--storage", "--output", "--force"),
    },
    "distill": {
        *("--student", "--weights", "--policy", "--data", "--steps", "--temperature", "--seed"),
        *("--device", "--storage", "--output", "--force"),
    },
    "deploy": {"--data", "--formats", "--loss", "--class-loss", "--storage", "--output", "--force"},
    "sync": {"--data", "--storage"},
    "pilot": {
        *("--study", "--data", "--policy", "--policy-from", "--space", "--weights", "--labels"),
        *("--seeds", "--baseline", "--good", "--steps", "--label-seconds", "--label-rate"),
        *("--machine-rate", "--currency", "--compare", "--dry-run"),
        *("--seed", "--device", "--storage", "--output", "--force"),
    },
    "explain": {"--data", "--images", "--seed", "--device", "--storage", "--output", "--force"},
    "embed": {"--data", "--output", "--device", "--force"},
    "compare": {"--data", "--output", "--seed", "--storage", "--no-thumbnail"},
    "preview": {
        "--policy", "--space", "--data", "--baseline", "--output", "--image-size", "--seed",
        "--storage", "--no-thumbnail",
    },
    "ops": set(),
    "trust": {"--forget"},
    "export": {"--policy", "--to", "--output", "--image-size", "--strict", "--force"},
    "ablate": {
        "--space", "--data", "--study", "--mode", "--protocol", "--ops", "--policy", "--op",
        "--replicates", "--seed", "--device", "--storage", "--name", "--output", "--subset",
        "--dry-run",
    },
    "certify": {"--random", "--seeds", "--data", "--device", "--storage", "--engine"},
    "report": {"--data", "--output", "--storage"},
    "ui": {"--port"},
    "selftest": {"--seed"},
    "studies": {"--storage"},
    "studies show": {"--storage", "--all"},
    "studies delete": {"--storage", "--yes"},
    "studies clean": {"--storage", "--unused-days", "--yes"},
}  # fmt: skip

MAIN = "from augsearch.cli import main; main()"
HEAVY = ("torch", "mlflow", "optuna", "pandas", "sklearn", "numpy")


def commands(command, path=""):
    """Every verb with its click command, groups too."""
    yield path, command
    for name, below in getattr(command, "commands", {}).items():
        yield from commands(below, f"{path} {name}".strip())


def test_flags_grow_on_purpose_only():
    found = {
        path: {flag for param in command.params for flag in param.opts if flag.startswith("-")}
        for path, command in commands(typer.main.get_command(app))
    }
    helped = {"--help", "-h"}
    assert {p: f - helped for p, f in found.items()} == {p: f - helped for p, f in FLAGS.items()}


@pytest.mark.parametrize("verb", [[], ["run"], ["studies"], ["studies", "delete"]])
def test_help_loads_nothing_heavy(verb):
    assert "Usage:" in said_without_heavy_imports(*verb, "--help")


@pytest.mark.parametrize("verb", [["ops"], ["ops", "rotation"]])
def test_reading_about_operations_loads_nothing_heavy(verb):
    assert "rotation" in said_without_heavy_imports(*verb)


def said_without_heavy_imports(*arguments):
    """What a command prints; the test fails if it imports one of `HEAVY`."""
    program = (
        "import sys\n"
        "from augsearch.cli import main\n"
        f"sys.argv = {['augsearch', *arguments]}\n"
        "try:\n    main()\nfinally:\n"
        f"    print('loaded', [m for m in {HEAVY} if m in sys.modules], file=sys.stderr)\n"
    )
    said = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert said.returncode == 0, said.stderr
    assert said.stderr == "loaded []\n"
    return said.stdout


def test_interrupted_while_it_is_loading_it_goes_without_a_word():
    program = (
        "import sys\n"
        "from augsearch.cli import main\n"
        "class Interrupt:\n"
        "    def find_spec(self, name, *_):\n"
        "        if name == 'augsearch.cli.app':\n"
        "            raise KeyboardInterrupt\n"
        "sys.meta_path.insert(0, Interrupt())\n"
        "main()\n"
    )
    said = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert (said.returncode, said.stdout, said.stderr) == (130, "", "")


def test_version(cli):
    assert cli("--version").out == f"augsearch {__version__}\n"


def test_no_verb_shows_the_help(cli):
    said = cli()
    assert "Usage:" in said.out + said.err
    assert "Traceback" not in said.out + said.err


def test_dry_run_estimates_and_leaves_nothing(cli):
    write_files()
    write_images(pit=14, scratch=14)
    before = set(Path().iterdir())
    said = cli(*SMALL_RUN, "--dry-run")
    assert said.code == 0
    assert "28 images, 2 classes, 16 px, 2 trials of 4 steps on cpu" in said.out
    assert "s (about 9 s of them for starting and keeping records), " in said.out
    assert "MB of memory" in said.out
    assert "fewer than" not in said.out
    assert {path.name for path in set(Path().iterdir()) - before} <= {"cache"}


def test_preview_writes_a_picture(cli):
    write_files()
    write_images(pit=3, scratch=3)
    said = cli("preview", "--policy", "policy.yaml", "--data", "images", "--output", "views.png")
    assert (said.code, said.out, said.err) == (0, "wrote views.png\n", "")
    with Image.open("views.png") as picture:
        assert picture.format == "PNG"
        assert picture.width > 9 * 96  # an original and four views under each of two policies


def test_preview_of_a_study_shows_its_winner_on_its_images(cli, finished_study, monkeypatch):
    monkeypatch.chdir(finished_study)
    said = cli("preview", "small", "--baseline", "SimCLR s=1", "--output", "small.png")
    assert (said.code, said.out) == (0, "wrote small.png\n")
    by_hand = ["--policy", "runs/small/policy.yaml", "--data", "images", "--image-size", "16"]
    cli("preview", *by_hand, "--baseline", "SIMCLR S=1", "--output", "by_hand.png")
    assert Path("small.png").read_bytes() == Path("by_hand.png").read_bytes()


@pytest.mark.parametrize(
    ("name", "form"), [("views.jpg", "JPEG"), ("views.webp", "WEBP"), ("views", "PNG")]
)
def test_preview_writes_what_the_suffix_says(cli, name, form):
    write_files()
    said = cli("preview", "--policy", "policy.yaml", "--image-size", "16", "--output", name)
    assert (said.code, said.out) == (0, f"wrote {name}\n")
    with Image.open(name) as picture:
        assert picture.format == form


@pytest.mark.parametrize("name", GROUPS)
def test_ops_explains_groups(cli, name):
    said = cli("ops", name)
    assert said.code == 0
    assert said.out.startswith(f"{name} (no operation of the catalogue)")
    assert name in cli("ops").out
    example = said.out.partition("- op: ")
    Path("my_ops.py").write_text(
        "from augsearch import CustomOp, Parameter\n"
        'gain = Parameter("gain", 0, 1, "gain", 0, 0.5)\n'
        'banding = CustomOp("Bands.", (gain,), 1, lambda images, *_: images)\n'
    )
    Path("space.yaml").write_text("ops:\n" + "".join(example[1:]))
    assert load_space("space.yaml").axes()


def test_ops_lists_every_operation_with_its_parameters(cli):
    said = cli("ops")
    assert said.code == 0
    lines = [line.strip() for line in said.out.splitlines()]
    for name in OPERATIONS:
        assert any(line.startswith(f"{name} ") for line in lines), name
    assert "degrees 0 to 180, identity 0, default 15" in lines
    assert "hue 0 to 0.5, identity 0, default 0 (needs colour)" in lines
    assert lines.count("grain 0.001953 to 0.25, default 0.03125") == 17
    assert sum(line.startswith("Does not carry over") for line in lines) == 2


@pytest.mark.parametrize("name", OPERATIONS)
def test_ops_shows_one_in_full(cli, name):
    said = cli("ops", name)
    assert said.code == 0
    shown = " ".join(said.out.split())
    assert shown.startswith(name)
    for domain in ("inspection", "satellite", "microscopy", "natural"):
        assert domain in shown
    assert "cost of an image, gate open: " in shown
    assert "effect over that at 32 px: " in shown
    assert ("grain 0.001953 to 0.25 - 0.03125 " in shown) == OPERATIONS[name].grained
    assert "Does not carry over" in shown or not OPERATIONS[name].limits


def test_export_and_preview_say_what_need_not_carry_over(cli):
    Path("policy.yaml").write_text(
        "ops: [{op: gaussian_blur}]\n"
        "found_on: {image_size: 32, fit: crop, mean: [0.5], std: [0.2]}\n"
    )
    note = (
        "policy 'policy' was found at 32 pixels and is used at 96, where it need not mean the "
        "same: gaussian_blur has a sigma of at most 0.32 pixels at 32"
    )
    said = cli("export", "--policy", "policy.yaml", "--to", "kornia", "--image-size", "96")
    assert said.code == 0
    assert f"note: {note}" in " ".join(said.out.split())
    assert f"# Note: {note}" in Path("views_kornia.py").read_text()
    said = cli("preview", "--policy", "policy.yaml", "--image-size", "96")
    assert note in " ".join((said.out + said.err).split())
    said = cli("export", "--policy", "policy.yaml", "--to", "kornia", "--image-size", "32")
    assert "need not" not in said.out


@pytest.mark.parametrize("target", ["kornia", "torchvision"])
def test_export_writes_a_program(cli, target):
    write_files()
    said = cli("export", "--policy", "policy.yaml", "--to", target)
    written = Path(f"views_{target}.py")
    assert (said.code, said.out) == (0, f"wrote {written}\n")
    assert compileall.compile_file(str(written), quiet=1)
    assert "augsearch" not in "".join(
        line for line in written.read_text().splitlines() if "import" in line
    )


@pytest.fixture
def stored(finished_study, tmp_path):
    """The databases of a finished study in this directory."""
    for name in ("augsearch.db", "mlflow.db"):
        shutil.copy(finished_study / name, tmp_path / name)


def test_a_run_leaves_its_files(finished_study):
    left = {path.name for path in (finished_study / "runs/small").iterdir()}
    assert {"policy.yaml", "views.png", "result.json"} <= left


@pytest.mark.usefixtures("stored")
def test_studies_lists_and_shows(cli, finished_study):
    listed = cli("studies")
    assert listed.code == 0
    assert "small" in listed.out
    assert "images" in listed.out
    result = load_result(finished_study / "runs/small")
    (line,) = [one for one in listed.out.splitlines() if one.split()[:1] == ["small"]]
    assert line.rstrip().endswith(result.verdict.badge)
    hardest = {}
    baselines = {p.name for p in result.policies if p.kind == "baseline"}
    for one in result.verdict.differences:
        if one.of.startswith("trial") and one.against in baselines:
            hardest[one.of] = min(one.mean, hardest.get(one.of, 1.0))
    assert f" {points(100 * max(hardest.values()))} " in line
    shown = cli("studies", "show", "small")
    assert shown.code == 0
    assert result.verdict.badge in shown.out
    heads = ("Confirmation: sealed", "Search, complete trials: valid", "Search, baselines: valid")
    places = [shown.out.index(head) for head in heads]
    assert places == sorted(places)
    assert "SimCLR s=1" in shown.out[places[2] :]
    assert ", seed 3" not in shown.out
    every = cli("studies", "show", "small", "--all").out
    assert ", seed 3" in every.partition("Search")[0]


@pytest.mark.long
@pytest.mark.usefixtures("stored")
def test_studies_delete_asks_and_deletes(cli, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.StringIO())  # nobody there to say yes
    refused = cli("studies", "delete", "small")
    assert refused.code == 1
    assert "small" in cli("studies").out
    deleted = cli("studies", "delete", "small", "--yes")
    assert deleted.code == 0
    found = re.fullmatch(
        r"deleted the study 'small' and, in MLflow, (\d+) runs and 1 registered policy\n",
        deleted.out,
    )
    assert found
    assert int(found[1]) > 20
    assert "no study is stored here" in cli("studies").out


@pytest.mark.usefixtures("stored")
def test_studies_clean_deletes_what_is_empty(cli):
    from augsearch.store.database import open_storage
    from augsearch.store.study_store import Store

    Store(open_storage("sqlite:///augsearch.db"), "empty", settings={})
    cached = Path(os.environ["AUGSEARCH_CACHE"]) / "pixels/some"
    cached.mkdir(parents=True)
    (cached / "images.npy").write_bytes(bytes(2**20))
    said = cli("studies", "clean", "--yes")
    assert said.code == 0
    assert "studies without a finished trial: empty" in said.out
    assert "deleted 1 studies and 0 MiB" in said.out, "a run may be working with them"
    assert (
        "deleted 0 studies and 1 MiB" in cli("studies", "clean", "--unused-days", "0", "--yes").out
    )
    assert not cached.exists()
    left = cli("studies").out
    assert "small" in left
    assert "empty" not in left


def test_studies_of_an_empty_directory_makes_no_database(cli):
    for verb in (["studies"], ["studies", "clean", "--yes"]):
        assert cli(*verb).code == 0
    assert "no study is stored here" in cli("studies").out
    assert not Path("augsearch.db").exists()


@pytest.mark.long
def test_interrupted_run_says_how_to_go_on(cli):
    write_files()
    write_images(pit=14, scratch=14)
    study = Path("study.yaml").read_text()
    endless = study.replace("trials: 2", "trials: 5000").replace("width: 4", "width: 8")
    Path("study.yaml").write_text(endless)
    # Where these tests were started in the background, a child would ignore a terminal's Ctrl-C.
    handled = f"import signal; signal.signal(signal.SIGINT, signal.default_int_handler); {MAIN}"
    with Path("said.txt").open("w") as said:
        running = subprocess.Popen(
            [sys.executable, "-u", "-c", handled, *SMALL_RUN],
            stdout=said,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        patience = time.monotonic() + 900
        while "trial 0" not in Path("said.txt").read_text():
            assert running.poll() is None, Path("said.txt").read_text()
            assert time.monotonic() < patience, "no trial in a quarter of an hour"
            time.sleep(0.1)
        os.killpg(running.pid, signal.SIGINT)  # a terminal's Ctrl-C reaches all its processes
        assert running.wait(600) == 130
    finally:
        if running.poll() is None:
            os.killpg(running.pid, signal.SIGKILL)
            running.wait()
    text = Path("said.txt").read_text()
    assert "Traceback" not in text
    again = text.rstrip().splitlines()[-1].split()
    assert again[:2] == ["augsearch", "run"]
    resumed = cli(*again[1:], "--dry-run")
    assert resumed.code == 0, resumed.err
    given = set(zip(SMALL_RUN[1::2], SMALL_RUN[2::2], strict=True))
    assert given < set(zip(again[2::2], again[3::2], strict=True))
