"""Rounds of a survey, the cases that were drawn for them, and the history that the ledger seals."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils import timezone

from yiwang.server.ledger.api import ChainedEvent


class SurveyRound(models.Model):
    """One questionnaire, put to the reporters of cases that were closed in a period and drawn by lot.

    Attributes:
        key: Stands in addresses, unique in the city.
        questionnaire, version, digest: By which version of which questionnaire, and what that one asks (`Questionnaire.digest`).
        tries, least_response: As the questionnaire had them when the round began.
        closed_from, closed_to: First and last day, in the city, on which the cases were closed.
        strata: Level of the regions within which cases are drawn.
        plan: As `yiwang inspect plan` writes it; places are numbers of cases.
        commitment: What was published before the draw.
        seed: 32 bytes as hexadecimal text; secret until the end.
        beacon_value: Value of the public number that the plan names.
        ends: Last day on which answers are taken, in the city.
    """

    class Step(models.TextChoices):
        COMMITTED = "committed"
        DRAWN = "drawn"
        CLOSED = "closed"
        DROPPED = "dropped"

    city = models.CharField(max_length=40)
    key = models.CharField(max_length=60)
    name = models.CharField(max_length=100)
    name_en = models.CharField(max_length=100, blank=True)
    questionnaire = models.CharField(max_length=40)
    version = models.CharField(max_length=40)
    digest = models.CharField(max_length=64)
    tries = models.PositiveSmallIntegerField()
    least_response = models.FloatField()
    closed_from = models.DateField()
    closed_to = models.DateField()
    strata = models.CharField(max_length=40)
    plan = models.JSONField()
    commitment = models.CharField(max_length=64)
    seed = models.CharField(max_length=64)
    beacon_value = models.CharField(max_length=200, blank=True)
    ends = models.DateField()
    step = models.CharField(max_length=10, choices=Step.choices, default=Step.COMMITTED)
    by = models.CharField(max_length=150)
    committed_at = models.DateTimeField(default=timezone.now)
    drawn_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]
        constraints = [models.UniqueConstraint(fields=["city", "key"], name="survey_round_once")]


class DrawnCase(models.Model):
    """A case that was drawn, and what became of it. Who reported it stands with the case and is not copied here.

    Attributes:
        case: Its number.
        stratum, weight: As it was drawn; the weight is that of the design.
        alias: Random; names the answers in tables of facts, so that nobody finds the case by them, and salts their digest.
        disposition: See `yiwang.core.surveys.estimating.Disposition`.
        way: How it was answered: ``link`` or ``telephone``.
        tries: How often an interviewer did not reach the person.
        answers: By question; empty unless it was answered.
        says: What the answers say of each rate, as the questionnaire counted when they were given.
        link: Keyed hash of the secret in the citizen's link; the secret is not kept. None where there is no link.
        by: User name of who recorded it last; empty for the citizen.
    """

    round = models.ForeignKey(SurveyRound, on_delete=models.CASCADE, related_name="cases")
    case = models.CharField(max_length=40)
    stratum = models.CharField(max_length=40)
    weight = models.FloatField()
    alias = models.CharField(max_length=32, unique=True)
    disposition = models.CharField(max_length=12, blank=True)
    way = models.CharField(max_length=10, blank=True)
    tries = models.PositiveSmallIntegerField(default=0)
    answers = models.JSONField(default=dict)
    says = models.JSONField(default=dict)
    link = models.CharField(max_length=64, null=True)  # noqa: DJ001 - unique among those that there are
    by = models.CharField(max_length=150, blank=True)
    recorded_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["round", "case"], name="drawn_case_once"),
            models.UniqueConstraint(fields=["link"], condition=Q(link__isnull=False), name="survey_link_once"),
        ]


class SurveyEvent(ChainedEvent):
    """What happened in a round, which is the subject by its key: ``committed``, ``drawn``, ``linked``, ``answered``, ``refused``,
    ``not_reached``, ``closed`` or ``dropped``."""
