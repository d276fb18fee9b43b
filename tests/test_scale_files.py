"""The files of docs/scale: they parse, and the commands in them are ours."""

import re
import shlex
import subprocess
from pathlib import Path

import pytest
import yaml
from test_readme import parse

FILES = Path(__file__).parents[1] / "docs" / "scale"


def commands():
    """Every call of ours in the files, as its words."""
    for file in sorted(FILES.glob("[!.]*")):
        if file.name == "kubernetes.yaml":
            (container,) = containers()
            yield file.name, [*container["command"], *container["args"]]
            continue
        text = file.read_text(encoding="utf-8").replace("\\\n#", " ").replace("\\\n", " ")
        if file.suffix == ".yaml":
            text = "\n".join(
                service["command"] for service in services().values() if "command" in service
            )
        for found in re.findall(r"(?:exec |&& |#\s+|^)(augsearch (?:run|worker) .*)", text, re.M):
            yield file.name, shlex.split(found if found.count('"') % 2 == 0 else found.rstrip('"'))


def services():
    return yaml.safe_load((FILES / "compose.yaml").read_text(encoding="utf-8"))["services"]


def containers():
    job = yaml.safe_load((FILES / "kubernetes.yaml").read_text(encoding="utf-8"))
    assert (job["apiVersion"], job["kind"]) == ("batch/v1", "Job")
    return job["spec"]["template"]["spec"]["containers"]


def test_every_file_has_a_command_of_ours():
    assert {name for name, _ in commands()} == {"compose.yaml", "slurm.sh", "kubernetes.yaml"}
    assert len(list(commands())) == 5


@pytest.mark.parametrize(("name", "words"), list(commands()))
def test_the_commands_parse(name, words):
    parse(words[1:])
    assert re.search(r"--storage[ =](postgresql\+psycopg://|\$\{STORAGE)", " ".join(words)), name


def test_the_slurm_script_is_bash():
    script = FILES / "slurm.sh"
    subprocess.run(["bash", "-n", script], check=True)
    assert "--signal=B:TERM@" in script.read_text(encoding="utf-8")


def test_servers_are_reached_from_this_host_only_and_passwords_are_nowhere():
    ports = [port for service in services().values() for port in service.get("ports", ())]
    assert ports and all(port.startswith("127.0.0.1:") for port in ports)
    for file in FILES.iterdir():
        assert not re.search(r"postgresql[^\s@]*:[^\s/@]+@", file.read_text(encoding="utf-8"))


def test_volumes_and_services_that_are_named_are_there():
    parsed = yaml.safe_load((FILES / "compose.yaml").read_text(encoding="utf-8"))
    for service in services().values():
        for volume in service.get("volumes", ()):
            source = volume.partition(":")[0]
            assert source.startswith(".") or source in parsed["volumes"]
        assert set(service.get("depends_on", ())) <= set(services())
    (container,) = containers()
    job = yaml.safe_load((FILES / "kubernetes.yaml").read_text(encoding="utf-8"))
    volumes = {volume["name"] for volume in job["spec"]["template"]["spec"]["volumes"]}
    assert {mount["name"] for mount in container["volumeMounts"]} == volumes
