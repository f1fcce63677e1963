"""The demo's environment: its secrets, made at the first run, and the addresses of this run.

Kept in one file (0600) that `TONSURANCE_ENV_FILE` can name, so a second terminal talks to the running demo.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from eth_account import Account

from tonsurance.launch.keeper import environment_of_children
from tonsurance.launch.leftovers import MARK
from tonsurance.launch.paths import ROOT

# Whatever the shell says, a demo trades on the practice exchange only, with its own key, over plain HTTP on loopback.
FIXED = {
    "TRADING_ENVIRONMENT": "PRACTICE",
    "LIVE_TRADING_ALLOWED": "false",
    "DJANGO_DEBUG": "false",
    "DJANGO_INSECURE_HTTP": "true",
    "DJANGO_SETTINGS_MODULE": "tonsurance.settings",
    "DJANGO_ALLOWED_HOSTS": "localhost,127.0.0.1,[::1]",
    "POLYMARKET_SIGNATURE_TYPE": "0",
    "POLYMARKET_WALLET": "",
    "LOG_LEVEL": "INFO",
}
CREDENTIALS = ("POLYMARKET_API_KEY", "POLYMARKET_SECRET", "POLYMARKET_PASSPHRASE")
NO_CREDENTIALS = dict.fromkeys(CREDENTIALS, "")
NO_PROXY = "127.0.0.1,localhost"


@dataclass(frozen=True)
class DemoEnvironment:
    """The variables of the demo, and the file that keeps them."""

    path: Path
    variables: Mapping[str, str]

    @property
    def has_credentials(self) -> bool:
        """Whether the exchange has given us an API key."""
        return all(self.variables.get(name) for name in CREDENTIALS)

    @property
    def signer(self) -> str:
        """The address of the demo's private key."""
        return str(Account.from_key(self.variables["POLYMARKET_PRIVATE_KEY"]).address)

    def with_variables(self, more: Mapping[str, str]) -> DemoEnvironment:
        """The same with `more`, written to the file."""
        changed = DemoEnvironment(self.path, {**self.variables, **more})
        changed.write()
        return changed

    def for_children(self) -> dict[str, str]:
        """The whole environment of a process of the demo."""
        proxies = ",".join(filter(None, [os.environ.get("NO_PROXY", ""), NO_PROXY]))
        own = {
            "TONSURANCE_ENV_FILE": str(self.path),
            MARK: str(ROOT),
            "NO_PROXY": proxies,
            "no_proxy": proxies,
        }
        return environment_of_children(**self.variables, **own)

    def write(self) -> None:
        """Replace the file in one step; only its owner can read it."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        fresh = self.path.with_suffix(".new")
        fresh.unlink(missing_ok=True)
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write("# Written by `manage.py demo`. Practice secrets: worth nothing anywhere else.\n")
            file.writelines(f"{name}={value}\n" for name, value in sorted(self.variables.items()))
        fresh.replace(self.path)


def demo_environment(path: Path) -> DemoEnvironment:
    """Read the file back, or make new secrets at the first run."""
    made = {
        "DJANGO_SECRET_KEY": secrets.token_urlsafe(48),
        "ORDER_SALT_SECRET": secrets.token_hex(32),
        "POLYMARKET_PRIVATE_KEY": f"0x{secrets.token_hex(32)}",
    }
    return DemoEnvironment(path, {**made, **NO_CREDENTIALS, **read(path), **FIXED})


def read(path: Path) -> dict[str, str]:
    """The variables of an environment file that we wrote; empty when there is none."""
    if not path.exists():
        return {}
    lines = (line.strip() for line in path.read_text().splitlines())
    pairs = (line.partition("=") for line in lines if line and not line.startswith("#"))
    return {name: value for name, _, value in pairs}
