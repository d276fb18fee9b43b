"""Python that files name runs only once its user has named it; listing runs nothing at all."""

import stat
from pathlib import Path

import pytest
from command_line import write_files, write_images
from test_own_ops import OPS, RUN, SPACE

import augsearch
from augsearch.errors import ConfigError
from augsearch.space.trust import trusted_code

RAN = "from pathlib import Path\nPath('ran').touch()\n"
POLICY = "name: theirs\nops:\n  - {op: custom, of: my_ops.py:darkening}\n"
SEEN = ("--data", "images", "--dry-run")
ENCODER = "encoder: {name: custom, file: my_ops.py}\n"


@pytest.fixture(autouse=True)
def files(monkeypatch):
    monkeypatch.delenv("AUGSEARCH_TRUST_CODE")
    write_files()
    write_images(pit=14, scratch=14)
    Path("space.yaml").write_text(SPACE)
    Path("theirs.yaml").write_text(POLICY)
    Path("encoder.yaml").write_text("name: e\n" + ENCODER)
    Path("my_ops.py").write_text(RAN + OPS)


READ = {
    "run": [*RUN, "--dry-run"],
    "preview": ["preview", "--policy", "theirs.yaml", "--data", "images"],
    "export": ["export", "--policy", "theirs.yaml", "--to", "kornia"],
    "an encoder": ["run", "--space", "factory", "--study", "encoder.yaml", *SEEN],
    "pretrain": ["pretrain", "--policy", "theirs.yaml", "--data", "images"],
}


@pytest.mark.parametrize("command", READ.values(), ids=READ)
def test_what_nobody_trusts_does_not_run_and_is_named(cli, command):
    line = cli(*command).refusal
    assert "my_ops.py is Python that would run now" in line
    assert f"augsearch trust {Path('my_ops.py').resolve()}" in line
    assert not Path("ran").exists()


def test_in_python_it_does_not_run_either():
    with pytest.raises(ConfigError, match="is Python that would run now"):
        augsearch.load_policy("theirs.yaml")
    assert not Path("ran").exists()
    augsearch.trust_code("my_ops.py")
    assert augsearch.load_policy("theirs.yaml").ops and Path("ran").exists()


def test_a_file_is_trusted_as_it_is_and_wherever_it_lies(cli):
    assert "may run now" in cli("trust", "my_ops.py").out
    assert cli(*RUN, "--dry-run").code == 0
    Path("elsewhere").mkdir()
    Path("elsewhere/copy.py").write_bytes(Path("my_ops.py").read_bytes())
    Path("elsewhere/p.yaml").write_text(POLICY.replace("my_ops", "copy"))
    assert augsearch.load_policy("elsewhere/p.yaml").name == "theirs"
    Path("my_ops.py").write_text(RAN + OPS + "# more\n")
    assert "would run now" in cli(*RUN, "--dry-run").refusal


def test_a_directory_is_trusted_with_all_that_comes_into_it(cli):
    cli("trust", ".")
    assert cli(*RUN, "--dry-run").code == 0
    Path("my_ops.py").write_text(RAN + OPS + "# more\n")
    assert cli(*RUN, "--dry-run").code == 0
    assert cli("trust").out.split() == [str(Path.cwd())]
    cli("trust", ".", "--forget")
    Path("my_ops.py").write_text(RAN + OPS + "# still more\n")
    assert "would run now" in cli(*RUN, "--dry-run").refusal
    assert trusted_code() == ()


def test_the_environment_trusts_all(cli, monkeypatch):
    monkeypatch.setenv("AUGSEARCH_TRUST_CODE", "1")
    assert cli(*RUN, "--dry-run").code == 0 and Path("ran").exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nowhere.py"], "neither a directory nor a Python file"),
        (["space.yaml"], "neither a directory nor a Python file"),
        (["my_ops.py", "--forget"], "is not trusted; there are none"),
    ],
)
def test_what_cannot_be_trusted_is_one_line(cli, words, said):
    assert said in cli("trust", *words).refusal


def test_a_list_that_is_damaged_or_cannot_be_written_is_one_line(cli):
    path = Path("settings/augsearch/trusted.json")
    path.parent.mkdir(parents=True)
    path.write_text("[")
    assert f"{path.name}: cannot be read; remove it" in cli("trust", "my_ops.py").refusal
    path.unlink()
    path.parent.chmod(stat.S_IRUSR | stat.S_IXUSR)
    path.mkdir()  # which stands in the way for root as well
    line = cli("trust", "my_ops.py").refusal
    assert "cannot be read" in line or "AUGSEARCH_TRUST_CODE=1" in line


@pytest.mark.long
@pytest.mark.parametrize("change", ["gone", "edited", "not trusted any more"])
def test_stored_studies_are_listed_shown_and_deleted_without_running_it(cli, change):
    cli("trust", "my_ops.py")
    assert cli(*RUN).code == 0
    Path("ran").unlink()
    if change == "gone":
        Path("my_ops.py").unlink()
    elif change == "edited":
        Path("my_ops.py").write_text(RAN + "raise SystemExit\n")
    cli("trust", "my_ops.py", "--forget")
    assert "small" in cli("studies").out
    assert "trial 0" in cli("studies", "show", "small").out
    assert cli("studies", "clean", "--yes").code == 0
    assert "deleted the study 'small'" in cli("studies", "delete", "small", "--yes").out
    assert not Path("ran").exists()
