"""Gather the teacher's notes of all chapters: the directive teaching-notes.

They stand in the chapters, in cells tagged teacher, each after what it is
about. The book leaves them out of the chapters' own pages. Without this
extension nobody reads them there.
"""

import re
from pathlib import Path

import nbformat
from docutils import nodes
from sphinx.util.docutils import SphinxDirective

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"


class TeachingNotes(SphinxDirective):
    """Show the notes, each under its chapter's title and minutes."""

    def run(self):
        """Return the notes as nodes."""
        lines = []
        for path in sorted(NOTEBOOKS.glob("[0-9]*.ipynb")):
            self.env.note_dependency(str(path))
            cells = nbformat.read(path, as_version=4).cells
            title = cells[0].source.splitlines()[0][2:]
            minutes = re.search(r"\*\*Time\*\* (.+)", cells[0].source)[1]
            lines += [f"**{int(path.stem[:2])}. {title}**: {minutes}", ""]
            for cell in cells:
                if "teacher" in cell.metadata.get("tags", []):
                    lines += cell.source.splitlines()[2:]
            lines.append("")
        notes = self.parse_text_to_nodes("\n".join(lines))
        return [nodes.container("", *notes, classes=["teaching-notes"])]


def setup(app):
    """Register the directive."""
    app.add_directive("teaching-notes", TeachingNotes)
    return {"version": "1", "parallel_read_safe": True}
