"""What several test files share."""

import pathlib
import shutil
import sys

import matplotlib.pyplot as plt
import pytest

NOTEBOOKS = pathlib.Path(__file__).parents[1] / "notebooks"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Return a copy of the notebooks' folder, in which Python now runs."""
    copy = tmp_path / "notebooks"
    shutil.copytree(NOTEBOOKS, copy)
    monkeypatch.chdir(copy)
    monkeypatch.syspath_prepend(copy)
    monkeypatch.setattr(plt, "show", lambda: plt.close("all"))
    for module in ("sinefit", "polynomial"):
        monkeypatch.delitem(sys.modules, module, raising=False)
    return copy
