"""What tests of reports share: how many trials the reported study has, and a page's text."""

import html

TRIALS = 6


def text_of(page):
    """The page without plotly's script, its characters as people read them."""
    return html.unescape(page.read_text(encoding="utf-8").partition("<noscript>")[0])
