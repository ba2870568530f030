"""PDF files over HTTP: the language of an address, and the answer that carries one."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.utils import translation

LANGUAGES = {"zh": "zh-hans", "en": "en"}


def language_of(request: HttpRequest) -> str:
    """The language of ``?lang=``, else that of the page."""
    return LANGUAGES.get(request.GET.get("lang", ""), translation.get_language() or "zh-hans")


def pdf_answer(content: bytes, *, name: str) -> HttpResponse:
    """A PDF that the browser shows, and keeps as ``name`` without its ending; nobody else may store it."""
    answer = HttpResponse(content, content_type="application/pdf")
    answer["Content-Disposition"] = f'inline; filename="{name}.pdf"'
    answer["Cache-Control"] = "private, no-store"
    return answer
