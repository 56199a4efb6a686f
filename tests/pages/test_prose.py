"""What the pages of prose say is so: numbers, names, links to files."""

import re

import pytest

import prose
from conftest import PROSE

each_page = pytest.mark.parametrize("path", PROSE)


@each_page
def test_what_a_page_says_is_in_a_chapter(path):
    # in references numbers name works; make measure wrote measured
    names = ("references", "measured")
    assert path.stem in names or not prose.unexplained(*prose.page(path))
    assert not prose.missing_names(*prose.page(path))


@each_page
def test_files_that_a_page_links_to_are_there(path):
    text = path.read_text(encoding="utf-8")
    for link in re.findall(r"\]\(([^):#]+)[)#]", text):
        assert (path.parent / link).exists(), link
