"""What MkDocs asks while it builds the site (`mkdocs.yml` names this file).

Pages of the top of the repository join those of docs/, the reference is made from the code, and
links to files that the site does not show lead to the repository or become text.
"""

from __future__ import annotations

import tomllib
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

from tools.docs_site.commands import commands_page
from tools.docs_site.links import Turner
from tools.docs_site.python_api import python_page
from tools.docs_site.settings import policy_page, results_page, space_page, study_page

ROOT = Path(__file__).resolve().parents[2]

TOP = {
    "README.md": "index.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
    "SECURITY.md": "security.md",
}
"""Pages at the top of the repository -> where the site has them."""

MADE = {
    "reference/commands.md": commands_page,
    "reference/study_file.md": study_page,
    "reference/space_file.md": space_page,
    "reference/policy_file.md": policy_page,
    "reference/results.md": results_page,
    "reference/python.md": python_page,
}
"""Pages made from the code."""


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    pages = sorted(path.name for path in (ROOT / "docs" / "evidence").glob("*.md"))
    [evidence] = [entry["Evidence"] for entry in config.nav or [] if "Evidence" in entry]
    evidence += [f"evidence/{name}" for name in pages]
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    for source, place in TOP.items():
        files.append(File.generated(config, place, content=(ROOT / source).read_text("utf-8")))
    for place, page in MADE.items():
        files.append(File.generated(config, place, content=page()))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    del config
    place = page.file.src_uri
    if place in MADE:
        return markdown
    pages = {f"docs/{file.src_uri}": file.src_uri for file in files} | TOP
    source = next((top for top, there in TOP.items() if there == place), f"docs/{place}")
    return Turner(source, pages, _repository()).turn(markdown)


def _repository() -> str | None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    address: str | None = project.get("urls", {}).get("Repository")
    return address
