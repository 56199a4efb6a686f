"""Chromium, or Chrome, where this machine has one."""

import contextlib
import os
import shutil

from playwright.sync_api import Error, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome")


class NoBrowser(Exception):
    """There is none on this machine: the message says what to do."""


@contextlib.contextmanager
def chromium():
    """Start the browser; give Playwright's object for it; close it."""
    found = filter(None, map(shutil.which, NAMES))
    path = os.environ.get("CHROMIUM") or next(found, None)
    where = {"executable_path": path} if path else {"channel": "chrome"}
    with sync_playwright() as playwright:
        try:
            browser = playwright.chromium.launch(**where)
        except Error as error:
            raise NoBrowser(
                f"no browser: install Chromium or Chrome, or set CHROMIUM to "
                f"its program ({str(error).splitlines()[0]})"
            ) from error
        yield browser
        browser.close()
