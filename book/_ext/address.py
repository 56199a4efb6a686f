"""Point addresses and buttons at the fork and branch that build the book.

GitHub names them in GITHUB_REPOSITORY and GITHUB_REF_NAME. BOOK_URL says where
the pages will be, where that is not GitHub Pages, and JUPYTERHUB_URL names a
hub for a button of its own. Without an address there is no button, no
canonical link, no sitemap, no social card and no page for lost readers, and
nothing is broken.
"""

import os
import re
from html import escape
from pathlib import Path
from textwrap import shorten
from urllib.parse import quote, urlparse

from docutils import nodes

COLAB = "https://colab.research.google.com"
BINDER = "https://mybinder.org"
FORMS = {
    "GITHUB_REPOSITORY": (r"[\w-][\w.-]*/[\w.-]+", "owner/name"),
    "GITHUB_REF_NAME": (r"\S+", "a branch"),
    "BOOK_URL": (r"https?://[\w.-]+(:\d+)?(/[\w./~-]*)?", "https://..."),
    "JUPYTERHUB_URL": (r"https?://[\w.-]+(:\d+)?(/[\w./~-]*)?", "https://..."),
}


def given(name):
    """Return what the environment says, or stop with what was expected."""
    value, (form, wanted) = os.environ.get(name, ""), FORMS[name]
    if value and not re.fullmatch(form, value):
        raise SystemExit(f"{name}: expected {wanted}, got {value!r}")
    return value


def site(repository):
    """Return where GitHub Pages would show this repository."""
    owner, _, name = repository.partition("/")
    host = f"{owner.lower()}.github.io"
    return f"https://{host}/" + f"{name}/" * (name.lower() != host)


def in_colab(chapter):
    """Return where Colab opens a chapter's copy, or nothing."""
    repository = given("GITHUB_REPOSITORY")
    return repository and (
        f"{COLAB}/github/{repository}/blob/copies/{chapter}.ipynb"
    )


def use_address(app, config):
    """Tell the theme and the extensions where the book and its source are."""
    repository = given("GITHUB_REPOSITORY")
    url = given("BOOK_URL") or (repository and site(repository))
    config.html_baseurl = config.ogp_site_url = url and url.rstrip("/") + "/"
    config.ogp_site_name = config.html_title or config.project
    config.ogp_social_cards = {
        "enable": bool(url),
        "image_mini": "book/images/fit.png",
    }
    config.notfound_urls_prefix = urlparse(url).path
    if not repository:
        return
    config.html_theme_options |= {
        "repository_url": f"https://github.com/{repository}",
        "repository_branch": quote(given("GITHUB_REF_NAME") or "main"),
        "repository_provider": "github",
        "path_to_docs": "",
        "use_source_button": True,
        "launch_buttons": {
            "notebook_interface": "jupyterlab",
            "binderhub_url": BINDER,
            "colab_url": COLAB,
            "jupyterhub_url": given("JUPYTERHUB_URL"),
        },
    }


def describe(app, page, template, context, doctree):
    """Describe a page by its first paragraph, and the first in its title."""
    if page == app.config.root_doc:  # which has the book's name already
        context["title"] = "Learn PyTorch from one tiny problem"
    first = doctree and doctree.next_node(nodes.paragraph)
    if first:
        text = escape(shorten(first.astext(), 160, placeholder=" …"))
        context["metatags"] += f'<meta name="description" content="{text}">'


def mend_buttons(app, page, template, context, doctree):
    """Let the buttons open the copy that is unsolved and needs no other file.

    For those on the network it lies on a branch, copies, that
    .ci/push_copies writes. Written for the buttons' names in
    sphinx-book-theme 1.3.
    """
    repository, file = given("GITHUB_REPOSITORY"), f"{Path(page).name}.ipynb"
    name = repository.partition("/")[2]
    hub = f"{given('JUPYTERHUB_URL').rstrip('/')}/hub/user-redirect/git-pull"
    urls = {
        "Colab": in_colab(Path(page).name),
        "Binder": f"{BINDER}/v2/gh/{repository}/copies"
        f"?urlpath=lab/tree/{file}",
        "JupyterHub": f"{hub}?repo=https%3A//github.com/{repository}"
        f"&urlpath=lab/tree/{name}/{file}&branch=copies",
        ".ipynb": f"{context['pathto']('take', 1)}/{file}",
    }
    for button in context.get("header_buttons", []):
        for item in button.get("buttons", []):
            if item.get("text") in urls:
                item["url"] = urls[item["text"]]


def offer_colab(app, doctree, page):
    """Add the first link's chapter in Colab to the ways to start."""
    for start in doctree.findall(nodes.paragraph):
        if "start" in start["classes"] and given("GITHUB_REPOSITORY"):
            chapter = Path(start.next_node(nodes.reference)["refuri"]).stem
            there = in_colab(chapter)
            start += nodes.Text(" ")
            start += nodes.reference("", "Open it in Colab", refuri=there)


def ask_for_errors(app, page, template, context, doctree):
    """Let readers report an error on a page, at its end."""
    repository = given("GITHUB_REPOSITORY")
    if repository and doctree:
        title = quote(f"An error in {page}")
        there = f"https://github.com/{repository}/issues/new?title={title}"
        context["body"] += (
            f'<p class="report"><a href="{there}">Report an error on this '
            "page</a></p>"
        )


def setup(app):
    """Register the extension, and those that need an address."""
    if given("BOOK_URL") or given("GITHUB_REPOSITORY"):
        app.setup_extension("sphinxext.opengraph")
        app.setup_extension("sphinx_sitemap")
        app.setup_extension("notfound.extension")
        app.config.sitemap_url_scheme = "{link}"
        app.config.sitemap_excludes = ["404*", "genindex*", "search*"]
    app.connect("config-inited", use_address, priority=100)
    app.connect("html-page-context", describe, priority=100)
    app.connect("doctree-resolved", offer_colab)
    app.connect("html-page-context", ask_for_errors)
    app.connect("html-page-context", mend_buttons, priority=900)
    return {"version": "1", "parallel_read_safe": True}
