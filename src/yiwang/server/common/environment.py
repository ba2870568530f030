"""Reads the settings that come from the environment, and refuses a wrong value with a sentence."""

from __future__ import annotations

import importlib.util
import os
import re
import secrets
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import dj_database_url
import dj_email_url
from django.core.exceptions import ImproperlyConfigured

_TRUE, _FALSE = {"1", "true", "yes", "on"}, {"0", "false", "no", "off", ""}
_HOST = re.compile(r"\*|\.?[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*|\[[0-9A-Fa-f:]+\]")
_MINIMUM_SECRET = 32
_LOOPBACK = re.compile(r"localhost|127(\.\d{1,3}){3}|::1")

SQLITE_PRAGMAS = (
    "PRAGMA journal_mode = WAL;"
    # A killed process loses nothing; after a power cut the newest commits may be missing, never half of one.
    "PRAGMA synchronous = NORMAL;"
    "PRAGMA foreign_keys = ON;"
    "PRAGMA temp_store = MEMORY;"
    "PRAGMA mmap_size = 268435456;"
    "PRAGMA cache_size = -32768;"
    "PRAGMA journal_size_limit = 67108864;"
)
# No transaction of ours is long; one that hangs may not hold back the sealing of the ledger.
POSTGRES_OPTIONS = "-c idle_in_transaction_session_timeout=300000"
MAIL_STEP_SECONDS = 20  # for each step of a letter: to connect, to name who gets it, to hand it over


def bad_setting(name: str, value: str, hint: str) -> ImproperlyConfigured:
    """The sentence for a value that cannot be taken."""
    return ImproperlyConfigured(f"{name}={value!r} cannot be used. {hint}")


def flag(name: str, *, default: bool) -> bool:
    """A yes or no."""
    value = os.environ.get(name)
    if value is None:
        return default
    if value.strip().lower() in _TRUE:
        return True
    if value.strip().lower() in _FALSE:
        return False
    raise bad_setting(name, value, "Write 1 or 0.")


def whole(name: str, *, default: int, least: int = 0) -> int:
    """A whole number."""
    value = os.environ.get(name, "").strip()
    if not value:
        return default
    if not value.isdecimal() or int(value) < least:
        raise bad_setting(name, value, f"Write a whole number of at least {least}.")
    return int(value)


def home(name: str = "YIWANG_HOME") -> Path:
    """The data folder, made if it is missing."""
    value = os.environ.get(name) or "var"
    path = Path(value).expanduser().resolve()
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise bad_setting(name, value, f"The folder cannot be made: {error.strerror}.") from error
    private(path)
    if not os.access(path, os.W_OK | os.X_OK):
        raise bad_setting(name, value, "The folder is not writable.")
    return path


def private(path: Path) -> None:
    """Let only the owner read a file or folder of ours, whatever the umask was; one that is somebody else's stays as it is."""
    try:
        found = path.stat()
        if found.st_uid == os.geteuid() and found.st_mode & 0o077:
            path.chmod(0o700 if path.is_dir() else 0o600)
    except FileNotFoundError:
        pass


def secret_key(folder: Path, name: str = "YIWANG_SECRET_KEY") -> str:
    """The secret given, else one made once and kept in the data folder, readable by its owner only."""
    value = os.environ.get(name, "")
    if value:
        if len(value) < _MINIMUM_SECRET:
            # the value itself is never shown
            raise ImproperlyConfigured(
                f"{name} is too short: give at least {_MINIMUM_SECRET} characters, or none to have one made."
            )
        return value
    path = folder / "secret-key"
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        private(path)
    else:
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_urlsafe(48))
    return _secret_in_file(path)


def _secret_in_file(path: Path) -> str:
    """The secret in the file; another process may be about to write it."""
    for _ in range(200):
        found = path.read_text(encoding="ascii").strip()
        if len(found) >= _MINIMUM_SECRET:
            return found
        _pause()
    raise ImproperlyConfigured(f"{path} holds no usable secret. Remove the file, and a new one is made.")


def _pause() -> None:
    import time

    time.sleep(0.01)


def allowed_hosts(name: str = "YIWANG_ALLOWED_HOSTS") -> list[str]:
    """Host names under which the site may be called."""
    value = os.environ.get(name, "")
    hosts = [part for part in re.split(r"[,\s]+", value) if part]
    for host in hosts:
        if not _HOST.fullmatch(host):
            raise bad_setting(
                name, value, f"{host!r} is no host name; write names separated by commas, without scheme or port."
            )
    return hosts or ["localhost", "127.0.0.1", "[::1]"]


def database(folder: Path, name: str = "YIWANG_DATABASE_URL") -> dict[str, Any]:
    """Django's description of the database: SQLite in the data folder unless a URL says otherwise."""
    value = os.environ.get(name, "").strip()
    hint = "Write postgresql://user:password@host:5432/name or sqlite:////absolute/path."
    if not value:
        value = f"sqlite:///{folder / 'yiwang.sqlite3'}"
    if urlsplit(value).scheme not in {"sqlite", "postgresql", "postgres"}:
        raise bad_setting(name, _without_password(value), hint)
    try:
        found: dict[str, Any] = dict(dj_database_url.parse(value))
    except (ValueError, KeyError) as error:
        raise bad_setting(name, _without_password(value), hint) from error
    if not found.get("NAME"):
        raise bad_setting(name, _without_password(value), hint)
    if found["ENGINE"].endswith("sqlite3"):
        return sqlite(Path(found["NAME"]) if found["NAME"] != ":memory:" else None)
    found["CONN_MAX_AGE"] = 600
    found["CONN_HEALTH_CHECKS"] = True
    options = found.setdefault("OPTIONS", {})
    options["options"] = f"{options.get('options', '')} {POSTGRES_OPTIONS}".strip()
    return found


def sqlite(path: Path | None) -> dict[str, Any]:
    """A SQLite database whose writers queue up front (BEGIN IMMEDIATE) rather than fail in the middle.

    The file is made here, since SQLite would make it readable by all; what it lays beside it (-wal, -shm) takes after it.
    """
    if path is not None and path.parent.is_dir():
        with suppress(FileExistsError, PermissionError):
            os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        for end in ("", "-wal", "-shm"):
            private(path.with_name(path.name + end))
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": str(path) if path else ":memory:",
        "CONN_MAX_AGE": None,
        "OPTIONS": {"timeout": 30, "transaction_mode": "IMMEDIATE", "init_command": SQLITE_PRAGMAS},
    }


def local_apps(name: str = "YIWANG_APPS") -> list[str]:
    """The apps of this installation alone, by the names of their packages, separated by commas or spaces.

    Raises:
        ImproperlyConfigured: A package of that name cannot be found.
    """
    found = [part for part in re.split(r"[,\s]+", os.environ.get(name, "")) if part]
    for app in found:
        try:
            known = importlib.util.find_spec(app) is not None
        except (ImportError, ValueError):
            known = False
        if not known:
            raise bad_setting(name, app, "Name packages that Python can import, such as `harbour` or `city.harbour`.")
    return found


def address(name: str, *, schemes: set[str], hint: str) -> str:
    """A URL of one of some schemes, or nothing."""
    value = os.environ.get(name, "").strip()
    if not value:
        return ""
    try:
        parts = urlsplit(value)
        usable = parts.scheme in schemes and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        usable = False
    if not usable:
        raise bad_setting(name, _without_password(value), hint)
    return value


def publish_roots(name: str = "YIWANG_PUBLISH_ROOTS") -> list[str]:
    """Where each day's root is published: ``file``, ``mailto:`` addresses and ``https://`` URLs, separated by commas or spaces."""
    value = os.environ.get(name)
    targets = [part for part in re.split(r"[,\s]+", "file" if value is None else value) if part]
    for target in targets:
        parts = urlsplit(target)
        mail = parts.scheme == "mailto" and re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", parts.path)
        if (
            not (target == "file" or mail or (parts.scheme in {"http", "https"} and parts.hostname))
            or len(target) > 500
        ):
            raise bad_setting(
                name, _without_password(target), "Write file, mailto:someone@example.org or https://host/path."
            )
    return targets


def gateway(name: str = "YIWANG_NOTICES_GATEWAY") -> tuple[str, str]:
    """The gateway to which notices go, and the secret that signs them; two empty texts for none. The secret is never shown.

    Raises:
        ImproperlyConfigured: An address that could be listened to, one without a secret, or a secret too short to sign with.
    """
    value = address(name, schemes={"http", "https"}, hint="Write https://gateway.example/path, or nothing for none.")
    secret = os.environ.get("YIWANG_NOTICES_SECRET", "").strip()
    if not value:
        return "", ""
    parts = urlsplit(value)
    if parts.scheme != "https" and not _LOOPBACK.fullmatch(parts.hostname or ""):
        raise bad_setting(name, _without_password(value), "Only https, or http to this machine itself (127.0.0.1).")
    if parts.username or parts.password:
        raise bad_setting(
            name, _without_password(value), "The signature says who calls: give YIWANG_NOTICES_SECRET, no password."
        )
    if len(secret) < _MINIMUM_SECRET:
        raise ImproperlyConfigured(
            f"YIWANG_NOTICES_SECRET is missing or too short: {name} needs one of at least {_MINIMUM_SECRET} characters."
        )
    return value, secret


def basemaps(name: str = "YIWANG_BASEMAPS") -> str:
    """The file that names maps of others, or nothing. The setting that came before it is refused rather than overlooked."""
    if os.environ.get("YIWANG_TILES_URL"):
        raise ImproperlyConfigured(
            f"YIWANG_TILES_URL is no setting any more. Name the service in a file, and the file in {name}: "
            "see docs/reference/basemap.md."
        )
    value = os.environ.get(name, "").strip()
    if value and not Path(value).expanduser().is_file():
        raise bad_setting(name, value, "There is no such file.")
    return value


def email(name: str = "YIWANG_EMAIL_URL") -> dict[str, Any]:
    """Django's e-mail settings; without a URL mail is written to the log."""
    value = os.environ.get(name, "").strip()
    hint = "Write smtp://user:password@host:587/?tls=True, or nothing to have mail logged."
    if value and urlsplit(value).scheme not in {
        "smtp",
        "smtps",
        "submission",
        "console",
        "consolemail",
        "file",
        "filemail",
        "memory",
        "dummy",
    }:
        raise bad_setting(name, _without_password(value), hint)
    try:
        found = dict(dj_email_url.parse(value or "console://"))
    except (ValueError, KeyError) as error:
        raise bad_setting(name, _without_password(value), hint) from error
    keys = (
        "EMAIL_BACKEND", "EMAIL_HOST", "EMAIL_PORT", "EMAIL_HOST_USER", "EMAIL_HOST_PASSWORD", "EMAIL_USE_TLS",
        "EMAIL_USE_SSL", "EMAIL_TIMEOUT", "EMAIL_FILE_PATH",
    )  # fmt: skip
    settings = {key: found[key] for key in keys if found.get(key) is not None}
    if settings["EMAIL_BACKEND"].endswith("console.EmailBackend"):  # no log shall say who follows what
        settings["EMAIL_BACKEND"] = "yiwang.server.common.console.EmailBackend"
    if found["EMAIL_BACKEND"].endswith("smtp.EmailBackend"):
        settings.setdefault("EMAIL_TIMEOUT", MAIL_STEP_SECONDS)  # without one a silent server is waited for for ever
    if settings.get("EMAIL_HOST") is None and found["EMAIL_BACKEND"].endswith("smtp.EmailBackend"):
        raise bad_setting(name, _without_password(value), hint)
    return settings


def _without_password(url: str) -> str:
    return re.sub(r"//([^:/@]*):[^@]*@", r"//\1:***@", url)
