"""Everything that may differ between machines, read from the environment (twelve-factor); the rest is fixed here.

`.env.example` lists every variable with its meaning. Secrets come from the environment alone, never from the database.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import environ
from csp.constants import NONE, SELF, UNSAFE_EVAL, UNSAFE_INLINE
from django.core.exceptions import ImproperlyConfigured
from django.templatetags.static import static

from tonsurance.kernel.processes import process_name
from tonsurance.logs import logging_config

BASE_DIR = Path(__file__).resolve().parent.parent

env = environ.Env()
if env_file := env.str("TONSURANCE_ENV_FILE", default=""):
    env.read_env(env_file, overwrite=False)
elif (BASE_DIR / ".env").is_file():
    env.read_env(str(BASE_DIR / ".env"), overwrite=False)

# --- what kind of trading this process may do ---------------------------------------------------------------------
# PAPER: nothing is sent anywhere. PRACTICE: orders go to a practice exchange on this machine. LIVE: real venues.
TRADING_ENVIRONMENT = env.str("TRADING_ENVIRONMENT", default="PAPER").upper()
if TRADING_ENVIRONMENT not in {"PAPER", "PRACTICE", "LIVE"}:
    raise ImproperlyConfigured(f"TRADING_ENVIRONMENT={TRADING_ENVIRONMENT}: use PAPER, PRACTICE or LIVE")
LIVE_TRADING_ALLOWED = env.bool("LIVE_TRADING_ALLOWED", default=False)

# --- Django -----------------------------------------------------------------------------------------------------
DEBUG = env.bool("DJANGO_DEBUG", default=False)
INSECURE_DEFAULT_KEY = "insecure-development-key-that-no-production-process-may-start-with"
SECRET_KEY = env.str("DJANGO_SECRET_KEY", default=INSECURE_DEFAULT_KEY)
if SECRET_KEY == INSECURE_DEFAULT_KEY and TRADING_ENVIRONMENT == "LIVE":
    raise ImproperlyConfigured("DJANGO_SECRET_KEY: set a secret of your own before TRADING_ENVIRONMENT=LIVE")
ALLOWED_HOSTS = env.list("DJANGO_ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.list("DJANGO_CSRF_TRUSTED_ORIGINS", default=[])

INSTALLED_APPS = [
    "unfold",
    "unfold.contrib.filters",
    "unfold.contrib.forms",
    "unfold.contrib.import_export",
    "unfold.contrib.simple_history",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "simple_history",
    "import_export",
    "rest_framework",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "knox",
    "axes",
    "django_otp",
    "django_otp.plugins.otp_totp",
    "csp",
    "django_structlog",
    "tonsurance.plumbing",
    "policies",
    "venues",
    "hedging",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django_otp.middleware.OTPMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_structlog.middlewares.RequestMiddleware",
    "simple_history.middleware.HistoryRequestMiddleware",
    "axes.middleware.AxesMiddleware",
]

ROOT_URLCONF = "tonsurance.urls"
WSGI_APPLICATION = "tonsurance.wsgi.application"
ASGI_APPLICATION = "tonsurance.asgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "tonsurance" / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

# --- PostgreSQL: the book, the queue and the truth -----------------------------------------------------------------
DATABASES = {"default": env.db_url("DATABASE_URL", default="postgres://tonsurance@localhost:5432/tonsurance")}
if "postgresql" not in DATABASES["default"]["ENGINE"]:
    raise ImproperlyConfigured(
        "DATABASE_URL: only PostgreSQL 15 or newer can keep this book (row locks and SKIP LOCKED carry money)"
    )
DATABASES["default"]["CONN_MAX_AGE"] = env.int("DATABASE_CONN_MAX_AGE", default=60)
DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
# The database notes which process changed an order: its name in every event, and in pg_stat_activity.
DATABASES["default"].setdefault("OPTIONS", {})["application_name"] = process_name()
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- sign-in ------------------------------------------------------------------------------------------------------
AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "django.contrib.auth.backends.ModelBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = timedelta(minutes=15)
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_RESET_ON_SUCCESS = True
AXES_VERBOSE = False
LOGIN_URL = "admin:login"
LOGIN_REDIRECT_URL = "admin:index"
SESSION_COOKIE_AGE = 8 * 3600

# --- transport security: on unless DJANGO_INSECURE_HTTP=true (the demo on loopback) --------------------------------
INSECURE_HTTP = env.bool("DJANGO_INSECURE_HTTP", default=DEBUG)
SECURE_SSL_REDIRECT = not INSECURE_HTTP
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]
SESSION_COOKIE_SECURE = not INSECURE_HTTP
CSRF_COOKIE_SECURE = not INSECURE_HTTP
SESSION_COOKIE_SAMESITE = "Lax"
SECURE_HSTS_SECONDS = 0 if INSECURE_HTTP else 31_536_000
SECURE_HSTS_INCLUDE_SUBDOMAINS = not INSECURE_HTTP
SECURE_HSTS_PRELOAD = not INSECURE_HTTP
if env.bool("DJANGO_BEHIND_PROXY", default=False):
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
# The admin skin (Alpine.js) evaluates expressions in attributes and styles inline; nothing is loaded from elsewhere.
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF, UNSAFE_EVAL],
        "style-src": [SELF, UNSAFE_INLINE],
        "img-src": [SELF, "data:"],
        "font-src": [SELF, "data:"],
        "object-src": [NONE],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}

# --- language, time, files ----------------------------------------------------------------------------------------
LANGUAGE_CODE = "en-us"
TIME_ZONE = "UTC"
USE_I18N = False
USE_TZ = True
STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / "var" / "static"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedStaticFilesStorage"},
}
WHITENOISE_USE_FINDERS = env.bool("WHITENOISE_USE_FINDERS", default=INSECURE_HTTP)
MEDIA_ROOT = env.path("MEDIA_ROOT", default=str(BASE_DIR / "var" / "media"))
DATA_UPLOAD_MAX_MEMORY_SIZE = 64 * 1024
FILE_UPLOAD_MAX_MEMORY_SIZE = 8 * 1024 * 1024

# --- API ----------------------------------------------------------------------------------------------------------
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["tonsurance.plumbing.api.ApiKeyAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["tonsurance.plumbing.api.HasScope"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_PAGINATION_CLASS": "tonsurance.plumbing.api.Pages",
    "DEFAULT_FILTER_BACKENDS": ["django_filters.rest_framework.DjangoFilterBackend"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "tonsurance.plumbing.problems.problem_response",
    "COERCE_DECIMAL_TO_STRING": True,
    "DATETIME_FORMAT": "iso-8601",
}
# knox's own default, spelt out because migrations refer to it.
KNOX_TOKEN_MODEL = "knox.AuthToken"  # noqa: S105  a model's name, not a secret
REST_KNOX = {
    "TOKEN_TTL": timedelta(days=env.int("API_KEY_DAYS", default=90)),
    "AUTO_REFRESH": False,
    "AUTH_HEADER_PREFIX": "Token",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Tonsurance back office",
    "DESCRIPTION": "Sell cover, read exposure, read hedges. Money is a decimal string in US dollars.",
    "VERSION": "2.0.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SERVE_AUTHENTICATION": [],
    # Two fields of one name and different words (`state`, `status`), and two names of one set of words.
    "ENUM_NAME_OVERRIDES": {
        "CycleState": "hedging.models.cycles.Cycle.State",
        "OrderState": "hedging.models.orders._CHOICES",
        "HedgePositionStatus": "hedging.models.attributions.HedgePosition.Status",
        "PolicyStatus": ["scheduled", "active", "expired", "cancelled", "claimed", "settled"],
        "Stablecoin": "policies.domain.catalogue.STABLECOINS",
    },
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
}

# --- logs ---------------------------------------------------------------------------------------------------------
LOGGING = logging_config(
    level=env.str("LOG_LEVEL", default="INFO"), as_json=env.bool("LOG_JSON", default=not DEBUG)
)

# --- Celery: wake-up hints only (see tonsurance/celery.py) ----------------------------------------------------------
REDIS_URL = env.str("REDIS_URL", default="redis://localhost:6379/0")
# Worker process name -> queues it serves. One venue's hang must not starve another's placements or any look-up.
CELERY_WORKERS = {
    "place-polymarket": ["place.polymarket"],
    "resolve-polymarket": ["resolve.polymarket"],
    "default": ["default", "orchestrate"],
}

# --- Polymarket ---------------------------------------------------------------------------------------------------
POLYMARKET = {
    "clob_url": env.str("POLYMARKET_CLOB_API_URL", default="https://clob.polymarket.com"),
    "gamma_url": env.str("POLYMARKET_GAMMA_API_URL", default="https://gamma-api.polymarket.com"),
    "data_url": env.str("POLYMARKET_DATA_API_URL", default="https://data-api.polymarket.com"),
    "relayer_url": env.str("POLYMARKET_RELAYER_URL", default="https://relayer-v2.polymarket.com"),
    "rpc_url": env.str("POLYMARKET_RPC_URL", default="https://polygon.drpc.org"),
    "geoblock_url": env.str("POLYMARKET_GEOBLOCK_URL", default="https://polymarket.com/api/geoblock"),
    "relayer_api_key": env.str("POLYMARKET_RELAYER_API_KEY", default=""),
    "clob_market_ws_url": env.str(
        "POLYMARKET_MARKET_WS_URL", default="wss://ws-subscriptions-clob.polymarket.com/ws/market"
    ),
    "clob_user_ws_url": env.str(
        "POLYMARKET_USER_WS_URL", default="wss://ws-subscriptions-clob.polymarket.com/ws/user"
    ),
    "chain_id": env.int("POLYMARKET_CHAIN_ID", default=137),
    "private_key": env.str("POLYMARKET_PRIVATE_KEY", default=""),
    "api_key": env.str("POLYMARKET_API_KEY", default=""),
    "secret": env.str("POLYMARKET_SECRET", default=""),
    "passphrase": env.str("POLYMARKET_PASSPHRASE", default=""),
    "wallet": env.str("POLYMARKET_WALLET", default=""),
    "signature_type": env.int("POLYMARKET_SIGNATURE_TYPE", default=3),
    "exchange": env.str("POLYMARKET_EXCHANGE_ADDRESS", default="0xE111180000d2663C0091e4f400237545B87B996B"),
    "neg_risk_exchange": env.str(
        "POLYMARKET_NEG_RISK_EXCHANGE_ADDRESS", default="0xe2222d279d744050d28e00520010520000310F59"
    ),
    "exchange_v3": env.str(
        "POLYMARKET_EXCHANGE_V3_ADDRESS", default="0xe3333700cA9d93003F00f0F71f8515005F6c00Aa"
    ),
    "order_signer": env.str("POLYMARKET_ORDER_SIGNER", default="own"),
    # Order salts derive from this secret; changing it forgets the identity of orders that are still in doubt.
    "salt_secret": env.str("ORDER_SALT_SECRET", default=""),
    "live_allowed": TRADING_ENVIRONMENT == "LIVE" and LIVE_TRADING_ALLOWED,
}

# Which instruments are streamed, by name, because the markets do not know what they are used for.
STREAMED_INSTRUMENTS = "hedging.selectors.streamed.instruments_streamed"

UNFOLD = {
    "SITE_TITLE": "Tonsurance back office",
    "SITE_HEADER": "Tonsurance",
    "SITE_SUBHEADER": "Hedging back office",
    "SITE_SYMBOL": "shield",
    "SHOW_HISTORY": True,
    "SHOW_VIEW_ON_SITE": False,
    "ENVIRONMENT": "tonsurance.plumbing.admin.environment_badge",
    "DASHBOARD_CALLBACK": "hedging.admin.home.home_context",
    "STYLES": [lambda _request: static("plumbing/backoffice.css")],
    "SITE_FAVICONS": [
        {"rel": "icon", "type": "image/svg+xml", "href": lambda _request: static("plumbing/favicon.svg")},
    ],
    "SIDEBAR": {
        "show_search": True,
        "show_all_applications": False,
        "navigation": "tonsurance.navigation.sidebar",
    },
}
