"""The demo's secrets are made once, readable by their owner alone, and no shell can turn a demo into real trading."""

from __future__ import annotations

import os

import environ
import pytest

from tonsurance.launch.demo_environment import demo_environment
from tonsurance.launch.leftovers import MARK
from tonsurance.launch.paths import ROOT

SECRETS = ("DJANGO_SECRET_KEY", "ORDER_SALT_SECRET", "POLYMARKET_PRIVATE_KEY")


def test_secrets_are_made_at_the_first_run_and_kept(tmp_path):
    path = tmp_path / "demo" / "env"
    first = demo_environment(path).with_variables(
        {"DATABASE_URL": "postgres://tonsurance@//short/tonsurance"}
    )
    again = demo_environment(path)
    assert {name: again.variables[name] for name in SECRETS} == {
        name: first.variables[name] for name in SECRETS
    }
    assert again.signer == first.signer
    assert path.stat().st_mode & 0o777 == 0o600


def test_two_demos_share_no_secret(tmp_path):
    one, other = demo_environment(tmp_path / "one"), demo_environment(tmp_path / "other")
    assert all(one.variables[name] != other.variables[name] for name in SECRETS)


def test_the_file_is_read_by_settings_own_reader_word_for_word(tmp_path, monkeypatch):
    path = tmp_path / "env"
    values = {
        "DATABASE_URL": "postgres://tonsurance@//tmp/t-1/tonsurance",
        "REDIS_URL": "unix:///tmp/t-1/vk.sock?db=0",
        "POLYMARKET_SECRET": "a-b_c=d==",
    }
    written = demo_environment(path).with_variables(values)
    for name in written.variables:
        monkeypatch.delenv(name, raising=False)
    environ.Env.read_env(str(path), overwrite=True)
    assert {name: os.environ[name] for name in written.variables} == dict(written.variables)


@pytest.mark.parametrize(
    ("name", "shell", "demo"),
    [
        ("TRADING_ENVIRONMENT", "LIVE", "PRACTICE"),
        ("LIVE_TRADING_ALLOWED", "true", "false"),
        ("POLYMARKET_PRIVATE_KEY", "0x" + "11" * 32, None),
        ("POLYMARKET_API_KEY", "8c9c1d5e-0000-4000-8000-000000000000", ""),
        ("POLYMARKET_WALLET", "0x" + "22" * 20, ""),
    ],
)
def test_what_the_shell_says_about_trading_does_not_reach_the_demo(tmp_path, monkeypatch, name, shell, demo):
    monkeypatch.setenv(name, shell)
    environment = demo_environment(tmp_path / "env").for_children()
    assert environment[name] != shell
    assert demo is None or environment[name] == demo


def test_an_account_at_the_exchange_is_complete_or_missing(tmp_path):
    environment = demo_environment(tmp_path / "env")
    assert not environment.has_credentials
    partly = environment.with_variables({"POLYMARKET_API_KEY": "k", "POLYMARKET_SECRET": "s"})
    assert not partly.has_credentials
    assert partly.with_variables({"POLYMARKET_PASSPHRASE": "p"}).has_credentials


def test_children_speak_to_loopback_directly_and_carry_the_checkouts_mark(tmp_path, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://proxy.example:3128")
    monkeypatch.setenv("NO_PROXY", "intranet.example")
    environment = demo_environment(tmp_path / "env").for_children()
    assert environment["NO_PROXY"] == environment["no_proxy"] == "intranet.example,127.0.0.1,localhost"
    assert environment[MARK] == str(ROOT)
    assert environment["TONSURANCE_ENV_FILE"] == str(tmp_path / "env")
