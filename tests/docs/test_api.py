"""docs/api.md is what the docstrings say, and says something of every public name."""

from __future__ import annotations

import importlib.util
import re

import pytest

from tests.docs.pages import PROJECT

SPEC = importlib.util.spec_from_file_location("make_api", PROJECT / "docs" / "make_api.py")
assert SPEC is not None
assert SPEC.loader is not None
make_api = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(make_api)
PAGE = make_api.PAGE.read_text(encoding="utf-8")


def test_page_is_made_from_the_docstrings() -> None:
    assert make_api.page() == PAGE, "write it anew with `python docs/make_api.py`"


@pytest.mark.parametrize("module", make_api.MODULES)
def test_every_public_name_says_what_it_is(module: str) -> None:
    for name in make_api.public_names(module):
        text = re.split(r"^#{2,4} ", PAGE.split(f"### {module}.{name}\n", 1)[1], maxsplit=1, flags=re.MULTILINE)[0]
        words = re.sub(r"^`.*`$", "", text, flags=re.MULTILINE).strip()
        assert words, f"{module}.{name} has no docstring"


def test_every_method_says_what_it_does() -> None:
    methods = re.findall(r"^#### (.+)\n\n`.*`\n\n(.*)", PAGE, re.MULTILINE)
    assert len(methods) > 50
    assert [name for name, words in methods if not words.strip() or words.startswith("#")] == []
