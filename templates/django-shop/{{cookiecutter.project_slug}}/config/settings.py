"""Every setting. What differs between installations comes from the environment, or from `.env`: see `.env.example`."""

import secrets
from datetime import timedelta
from pathlib import Path

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
THREADS = env.int("THREADS", 4)  # of each process

DATA = env.path("DATA_DIR", ROOT)  # where files go: the database by default, and pictures

# ── The database ────────────────────────────────────────────────────────────────────────────────────────────────────

DATABASES = {"default": env.dj_db_url("DATABASE_URL", f"sqlite:///{DATA / 'data.sqlite3'}")}
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",  # who begins to read and then writes would lose what others wrote meanwhile
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL",
    }
    # A file, as in production: in memory it locks otherwise.
    DATABASES["default"]["TEST"] = {"NAME": DATA / "test.sqlite3"}
# Opening a connection costs more than a page: 3 ms on SQLite, 10 ms on PostgreSQL.
DATABASES["default"]["CONN_MAX_AGE"] = 600
DATABASES["default"]["CONN_HEALTH_CHECKS"] = True

# ── Applications ────────────────────────────────────────────────────────────────────────────────────────────────────

INSTALLED_APPS = [
    "allauth",
    "allauth.account",
    "django_tasks_db",
    "unfold.apps.BasicAppConfig",
    "config.apps.Desk",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.sitemaps",
    "accounts",
    "catalogue",
    "stock",
    "basket",
    "orders",
    "payments",
    *extras.APPS,
    "config.apps.Config",  # last: it gives groups the permissions of all
]
MIDDLEWARE = [
    "config.health.probes",
    "config.logging.requests",
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
    "allauth.account.middleware.AccountMiddleware",
]
ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
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
                "config.context.shop",
            ],
        },
    },
]

# ── People ──────────────────────────────────────────────────────────────────────────────────────────────────────────

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}Validator"}
    for name in ("UserAttributeSimilarity", "MinimumLength", "CommonPassword", "NumericPassword")
]
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "mandatory"  # orders of the same address are shown: it must be theirs
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False
ACCOUNT_LOGOUT_ON_PASSWORD_CHANGE = True
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_ADAPTER = "accounts.adapter.Adapter"
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "orders:mine"
LOGOUT_REDIRECT_URL = "home"

# ── Languages and time ──────────────────────────────────────────────────────────────────────────────────────────────

LANGUAGE_CODE = "en"
USE_TZ = True
TIME_ZONE = env.str("TIME_ZONE", "UTC")

# ── Files ───────────────────────────────────────────────────────────────────────────────────────────────────────────

STATIC_URL = "static/"
STATIC_ROOT = ROOT / "collected" if PRODUCTION else None  # elsewhere the files are served from where they lie
STATICFILES_DIRS = [ROOT / "static"]
MEDIA_URL = "media/"
MEDIA_ROOT = DATA / "uploads"
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
DATA_UPLOAD_MAX_MEMORY_SIZE = 10 * 1024 * 1024
FILE_UPLOAD_PERMISSIONS = 0o644

# ── The shop ────────────────────────────────────────────────────────────────────────────────────────────────────────

SHOP_NAME = env.str("SHOP_NAME", "Shop")
CURRENCY = env.str("CURRENCY", "EUR", validate=validate.Regexp("^[A-Z]{3}$"))
PRICES_INCLUDE_TAX = env.bool("PRICES_INCLUDE_TAX", True)  # as consumers see them in Europe; not so in America
RESERVED_FOR = timedelta(minutes=env.int("RESERVED_MINUTES", 30))
COUNTRIES = [("AT", "Austria"), ("CH", "Switzerland"), ("DE", "Germany"), ("FR", "France"), ("NL", "Netherlands")]
# Where the shop is, for mail. Where nobody says so it is the first host that people type.
_here = f"https://{ALLOWED_HOSTS[0].lstrip('.')}" if PRODUCTION and ALLOWED_HOSTS else f"http://{HOST}:{PORT}"
BASE_URL = env.str("BASE_URL", "").rstrip("/") or _here
INVOICE_FROM = env.str("INVOICE_FROM", "").replace("\\n", "\n")  # invoices

# ── Payments ────────────────────────────────────────────────────────────────────────────────────────────────────────

PAYMENT_PROVIDER = env.str(
    "PAYMENT_PROVIDER", "stripe" if PRODUCTION else "fake", validate=validate.OneOf(["fake", "stripe"])
)
PAYMENT_CAPTURE = env.str("PAYMENT_CAPTURE", "automatic", validate=validate.OneOf(["automatic", "manual"]))
# By it a message of the provider is believed. In production `check --deploy` and `serve` demand one.
WEBHOOK_SECRET = env.str("WEBHOOK_SECRET", "") or ("" if PRODUCTION else secrets.token_hex(16))
STRIPE_SECRET_KEY = env.str("STRIPE_SECRET_KEY", "")
STRIPE_PUBLISHABLE_KEY = env.str("STRIPE_PUBLISHABLE_KEY", "")
STRIPE_API = env.str("STRIPE_API", "")  # another address than Stripe's, for tests
# Cards only: what takes days to arrive would expire meanwhile.
STRIPE_INTENT: dict[str, object] = {} if STRIPE_API else {"payment_method_types": ["card"]}

# ── Work in the background ──────────────────────────────────────────────────────────────────────────────────────────

# `database` wants the command `db_worker` beside the server; `immediate` does it while the visitor waits.
_tasks = env.str("TASKS", "database" if PRODUCTION else "immediate", validate=validate.OneOf(["database", "immediate"]))
_immediate = "django.tasks.backends.immediate.ImmediateBackend"
TASKS = {"default": {"BACKEND": _immediate if _tasks == "immediate" else "django_tasks_db.DatabaseBackend"}}

# ── The cache: allauth counts guesses in it, so all processes must see the same ─────────────────────────────────────

VALKEY_URL = env.str("VALKEY_URL", "")
CACHES = {
    "default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": VALKEY_URL}
    if VALKEY_URL
    else {"BACKEND": "django.core.cache.backends.db.DatabaseCache", "LOCATION": "cache"}
}

# ── Mail ────────────────────────────────────────────────────────────────────────────────────────────────────────────

# EMAIL_URL=submission://user:password@host:587; without one it goes to this host, and is printed in development.
_mail = env.dj_email_url("EMAIL_URL", "smtp://localhost:25" if PRODUCTION else "console:")
if "EMAIL_BACKEND" not in _mail:
    raise EnvError("EMAIL_URL begins with submission:// (STARTTLS), smtp:// or console:")
MAILERS: dict[str, dict[str, object]] = {"default": {"BACKEND": _mail["EMAIL_BACKEND"]}}
if _mail["EMAIL_BACKEND"].endswith("smtp.EmailBackend"):
    _who = {"username": _mail["EMAIL_HOST_USER"], "password": _mail["EMAIL_HOST_PASSWORD"]}
    _how = {name: _mail[f"EMAIL_{name.upper()}"] for name in ("host", "port", "use_tls", "use_ssl")}
    MAILERS["default"]["OPTIONS"] = _who | _how | {"timeout": 10}
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", "shop@localhost")
MAIL_HOST = DEFAULT_FROM_EMAIL.rpartition("@")[2].rstrip(">")  # in the Message-ID

# ── What keeps it safe ──────────────────────────────────────────────────────────────────────────────────────────────

SECURE_SSL_REDIRECT = SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = PRODUCTION
SECURE_HSTS_SECONDS = 31_536_000 if PRODUCTION else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = PRODUCTION
SESSION_COOKIE_AGE = int(timedelta(days=14).total_seconds())
X_FRAME_OPTIONS = "DENY"
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
# Stripe's fields for the card are a frame of theirs, on the page where one pays.
PAYMENT_CSP: dict[str, list[str]] = SECURE_CSP | {
    "script-src": [CSP.SELF, "https://js.stripe.com", "https://*.js.stripe.com"],
    "frame-src": ["https://js.stripe.com", "https://*.js.stripe.com", "https://hooks.stripe.com"],
    "connect-src": [CSP.SELF, "https://api.stripe.com"],
}

# ── The admin ───────────────────────────────────────────────────────────────────────────────────────────────────────

UNFOLD = {
    "SITE_TITLE": SHOP_NAME,
    "SITE_HEADER": SHOP_NAME,
    "SITE_URL": "/",
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": lambda _request: static("icon.svg")}],
    "SHOW_VIEW_ON_SITE": True,
    "DASHBOARD_CALLBACK": "config.desk.dashboard",
}

LOGGING_CONFIG = "config.logging.configure"
LOGGING = {
    "level": env.str("LOG_LEVEL", "INFO"),
    "json": PRODUCTION,
    "ours": ["access", "config", *(app for app in INSTALLED_APPS if (ROOT / app).is_dir())],
}
