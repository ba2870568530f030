"""What an app brings to the platform, all of it said by its own `AppConfig`.

The worker, the frame of the pages, the API, help, logs, backups and the command line ask the installed apps; none of them
names one. An app is a folder and a line: in ``INSTALLED_APPS``, or in ``YIWANG_APPS`` for an app of one installation.
`docs/guide/new-app.md` builds one step by step.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum, IntEnum
from typing import TYPE_CHECKING, Any, TypeVar

from django.apps import AppConfig, apps
from django.http import HttpRequest

from yiwang.core.kernel.text import Text

if TYPE_CHECKING:
    from ninja import Router

    from yiwang.server.common.models import Job

log = logging.getLogger("yiwang.worker")
Stop = Callable[[], bool]
Progress = Callable[[int, int], None]  # takes what is done, and the total
Value = TypeVar("Value")
JobWork = Callable[["Job", Progress], dict[str, Any]]


class Phase(IntEnum):
    """When a chore has its turn, where several are due: first what moves cases on, then what follows from it."""

    WORKS = 0
    FOLLOWS = 1
    CLEANS = 2


@dataclass(slots=True)
class Chore:
    """A periodic task of the worker. It must be safe to be done by two workers at once, and to be killed in the middle.

    Attributes:
        name: As the log says it.
        every: Seconds from one turn to the next.
        do: The work. What it raises is logged, and it is tried again at its next turn.
        phase: When it has its turn among others that are due.
        apart: In a thread of its own: it waits for others, and nothing else shall wait for it.
    """

    name: str
    every: float
    do: Callable[[], object]
    phase: Phase = Phase.FOLLOWS
    apart: bool = False
    next: float = field(default=0.0, init=False)

    def run_if_due(self, now: float) -> None:
        """Do it when its time has come. One that fails is logged and tried again at its next turn."""
        if now < self.next:
            return
        self.next = now + self.every
        try:
            self.do()
        except Exception:
            log.exception("%s failed; it will be tried again", self.name)


Shown = Callable[[HttpRequest, str], bool]  # takes the request and the city


def everybody(_: HttpRequest, __: str) -> bool:
    """Whoever looks at the page."""
    return True


def signed_in(request: HttpRequest, _: str) -> bool:
    """Whoever uses an account."""
    return request.user.is_authenticated


def signed_out(request: HttpRequest, _: str) -> bool:
    """Whoever uses none."""
    return not request.user.is_authenticated


class Group(Enum):
    """Where a link stands in the frame of the pages; the groups follow one another as they are listed here."""

    WORK = Text("办理", "Work")
    CITY = Text("城市", "City")
    RESULTS = Text("成效", "Results")
    PEOPLE = Text("市民", "Citizens")
    RULES = Text("规则与管理", "Rules and administration")

    @property
    def label(self) -> Text:
        return self.value


@dataclass(frozen=True, slots=True, kw_only=True)
class NavigationEntry:
    """A link in the frame of a city's pages.

    Attributes:
        url: Name of the address; its one argument is the city.
        name: What it says.
        group: What it belongs to.
        icon: Beside its name; one of `web/icons.ts`.
        order: Smaller stands further ahead in its group.
        page: The ``page`` of the context for which it is marked as the present one.
        shown: To whom.
    """

    url: str
    name: Text
    group: Group
    icon: str = "file-text"
    order: int
    page: str = ""
    shown: Shown = everybody


@dataclass(frozen=True, slots=True, kw_only=True)
class BarPart:
    """Something in the bar of a city's pages that is always in sight, on a phone too.

    Attributes:
        template: Included there, with the page's context.
        shown: To whom.
    """

    template: str
    shown: Shown = everybody


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """Something that the help page explains, with a link.

    Attributes:
        url: Name of the address; its argument is the city, unless ``citiless``.
    """

    url: str
    title: Text
    text: Text
    citiless: bool = False


class YiwangApp(AppConfig):
    """An app of the platform. Each hook may be left as it is.

    Attributes:
        urls: Module of addresses, included at the root.
        log_secrets: Regular expressions of addresses that must not be written down whole: the first group stays, what
            follows it up to a blank, a slash or a question mark is hidden.
        backup_excludes: Folders of the data folder that a backup leaves out, because they can be made again.
    """

    default = False  # Django takes for an app's configuration whatever class of this kind its `apps` module names
    urls: str = ""
    log_secrets: tuple[str, ...] = ()
    backup_excludes: tuple[str, ...] = ()

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        cls.default = True

    def chores(self, stop: Stop) -> Iterable[Chore]:
        """Periodic tasks of the worker; ``stop`` is to be asked by those that may be long at it."""
        return ()

    def jobs(self) -> Mapping[str, JobWork]:
        """Kinds of background job, and what does one. A job that was killed is begun again, so each must be resumable."""
        return {}

    def commands(self) -> Mapping[str, tuple[str, str]]:
        """Commands of `yiwang`: name → the module that has a click command of that name, and a line of help."""
        return {}

    def correspondents(self) -> Iterable[Any]:
        """Who else is told of what happens to cases: see `cases.api.drain_outbox`."""
        return ()

    def navigation(self) -> Iterable[NavigationEntry]:
        """Links in the frame of a city's pages."""
        return ()

    def bar(self) -> Iterable[BarPart]:
        """What stands in the bar of a city's pages, beside the title."""
        return ()

    def head(self, city: str) -> Mapping[str, str]:
        """What the front end finds in the head of every page of a city: name of a ``<meta>`` element → its content."""
        return {}

    def api_routers(self) -> Iterable[Router]:
        """Routers of the HTTP API, below ``/api/v1``."""
        return ()

    def streams(self) -> Iterable[Any]:
        """Streams of the ledger (`ledger.api.Stream`): kinds of history that are sealed every day."""
        return ()

    def fact_sources(self) -> Iterable[Any]:
        """Tables of facts with where their rows come from (`facts.sources.FactSource`)."""
        return ()

    def glossary(self) -> Iterable[tuple[Text, Text]]:
        """Words that the app brings, each with its meaning."""
        return ()

    def topics(self) -> Iterable[Topic]:
        """What the help page explains."""
        return ()


def installed_apps() -> list[YiwangApp]:
    """The installed apps of the platform, in the order in which they are installed."""
    return [config for config in apps.get_app_configs() if isinstance(config, YiwangApp)]


def chores(stop: Stop) -> list[Chore]:
    """Every periodic task, in the order of their phases."""
    return sorted((chore for app in installed_apps() for chore in app.chores(stop)), key=lambda chore: chore.phase)


def jobs() -> dict[str, JobWork]:
    """Every kind of job.

    Raises:
        ValueError: When two apps bring one kind.
    """
    return _merge((app.jobs() for app in installed_apps()), "kind of job")


def commands() -> dict[str, tuple[str, str]]:
    """Every command that apps bring.

    Raises:
        ValueError: When two apps bring one command.
    """
    return _merge((app.commands() for app in installed_apps()), "command")


def navigation(request: HttpRequest, city: str) -> list[NavigationEntry]:
    """The links for whoever looks at a page of a city, group by group and in order."""
    entries = (entry for app in installed_apps() for entry in app.navigation() if entry.shown(request, city))
    groups = list(Group)
    return sorted(entries, key=lambda entry: (groups.index(entry.group), entry.order))


def bar(request: HttpRequest, city: str) -> list[str]:
    """The templates in the bar, for whoever looks at a page of a city, in the order of the apps."""
    return [part.template for app in installed_apps() for part in app.bar() if part.shown(request, city)]


def head(city: str) -> dict[str, str]:
    """What all apps put into the head of a city's pages.

    Raises:
        ValueError: When two apps bring one name.
    """
    return _merge((app.head(city) for app in installed_apps()), "name of a meta element")


def _merge(parts: Iterable[Mapping[str, Value]], what: str) -> dict[str, Value]:
    found: dict[str, Value] = {}
    for part in parts:
        for name, value in part.items():
            if name in found:
                raise ValueError(f"Two apps bring the {what} {name!r}.")
            found[name] = value
    return found
