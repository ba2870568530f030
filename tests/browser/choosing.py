"""Choosing in a combobox as a person does: type, wait for the list, click."""

from __future__ import annotations

from playwright.sync_api import Locator, Page


def unfold(details: Locator) -> None:
    """Open a verb's form, unless it stands open already."""
    if details.get_attribute("open") is None:
        details.locator("summary").click()


def choose(page: Page, field: str, words: str, *, named: str = "") -> None:
    """Type into the combobox with this id and take the first option, or the one that is called so."""
    page.fill(f"#{field}", words)
    options = page.locator(f"#{field}-list [role=option]")
    option = options.filter(has_text=named).first if named else options.first
    option.click()


def enter(form: Locator, name: str, value: str) -> None:
    """Fill a field of a verb's form, whatever kind it is; what a combobox holds is given by its code."""
    field = form.locator(f'[name="{name}"]')
    if field.evaluate("field => field.tagName") == "SELECT":
        field.select_option(value)
    elif field.get_attribute("type") == "hidden":
        box = field.locator("xpath=..")
        box.locator("input:not([type=hidden])").fill(value)
        box.locator(f'[role=option][data-code="{value}"]').click()
    else:
        field.fill(value)
