"""Links lead to files and headings that are there, and every page is reached from the README."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.docs.pages import PAGES

LINK = re.compile(r"\]\((?!https?:)([^)#]*)#?([^)]*)\)")


def prose_of(page: Path) -> str:
    """Give a page without its blocks of code, whose comments look like headings."""
    return re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)


def anchor_of(heading: str) -> str:
    """Give what GitHub makes of a heading: no punctuation, and hyphens for blanks."""
    return re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for link, anchor in LINK.findall(prose_of(page)):
        target = page.parent / link if link else page
        assert target.exists(), link
        if anchor:
            assert anchor in map(anchor_of, re.findall(r"^#+ (.+)$", prose_of(target), re.MULTILINE)), (link, anchor)


def test_every_page_is_reached_from_the_readme() -> None:
    readme = PAGES[0]
    linked = {(readme.parent / link).resolve() for link, _ in LINK.findall(prose_of(readme)) if link}
    assert {page for page in PAGES if page != readme} <= linked
