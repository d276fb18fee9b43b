"""Links of the pages, which are written for a reader of the repository, as the site needs them."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping
from dataclasses import dataclass

FENCE = re.compile(r"(^```.*?^```)", re.MULTILINE | re.DOTALL)
LINK = re.compile(
    r"(?P<picture>!?)\[(?P<text>(?:[^\[\]]|\[[^\]]*\])*)\]\((?P<target>[^)\s]+)(?P<title>[^)]*)\)"
)
SOURCE = re.compile(r"""(?P<before><(?:img|source)[^>]*\b(?:src|srcset)=["'])(?P<target>[^"']+)""")
ELSEWHERE = re.compile(r"[a-z]+:|#|//")


@dataclass(frozen=True)
class Turner:
    """Turns links to files of the repository into links to what the site has.

    Attributes:
        source: the page in the repository, such as `docs/search.md`.
        pages: path in the repository -> path on the site, of what the site shows.
        repository: address of the files that the site does not show; without one, links to them
            become text.
    """

    source: str
    pages: Mapping[str, str]
    repository: str | None

    def turn(self, markdown: str) -> str:
        """A page's Markdown; what stands in fences stays as it is."""
        parts = FENCE.split(markdown)
        parts[::2] = [SOURCE.sub(self._picture, LINK.sub(self._link, part)) for part in parts[::2]]
        return "".join(parts)

    def _link(self, match: re.Match[str]) -> str:
        text, target = match["text"], match["target"]
        if ELSEWHERE.match(target):
            return match[0]
        there, mark, anchor = self._place(target).partition("#")
        if (link := self._on_site(there)) is None:
            if self.repository is None:
                named = text.replace("`", "") in {there, posixpath.basename(there)}
                return f"`{there}`" if named else f"{text} (`{there}`)"
            link = f"{self.repository.rstrip('/')}/blob/main/{there}"
        return f"{match['picture']}[{text}]({link}{mark}{anchor}{match['title']})"

    def _picture(self, match: re.Match[str]) -> str:
        if ELSEWHERE.match(match["target"]):
            return match[0]
        link = self._on_site(self._place(match["target"]))
        return f"{match['before']}{link or match['target']}"

    def _place(self, target: str) -> str:
        """A target as a path in the repository."""
        path, mark, anchor = target.partition("#")
        return posixpath.normpath(posixpath.join(posixpath.dirname(self.source), path)) + (
            mark + anchor
        )

    def _on_site(self, there: str) -> str | None:
        """The link to a file of the repository, if the site has it; files of docs/ are all there,
        and MkDocs says which are not."""
        inside = there.removeprefix("docs/") if there.startswith("docs/") else None
        place = self.pages.get(there, inside)
        if place is None:
            return None
        return posixpath.relpath(place, posixpath.dirname(self.pages[self.source]) or ".")
