"""How log lines look: structured, with the request or task id, and with secrets struck out."""

from __future__ import annotations

import re
from typing import Any

import structlog

_SECRET_NAMES = re.compile(
    r"(secret|passphrase|private_key|password|authorization|api_key|signature|token$)", re.IGNORECASE
)
_SECRET_SHAPES = re.compile(r"\b0x[0-9a-fA-F]{64}\b(?=.*private)")


def strike_secrets(_logger: Any, _method: str, event: dict[str, Any]) -> dict[str, Any]:
    """Replace the values of keys that name a secret; a log line is read by more people than the vault."""
    for key, value in event.items():
        if isinstance(key, str) and _SECRET_NAMES.search(key):
            event[key] = "***"
        elif isinstance(value, str) and _SECRET_SHAPES.search(value):
            event[key] = _SECRET_SHAPES.sub("***", value)
    return event


def _shared_processors() -> list[Any]:
    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.StackInfoRenderer(),
        structlog.processors.format_exc_info,
        strike_secrets,
    ]


def logging_config(*, level: str, as_json: bool) -> dict[str, Any]:
    """The LOGGING setting; also configures structlog itself, so that both kinds of logger print alike."""
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *_shared_processors(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    renderer = structlog.processors.JSONRenderer() if as_json else structlog.dev.ConsoleRenderer(colors=False)
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "line": {
                "()": structlog.stdlib.ProcessorFormatter,
                "processor": renderer,
                "foreign_pre_chain": _shared_processors(),
            }
        },
        "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
        "root": {"handlers": ["console"], "level": level},
        "loggers": {
            # httpx logs every URL at INFO, which buries the lines that matter.
            "httpx": {"level": "WARNING"},
            "httpcore": {"level": "WARNING"},
            "django_structlog": {"level": "WARNING"},
        },
    }
