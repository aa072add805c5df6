"""Every setting. What differs between installations comes from the environment, or from `.env`: see `.env.example`."""

import secrets
from datetime import timedelta
from pathlib import Path

from django.utils.csp import CSP
from environs import Env, EnvError, validate
from wagtail.embeds.oembed_providers import vimeo, youtube

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

DATA = env.path("DATA_DIR", ROOT)  # where files go: the database by default, uploads, the number of the page cache

# ── The database ────────────────────────────────────────────────────────────────────────────────────────────────────

DATABASES = {"default": env.dj_db_url("DATABASE_URL", f"sqlite:///{DATA / 'data.sqlite3'}")}
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",  # who begins to read and then writes would lose what others wrote meanwhile
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL",
    }
    DATABASES["default"]["TEST"] = {
        "NAME": DATA / "test.sqlite3"
    }  # a file, as in production: in memory it locks otherwise
# Opening a connection costs more than a page: 3 ms on SQLite, 10 ms on PostgreSQL.
DATABASES["default"]["CONN_MAX_AGE"] = 600
DATABASES["default"]["CONN_HEALTH_CHECKS"] = True

# ── Applications ────────────────────────────────────────────────────────────────────────────────────────────────────

INSTALLED_APPS = [
    "config",
    "accounts",
    "media",
    "pages",
    "website",
    *extras.APPS,
    "wagtail.contrib.redirects",
    "wagtail.contrib.search_promotions",
    "wagtail.contrib.settings",
    "wagtail.contrib.simple_translation",
    "wagtail.embeds",
    "wagtail.sites",
    "wagtail.users",
    "wagtail.snippets",
    "wagtail.documents",
    "wagtail.images",
    "wagtail.search",
    "wagtail.admin",
    "wagtail.locales",
    "wagtail",
    "modelcluster",
    "taggit",
    "django_filters",
    "axes",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.postgres",  # the search on PostgreSQL; SQLite does not mind
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.sitemaps",
]
MIDDLEWARE = [
    "config.health.probes",
    "config.logging.requests",
    "config.security.believe_proxies",
    "website.sites.previews",
    "django.middleware.security.SecurityMiddleware",
    "config.security.known_hosts",
    "django.middleware.csp.ContentSecurityPolicyMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "config.pagecache.PageCache",
    "website.sites.known_site",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "wagtail.contrib.redirects.middleware.RedirectMiddleware",
    "axes.middleware.AxesMiddleware",
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
                "wagtail.contrib.settings.context_processors.settings",
            ],
        },
    },
]

# ── People ──────────────────────────────────────────────────────────────────────────────────────────────────────────

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "django.contrib.auth.backends.ModelBackend"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}Validator"}
    for name in ("UserAttributeSimilarity", "MinimumLength", "CommonPassword", "NumericPassword")
]
# Guessing is counted in the database, so over all processes: per person and address.
AXES_FAILURE_LIMIT = 5
AXES_USERNAME_CALLABLE = "accounts.signin.counted_as"
AXES_COOLOFF_TIME = timedelta(minutes=15)
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_RESET_ON_SUCCESS = True
AXES_ENABLE_ACCESS_FAILURE_LOG = False
AXES_VERBOSE = False
LOGIN_URL = "wagtailadmin_login"

# ── Languages and time ──────────────────────────────────────────────────────────────────────────────────────────────

USE_I18N = WAGTAIL_I18N_ENABLED = True
LANGUAGE_CODE = "en"
LOCALE_PATHS = [ROOT / "locale"]
LANGUAGES = WAGTAIL_CONTENT_LANGUAGES = [("en", "English"), ("de", "Deutsch")]
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
DATA_UPLOAD_MAX_NUMBER_FIELDS = 10_000  # a long page has that many
DATA_UPLOAD_MAX_MEMORY_SIZE = 10 * 1024 * 1024
FILE_UPLOAD_PERMISSIONS = 0o644

# ── Wagtail ─────────────────────────────────────────────────────────────────────────────────────────────────────────

WAGTAIL_SITE_NAME = "Magazine"
# In mail, in previews, and where a page is shared. Where nobody says so it is the first host that people type.
_here = f"https://{ALLOWED_HOSTS[0].lstrip('.')}" if PRODUCTION and ALLOWED_HOSTS else f"http://{HOST}:{PORT}"
WAGTAILADMIN_BASE_URL = env.str("BASE_URL", "") or _here
WAGTAILIMAGES_IMAGE_MODEL = "media.CustomImage"
CACHES = {
    "default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"},
    # Each process would remember sizes of an image that another one has replaced.
    "renditions": {"BACKEND": "django.core.cache.backends.dummy.DummyCache"},
}
WAGTAILIMAGES_IMAGE_FORM_BASE = "media.forms.ImageForm"  # writes what was uploaded anew
WAGTAILIMAGES_EXTENSIONS = ["avif", "gif", "jpg", "jpeg", "png", "webp"]  # no SVG: it can carry scripts
WAGTAILIMAGES_MAX_UPLOAD_SIZE = 10 * 1024 * 1024
WAGTAILIMAGES_MAX_IMAGE_PIXELS = 50_000_000  # a small file can unpack to gigabytes
WAGTAILIMAGES_FORMAT_CONVERSIONS = {"avif": "avif", "webp": "webp"}
WAGTAILDOCS_DOCUMENT_MODEL = "media.CustomDocument"
WAGTAILDOCS_EXTENSIONS = ["csv", "docx", "odt", "pdf", "pptx", "txt", "xlsx", "zip"]
WAGTAILDOCS_MAX_UPLOAD_SIZE = 20 * 1024 * 1024
WAGTAILDOCS_SERVE_METHOD = "serve_view"  # checks who may
WAGTAILDOCS_PRIVATE_COLLECTION_OPTIONS = WAGTAIL_PRIVATE_PAGE_OPTIONS = {
    "SHARED_PASSWORD": False
}  # nobody counts guesses
WAGTAILDOCS_INLINE_CONTENT_TYPES: list[str] = []  # each is an attachment: nothing uploaded is opened as a page of ours
WAGTAIL_GRAVATAR_PROVIDER_URL = None
WAGTAILSEARCH_BACKENDS = {"default": {"BACKEND": "wagtail.search.backends.database"}}
WAGTAILEMBEDS_FINDERS = [{"class": "pages.embeds", "providers": [youtube, vimeo]}]  # as SECURE_CSP allows
WAGTAILEMBEDS_RESPONSIVE_HTML = True
WAGTAIL_ENABLE_UPDATE_CHECK = False
WAGTAIL_ENABLE_WHATS_NEW_BANNER = False
TAGGIT_CASE_INSENSITIVE = True

# ── Mail ────────────────────────────────────────────────────────────────────────────────────────────────────────────

# EMAIL_URL=submission://user:password@host:587; without one it goes to this host, and is printed in development.
_mail = env.dj_email_url("EMAIL_URL", "smtp://localhost:25" if PRODUCTION else "console:")
if "EMAIL_BACKEND" not in _mail:
    raise EnvError("EMAIL_URL begins with submission:// (STARTTLS), smtp:// or console:")
MAILERS = {
    "default": {"BACKEND": _mail["EMAIL_BACKEND"]}
    | (
        {
            "OPTIONS": {
                "host": _mail["EMAIL_HOST"],
                "port": _mail["EMAIL_PORT"],
                "username": _mail["EMAIL_HOST_USER"],
                "password": _mail["EMAIL_HOST_PASSWORD"],
                "use_tls": _mail["EMAIL_USE_TLS"],
                "use_ssl": _mail["EMAIL_USE_SSL"],
                "timeout": 10,
            }
        }
        if _mail["EMAIL_BACKEND"].endswith("smtp.EmailBackend")
        else {}
    )
}
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", "magazine@localhost")

# ── What keeps it safe ──────────────────────────────────────────────────────────────────────────────────────────────

SECURE_SSL_REDIRECT = SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = PRODUCTION
SECURE_HSTS_SECONDS = 31_536_000 if PRODUCTION else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = PRODUCTION
SESSION_COOKIE_AGE = int(timedelta(days=14).total_seconds())
X_FRAME_OPTIONS = "SAMEORIGIN"  # the editor's preview is a frame
SILENCED_SYSTEM_CHECKS = ["security.W019"]  # which wants DENY
SECURE_CSP: dict[str, list[str]] = {
    "default-src": [CSP.SELF],
    "frame-src": [CSP.SELF, "https://www.youtube-nocookie.com", "https://player.vimeo.com"],
    "frame-ancestors": [CSP.SELF],
    "object-src": [CSP.NONE],
    "base-uri": [CSP.NONE],
    "form-action": [CSP.SELF],
}
# Wagtail's admin has inline scripts and styles; nowhere else is this policy used.
ADMIN_CSP: dict[str, list[str]] = SECURE_CSP | {
    "script-src": [CSP.SELF, CSP.UNSAFE_INLINE],
    "style-src": [CSP.SELF, CSP.UNSAFE_INLINE],
    "img-src": [CSP.SELF, "data:", "blob:"],
    "connect-src": [CSP.SELF],
}

# ── The page cache ──────────────────────────────────────────────────────────────────────────────────────────────────

PAGE_CACHE = env.bool("PAGE_CACHE", True)
VALKEY_URL = env.str("VALKEY_URL", "")  # several hosts: what tells all of them that something was published

LOGGING_CONFIG = "config.logging.configure"
LOGGING = {
    "level": env.str("LOG_LEVEL", "INFO"),
    "json": PRODUCTION,
    "ours": ["access", *(app for app in INSTALLED_APPS if (ROOT / app).is_dir())],
}
