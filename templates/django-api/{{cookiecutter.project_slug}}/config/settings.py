"""Every setting. What differs between installations comes from the environment, or from `.env`: see `.env.example`."""

import re
import secrets
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from django.templatetags.static import static
from django.utils.csp import CSP
from environs import Env, EnvError, validate

from config import extras

ROOT = Path(__file__).resolve().parent.parent
env = Env()
env.read_env(env.path("DOTENV", ROOT / ".env"), recurse=False)

# ── Where it runs ───────────────────────────────────────────────────────────────────────────────────────────────────

ENVIRONMENT = env.str("ENVIRONMENT", "production", validate=validate.OneOf(["production", "development", "test"]))
PRODUCTION = ENVIRONMENT == "production"
DEBUG = env.bool("DEBUG", ENVIRONMENT == "development") and not PRODUCTION

# `serve` and `check --deploy` demand one; elsewhere a random one signs everybody out at each start.
SECRET_KEY_IS_SET = bool(env.str("SECRET_KEY", ""))
SECRET_KEY = env.str("SECRET_KEY", "") or secrets.token_urlsafe(50)
SECRET_KEY_FALLBACKS: list[str] = env.list("SECRET_KEY_FALLBACKS", [])

ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", [] if PRODUCTION else ["127.0.0.1", "localhost"])
TRUSTED_PROXIES: list[str] = env.list("TRUSTED_PROXIES", [])
HOST = env.str("HOST", "127.0.0.1")
PORT = env.int("PORT", 8000)
WEB_CONCURRENCY = env.int("WEB_CONCURRENCY", 1)
# Of each process. More than there are connections to the database: who sends a body slowly holds a thread only.
THREADS = env.int("THREADS", 64)

DATA = env.path("DATA_DIR", ROOT)  # where files go: the database by default

# ── The database ────────────────────────────────────────────────────────────────────────────────────────────────────

DATABASES: dict[str, dict[str, Any]] = {
    "default": dict(env.dj_db_url("DATABASE_URL", f"sqlite:///{DATA / 'data.sqlite3'}"))
}
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",  # who begins to read and then writes would lose what others wrote meanwhile
        "timeout": 2,  # seconds that one waits for whoever writes; then it is 503, and one comes again
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL",
    }
    # A file, as in production: in memory it locks otherwise.
    DATABASES["default"]["TEST"] = {"NAME": DATA / "test.sqlite3"}
    # Opening a connection costs more than an answer: 3 ms.
    DATABASES["default"]["CONN_MAX_AGE"] = 600
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
else:
    # Threads share so many connections of a process; who gets none within the seconds is told to come again. So is who
    # waits for a row that somebody has: a process that hangs in a transaction is not to stop all the others.
    DATABASES["default"]["OPTIONS"] = {
        "pool": {"min_size": 1, "max_size": env.int("DATABASE_CONNECTIONS", 16), "timeout": 10},
        "options": "-c lock_timeout=5s -c idle_in_transaction_session_timeout=30s",
    }

# ── Applications ────────────────────────────────────────────────────────────────────────────────────────────────────

INSTALLED_APPS = [
    "unfold.apps.BasicAppConfig",
    "config.apps.Desk",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "accounts",
    "audit",
    "idempotency",
    "stock",
    "reservations",
    *extras.APPS,
    "config.apps.Config",
]
MIDDLEWARE = [
    "config.health.probes",
    "config.logging.requests",
    "config.problems.problems",
    "config.security.believe_proxies",
    "django.middleware.security.SecurityMiddleware",
    "config.security.known_hosts",
    "django.middleware.csp.ContentSecurityPolicyMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ROOT_URLCONF = "config.urls"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [ROOT / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

# ── The API ─────────────────────────────────────────────────────────────────────────────────────────────────────────

# Nothing is open by mistake: a view that says nothing demands a token, and a scope that nobody has.
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["accounts.authentication.Bearer"],
    "DEFAULT_PERMISSION_CLASSES": ["accounts.permissions.HasScope"],
    "DEFAULT_THROTTLE_CLASSES": ["config.allowance.Allowance"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": [],  # what comes in is read by config.body
    "DEFAULT_SCHEMA_CLASS": "config.openapi.Schema",
    "EXCEPTION_HANDLER": "config.problems.answer_to",
    "UNAUTHENTICATED_USER": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Stock",
    "VERSION": "1",
    "OAS_VERSION": "3.1.1",
}
# So many requests of one caller in so many seconds, over all processes.
_limit = env.str("RATE_LIMIT", "600/60")
if not re.fullmatch(r"[1-9]\d*/[1-9]\d*", _limit):
    raise EnvError("RATE_LIMIT is like 600/60: so many requests in so many seconds")
RATE_LIMIT, RATE_SECONDS = map(int, _limit.split("/"))
KEYS_LIVE = timedelta(hours=24)  # how long an answer is kept under its Idempotency-Key
# Since when, and until when, GET /api/v1/stock/{sku} is to be done without.
STOCK_DEPRECATED, STOCK_SUNSET = datetime(2026, 11, 1, tzinfo=UTC), datetime(2027, 11, 1, tzinfo=UTC)

REPORT_LEASE = timedelta(seconds=env.int("REPORT_LEASE", 60))  # reporting

# ── Tokens ──────────────────────────────────────────────────────────────────────────────────────────────────────────

# Who makes them and whom they are for. That is us: `manage.py token` signs them with the SECRET_KEY.
TOKEN_ISSUER = env.str("TOKEN_ISSUER", "stock")
TOKEN_AUDIENCE = env.str("TOKEN_AUDIENCE", "stock")
JWKS_URL = env.str("JWKS_URL", "")  # jwks

# ── People ──────────────────────────────────────────────────────────────────────────────────────────────────────────

AUTH_USER_MODEL = "accounts.User"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}Validator"}
    for name in ("UserAttributeSimilarity", "MinimumLength", "CommonPassword", "NumericPassword")
]
LOGIN_REDIRECT_URL = "admin:index"

# ── Languages and time ──────────────────────────────────────────────────────────────────────────────────────────────

LANGUAGE_CODE = "en"
TIME_ZONE = env.str("TIME_ZONE", "UTC")

# ── Files ───────────────────────────────────────────────────────────────────────────────────────────────────────────

STATIC_URL = "static/"
STATIC_ROOT = ROOT / "collected" if PRODUCTION else None  # elsewhere the files are served from where they lie
STATICFILES_DIRS = [ROOT / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if PRODUCTION
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}
WHITENOISE_USE_FINDERS = not PRODUCTION
WHITENOISE_MANIFEST_STRICT = False  # a page without its style is better than no page

# ── What keeps it safe ──────────────────────────────────────────────────────────────────────────────────────────────

SECURE_SSL_REDIRECT = SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = PRODUCTION
SECURE_HSTS_SECONDS = 31_536_000 if PRODUCTION else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = PRODUCTION
SECURE_CSP: dict[str, list[str]] = {
    "default-src": [CSP.SELF],
    "frame-ancestors": [CSP.NONE],
    "object-src": [CSP.NONE],
    "base-uri": [CSP.NONE],
    "form-action": [CSP.SELF],
}
# Unfold's admin has inline scripts and styles, and its Alpine makes functions of text: for the admin's addresses only.
ADMIN_CSP: dict[str, list[str]] = SECURE_CSP | {
    "script-src": [CSP.SELF, CSP.UNSAFE_INLINE, CSP.UNSAFE_EVAL],
    "style-src": [CSP.SELF, CSP.UNSAFE_INLINE],
    "img-src": [CSP.SELF, "data:"],
}

# ── The admin ───────────────────────────────────────────────────────────────────────────────────────────────────────

UNFOLD = {
    "SITE_TITLE": "Stock",
    "SITE_HEADER": "Stock",
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": lambda _request: static("icon.svg")}],
}

LOGGING_CONFIG = "config.logging.configure"
LOGGING = {
    "level": env.str("LOG_LEVEL", "INFO"),
    "json": PRODUCTION,
    "ours": ["access", "config", *(app for app in INSTALLED_APPS if (ROOT / app).is_dir())],
}
