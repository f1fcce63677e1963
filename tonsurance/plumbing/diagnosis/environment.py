"""Whether the settings of this process fit each other and the kind of trading that it says it does."""

from __future__ import annotations

from datetime import datetime
from urllib.parse import urlsplit

from django.conf import settings

from tonsurance.kernel.findings import Finding, fault, ok, warning

SECRET_KEY_CHARS_MIN = 50
_LOOPBACK = {"localhost", "127.0.0.1", "[::1]", "::1", "testserver"}


def environment_ask(*, now: datetime) -> list[Finding]:
    """Environment, secret key, hosts, debug, transport. Reads settings only."""
    return [_trading(), _secret_key(), _hosts(), _debug(), _transport()]


def _is_real() -> bool:
    return settings.TRADING_ENVIRONMENT == "LIVE"


def _trading() -> Finding:
    name, allowed = settings.TRADING_ENVIRONMENT, settings.LIVE_TRADING_ALLOWED
    if allowed and not _is_real():
        return warning(
            "environment",
            f"TRADING_ENVIRONMENT is {name}, and LIVE_TRADING_ALLOWED is true: one word away from real money",
            remedy="Set LIVE_TRADING_ALLOWED=false until you mean to trade live",
        )
    if _is_real() and not allowed:
        return fault(
            "environment",
            "TRADING_ENVIRONMENT is LIVE, and LIVE_TRADING_ALLOWED is not true: every order is refused",
            remedy="Set LIVE_TRADING_ALLOWED=true if you mean real money, else TRADING_ENVIRONMENT=PAPER",
        )
    return ok("environment", {
        "PAPER": "Trading on paper: nothing is sent anywhere",
        "PRACTICE": "Trading on a practice exchange: no real money",
        "LIVE": "Trading live, with real money, and both switches say so",
    }[name])  # fmt: skip


def _secret_key() -> Finding:
    key = str(settings.SECRET_KEY)
    if key.startswith("insecure-") or len(key) < SECRET_KEY_CHARS_MIN or len(set(key)) < 5:
        make = warning if not _is_real() else fault
        return make(
            "secret_key",
            "DJANGO_SECRET_KEY is the built-in one or too short: whoever knows it can sign in as anybody",
            remedy='python3 -c "import secrets; print(secrets.token_urlsafe(64))" and set it in the environment',
        )
    return ok("secret_key", f"DJANGO_SECRET_KEY is one of its own, {len(key)} characters")


def _hosts() -> Finding:
    hosts = list(settings.ALLOWED_HOSTS)
    if "*" in hosts or any(host.strip(".") in {"", "com", "net", "org"} for host in hosts):
        make = warning if not _is_real() else fault
        return make(
            "allowed_hosts",
            "DJANGO_ALLOWED_HOSTS lets every host name in, which makes forged links possible",
            remedy="Name the hosts that people type, separated by commas",
        )
    if not settings.INSECURE_HTTP and set(hosts) <= _LOOPBACK:
        return warning(
            "allowed_hosts",
            "DJANGO_ALLOWED_HOSTS names this machine only, and HTTPS is on: nobody else can open a page",
            remedy="Add the host name that people type to DJANGO_ALLOWED_HOSTS",
        )
    return ok("allowed_hosts", f"Pages answer to {len(hosts)} host names")


def _debug() -> Finding:
    if not settings.DEBUG:
        return ok("debug", "Debug pages are off")
    make = warning if settings.TRADING_ENVIRONMENT == "PAPER" else fault
    return make(
        "debug",
        f"DJANGO_DEBUG is on in {settings.TRADING_ENVIRONMENT}: error pages show settings to whoever causes one",
        remedy="Set DJANGO_DEBUG=false and start the web processes again",
    )


def _transport() -> Finding:
    reach = [host for host in settings.ALLOWED_HOSTS if host not in _LOOPBACK]
    if not settings.INSECURE_HTTP:
        origins = [o for o in settings.CSRF_TRUSTED_ORIGINS if urlsplit(o).scheme != "https"]
        if origins:
            return warning(
                "transport",
                f"{len(origins)} trusted origins are plain HTTP, while pages are served by HTTPS",
                remedy="Write https:// in DJANGO_CSRF_TRUSTED_ORIGINS",
            )
        return ok("transport", "HTTPS is demanded, cookies travel on it only")
    if reach or _is_real():
        make = fault if _is_real() else warning
        return make(
            "transport",
            "DJANGO_INSECURE_HTTP is on and pages answer beyond this machine: passwords travel in the clear",
            remedy="Put a TLS proxy in front, set DJANGO_BEHIND_PROXY=true and DJANGO_INSECURE_HTTP=false",
        )
    return ok("transport", "Plain HTTP, on this machine only")
