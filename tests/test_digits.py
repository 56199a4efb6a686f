"""No printed number sits so close to its rounding edge that it might flip."""

import ast
import pathlib

import pytest

import sinefit
from runner import code_cells, run

NOTEBOOKS = pathlib.Path(__file__).parents[1] / "notebooks"
# What two machines may differ by, with room for differences of numbers.
TOLERANCE = 1e-10


class Watch(ast.NodeTransformer):
    """See each number that an f-string formats, and keep those on an edge."""

    def __init__(self):
        self.seen, self.on_edge = 0, []

    def visit_FormattedValue(self, node):
        """Let see() do the formatting, where digits are cut."""
        self.generic_visit(node)
        if node.format_spec is None:
            return node
        name = ast.Name("_watch", ast.Load())
        call = ast.Call(name, [node.value, node.format_spec], [])
        return ast.FormattedValue(call, -1, None)

    def see(self, value, spec):
        """Return the formatted value; note it if its neighbours look other."""
        text = format(value, spec)
        if spec[-1:] in "efg":
            self.seen += 1
            number = value.item() if hasattr(value, "item") else value
            # a number that is fixed after the point may come close to zero
            least = 1e-2 if spec[-1] == "f" else 0
            shift = TOLERANCE * max(abs(number), least)
            for near in (number - shift, number + shift):
                if format(near, spec) != text:
                    self.on_edge.append(f"{text!r} is {number!r}")
        return text


@pytest.mark.parametrize(
    "path", sorted(NOTEBOOKS.glob("0*.ipynb")), ids=lambda path: path.stem
)
def test_numbers_keep_off_their_edges_and_hold_in_a_second_run(path, folder):
    watch = Watch()
    cells = code_cells(folder / path.name)
    run(cells + cells, compare=True, watch=watch)  # twice, as readers do
    assert watch.seen > 20
    assert not watch.on_edge


def test_an_edge_is_seen():
    watch = Watch()
    watch.see(0.25 + 1e-13, ".1f")
    watch.see(-1e-17, ".4f")
    assert len(watch.on_edge) == 2


@pytest.mark.parametrize("rtol", [1e-12, 1e-4])
def test_the_check_prints_no_more_digits_than_it_checks(rtol, capsys):
    losses, weights = sinefit.predict()
    said = set()
    for factor in (1 - 0.9 * rtol, 1, 1 + 0.9 * rtol):
        sinefit.check(losses * factor, weights, rtol=rtol)
        lines = capsys.readouterr().out.splitlines()
        said.add(tuple(line for line in lines if "difference" not in line))
    assert len(said) == 1
