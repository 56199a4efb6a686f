"""What the pages of prose say is so: numbers, names, links to files."""

import re

import pytest

import prose
from conftest import PROSE


@pytest.mark.parametrize("path", PROSE)
def test_what_a_page_says_and_links_to_is_there(path):
    # in references numbers name works; measured has what make load printed
    names = ("references", "measured")
    assert path.stem in names or not prose.unexplained(*prose.page(path))
    assert not prose.missing_names(*prose.page(path))
    text = path.read_text(encoding="utf-8")
    for link in re.findall(r"\]\(([^):#]+)[)#]", text):
        assert (path.parent / link).exists(), link
