"""Django's settings. What an installation may change comes from the environment, see ``common.environment``."""

from __future__ import annotations

from pathlib import Path

from yiwang.server.basemap import chosen
from yiwang.server.common import catalogues, environment

YIWANG_HOME = environment.home()
# Maps of others under the cities, instead of those that packs bring; pages may ask their hosts.
YIWANG_BASEMAPS = chosen.read_maps("YIWANG_BASEMAPS", environment.basemaps())
YIWANG_MAP_HOSTS = tuple(dict.fromkeys(host for one in YIWANG_BASEMAPS for host in one.hosts))
# Under which address people reach the site, for links in messages; empty: the one under which they reported.
YIWANG_PUBLIC_URL = environment.address(
    "YIWANG_PUBLIC_URL", schemes={"http", "https"}, hint="Write https://city.example, or nothing."
)
# Where each day's root of the ledger goes; only what lies out of reach of this machine's owner binds them.
YIWANG_PUBLISH_ROOTS = environment.publish_roots()
YIWANG_MQTT_URL = environment.address(
    "YIWANG_MQTT_URL", schemes={"mqtt", "mqtts"}, hint="Write mqtt://user:password@host:1883, or nothing for no broker."
)
# Where subscribers reach the broker, as SensorThings says it at its root; nothing says that there is none for them.
YIWANG_MQTT_PUBLIC_URL = environment.address(
    "YIWANG_MQTT_PUBLIC_URL", schemes={"mqtt", "mqtts"}, hint="Write mqtts://city.example:8883, or nothing."
)
# Anonymous reports that one address may send in a minute to one worker process; 0 is no limit.
YIWANG_REPORTS_PER_MINUTE = environment.whole("YIWANG_REPORTS_PER_MINUTE", default=60)
# Requests without a token that SensorThings answers an address in a minute; 0 is no limit.
YIWANG_SENSORTHINGS_PER_MINUTE = environment.whole("YIWANG_SENSORTHINGS_PER_MINUTE", default=600)
# Largest body of a request, all files together; larger ones are refused before they are read.
YIWANG_UPLOAD_BYTES = environment.whole("YIWANG_UPLOAD_BYTES", default=100_000_000, least=1000)
# A session ends so long after signing in, and when nobody has done anything for so long (0: never for that).
YIWANG_KEY_DAYS = environment.whole("YIWANG_KEY_DAYS", default=30, least=1)
YIWANG_CONTACT_DAYS = environment.whole("YIWANG_CONTACT_DAYS", default=180)
YIWANG_SESSION_HOURS = environment.whole("YIWANG_SESSION_HOURS", default=12, least=1)
YIWANG_IDLE_MINUTES = environment.whole("YIWANG_IDLE_MINUTES", default=120)
YIWANG_PHOTO_BYTES = environment.whole("YIWANG_PHOTO_BYTES", default=12_000_000, least=1000)

# Where messages by SMS or WeChat go, and what they are signed with; none of both for no such channel.
YIWANG_NOTICES_GATEWAY, YIWANG_NOTICES_SECRET = environment.gateway()

SECRET_KEY = environment.secret_key(YIWANG_HOME)
DEBUG = environment.flag("YIWANG_DEBUG", default=False)
ALLOWED_HOSTS = environment.allowed_hosts()
# Behind a proxy that ends TLS; only then are cookies marked secure and HTTP sent to HTTPS.
YIWANG_HTTPS = environment.flag("YIWANG_HTTPS", default=False)

DATABASES = {"default": environment.database(YIWANG_HOME)}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "ninja",
    "django_tasks",
    "django_tasks_db",
    "yiwang.server.common",
    "yiwang.server.people",
    "yiwang.server.cities",
    "yiwang.server.basemap",
    "yiwang.server.assets",
    "yiwang.server.ledger",
    "yiwang.server.cases",
    "yiwang.server.sensing",
    "yiwang.server.imports",
    "yiwang.server.verification",
    "yiwang.server.facts",
    "yiwang.server.inspections",
    "yiwang.server.surveys",
    "yiwang.server.inventory",
    "yiwang.server.irregularities",
    "yiwang.server.lists",
    "yiwang.server.honours",
    "yiwang.server.projects",
    "yiwang.server.targets",
    "yiwang.server.sensors",
    "yiwang.server.sensorthings",
    "yiwang.server.mqtt",
    "yiwang.server.simulated",
    "yiwang.server.casepage",
    "yiwang.server.centre",
    "yiwang.server.field",
    "yiwang.server.desks",
    "yiwang.server.portal",
    "yiwang.server.notices",
    "yiwang.server.scores",
    "yiwang.server.governance",
    "yiwang.server.scrutiny",
    "yiwang.server.bulletins",
    "yiwang.server.provision",
    "yiwang.server.pages",
    *environment.local_apps(),
]
MIDDLEWARE = [
    "yiwang.server.api.problems.ProblemDocuments",
    "yiwang.server.common.middleware.UploadLimit",
    "yiwang.server.common.middleware.Readable",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "yiwang.server.common.middleware.ContentSecurityPolicy",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "yiwang.server.people.sessions.Authentication",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ROOT_URLCONF = "yiwang.server.urls"
WSGI_APPLICATION = "yiwang.server.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "yiwang.server.pages.context.frame",
            ],
            "builtins": ["yiwang.server.common.templatetags.yiwang"],
        },
    }
]

AUTH_USER_MODEL = "people.User"
LOGIN_URL = "sign-in"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "home"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]

LANGUAGE_CODE = "zh-hans"
YIWANG_LANGUAGES = catalogues.languages(YIWANG_HOME)
LANGUAGES = [(name, called) for name, (_, called) in YIWANG_LANGUAGES.items()]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"

STATIC_URL = "/static/"
STATICFILES_DIRS = [folder] if (folder := Path(__file__).parent / "static").is_dir() else []
# Served from where they are: no collectstatic step that could be forgotten. Built assets carry a hash in their name.
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = DEBUG
WHITENOISE_IMMUTABLE_FILE_TEST = r"^.+[.-][0-9A-Za-z_-]{8}\.(js|mjs|css|woff2)$"
WHITENOISE_MAX_AGE = 3600

DATA_UPLOAD_MAX_MEMORY_SIZE = 40_000_000
FILE_UPLOAD_MAX_MEMORY_SIZE = 5_000_000
DATA_UPLOAD_MAX_NUMBER_FILES = 10

SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
SESSION_COOKIE_AGE = YIWANG_SESSION_HOURS * 3600
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SAMESITE = "Lax"
if YIWANG_HTTPS:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_SSL_REDIRECT = True
    # probes of the machine itself come without TLS
    SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$", r"^metrics$"]
    SECURE_HSTS_SECONDS = 365 * 86400
    SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    # being put on the browsers' preload list is for the owner of the whole domain to decide, not for one site in it
    SILENCED_SYSTEM_CHECKS = ["security.W021"]
    SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = True
    CSRF_TRUSTED_ORIGINS = [f"https://{host.lstrip('.')}" for host in ALLOWED_HOSTS if host != "*"]

TASKS = {"default": {"BACKEND": "django_tasks_db.DatabaseBackend"}}

_email = environment.email()
globals().update(_email)

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"secrets": {"()": "yiwang.server.common.logs.HideSecrets"}},
    "formatters": {"plain": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "plain", "filters": ["secrets"]}},
    "root": {"handlers": ["stderr"], "level": "WARNING"},
    "loggers": {"yiwang": {"level": "INFO"}, "django.request": {"level": "ERROR"}},
}
