"""The bulletin on targets, as a page and as a file, for everybody: it is about letters in force."""

from __future__ import annotations

from datetime import UTC, datetime

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import translation
from django.views.decorators.http import require_GET

from yiwang.server.cities.finding import city_or_404
from yiwang.server.common.paper import language_of, pdf_answer
from yiwang.server.targets.bulletin import bulletin_of


@require_GET
def page(request: HttpRequest, city: str, year: int) -> HttpResponse:
    """The bulletin of a year."""
    place = city_or_404(city)
    found = bulletin_of(place, year)
    context = {"city": place.info, "page": "targets", "bulletin": found, "lines": found.lines(place), "year": year}
    return render(request, "targets/bulletin.html", context)


@require_GET
def file_pdf(request: HttpRequest, city: str, year: int) -> HttpResponse:
    """The same as a PDF, in the language of the page or of ``?lang=``."""
    from yiwang.server.targets.bulletin_pdf import (
        bulletin_pdf,
    )  # here, so that a start does not wait for fpdf and its fonts

    place = city_or_404(city)
    with translation.override(language_of(request)):
        content = bulletin_pdf(bulletin_of(place, year), place=place, now=datetime.now(UTC))
    return pdf_answer(content, name=f"{city}-targets-{year}")
