"""Links of the pages, which are written for a reader of the repository, as the site needs them."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping

LINK = re.compile(
    r"(?P<picture>!?)\[(?P<text>(?:[^\[\]]|\[[^\]]*\])*)\]\((?P<target>[^)\s]+)(?P<title>[^)]*)\)"
)
CODE = re.compile(r"^```.*?^```|`[^`\n]+`", re.MULTILINE | re.DOTALL)


def for_the_site(
    markdown: str, source: str, pages: Mapping[str, str], repository: str | None
) -> str:
    """A page's Markdown with its links turned from files of the repository to what the site has.

    Args:
        markdown: the page.
        source: its path in the repository, such as `docs/search.md`.
        pages: path in the repository -> path on the site, of what the site shows.
        repository: address of the files that the site does not show; without one their links
            become text.
    """

    def turned(match: re.Match[str]) -> str:
        target, text = match["target"], match["text"]
        if re.match(r"[a-z]+:|#|//", target):
            return match[0]
        path, mark, anchor = target.partition("#")
        there = posixpath.normpath(posixpath.join(posixpath.dirname(source), path))
        if there in pages:
            here = posixpath.dirname(pages[source])
            link = posixpath.relpath(pages[there], here or ".")
        elif there.startswith("docs/"):
            here = posixpath.dirname(pages[source])
            link = posixpath.relpath(there.removeprefix("docs/"), here or ".")
        elif repository:
            link = f"{repository.rstrip('/')}/blob/main/{there}"
        else:
            plain = text.replace("`", "").strip() in {there, posixpath.basename(there)}
            return f"`{there}`" if plain else f"{text} (`{there}`)"
        return f"{match['picture']}[{text}]({link}{mark}{anchor}{match['title']})"

    parts, end = [], 0
    for code in CODE.finditer(markdown):
        # A link's text may hold code, so only blocks and spans outside of links are left alone.
        if code[0].startswith("```"):
            parts += [LINK.sub(turned, markdown[end : code.start()]), code[0]]
            end = code.end()
    return "".join([*parts, LINK.sub(turned, markdown[end:])])
