"""The wheel carries the presets, and an installed package finds them from any directory."""

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
UV = os.environ.get("UV") or shutil.which("uv")

needs_uv = pytest.mark.skipif(UV is None, reason="building a wheel needs uv on the PATH")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    directory = tmp_path_factory.mktemp("wheel")
    built = subprocess.run(
        [str(UV), "build", "--wheel", "--out-dir", str(directory), str(ROOT)],
        capture_output=True,
        text=True,
        check=False,
    )
    if built.returncode and "hatchling" in built.stderr and "Failed to fetch" in built.stderr:
        pytest.skip("building a wheel needs the network once, to fetch hatchling")
    assert built.returncode == 0, built.stderr
    (found,) = directory.glob("*.whl")
    return found


def names_in(wheel: Path, folder: str) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        files = [Path(name) for name in archive.namelist()]
    return {file.name for file in files if file.parent == Path(folder)}


@needs_uv
@pytest.mark.parametrize("kind", ["spaces", "studies"])
def test_wheel_holds_the_presets(wheel, kind):
    presets = {path.name for path in (ROOT / kind).glob("*.yaml")}
    assert presets
    assert names_in(wheel, f"augsearch/presets/{kind}") == presets


@needs_uv
def test_wheel_holds_the_package_and_nothing_beside_it(wheel):
    with zipfile.ZipFile(wheel) as archive:
        tops = {Path(name).parts[0].split("-")[0] for name in archive.namelist()}
    assert tops == {"augsearch"}


@needs_uv
def test_presets_are_found_in_the_unpacked_wheel(wheel, tmp_path):
    package, elsewhere = tmp_path / "package", tmp_path / "elsewhere"
    elsewhere.mkdir()
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(package)
    program = (
        "import augsearch\n"
        "from augsearch.space.presets import find_config\n"
        "print(augsearch.__file__)\n"
        "print(find_config('factory.yaml', 'spaces'))\n"
        "print(find_config('quick', 'studies'))\n"
    )
    said = subprocess.run(
        [sys.executable, "-c", program],
        cwd=elsewhere,
        env={**os.environ, "PYTHONPATH": str(package)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert said.stdout.splitlines() == [
        str(package / "augsearch/__init__.py"),
        str(package / "augsearch/presets/spaces/factory.yaml"),
        str(package / "augsearch/presets/studies/quick.yaml"),
    ]


@needs_uv
@pytest.mark.slow
def test_an_installed_wheel_runs_from_any_directory(wheel, tmp_path):
    environment, elsewhere = tmp_path / "environment", tmp_path / "elsewhere"
    elsewhere.mkdir()
    program = environment / "bin/augsearch"
    install = ["pip", "install", "--python", environment / "bin/python", wheel]
    subprocess.run([UV, "venv", "--python", sys.executable, environment], check=True)
    subprocess.run([UV, *install, "--constraint", ROOT / "constraints.txt"], check=True)
    said = subprocess.run(
        [program, "run", "--space", "factory.yaml", "--dry-run"],
        cwd=elsewhere,
        env={key: value for key, value in os.environ.items() if key != "PYTHONPATH"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert said.returncode == 0, said.stderr
    assert "expected: about" in said.stdout
    assert list(elsewhere.iterdir()) == []
