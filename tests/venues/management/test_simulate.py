from __future__ import annotations

import pytest
from django.core.management import CommandError, call_command


def test_the_command_refuses_the_real_chain_and_needs_no_database(capsys):
    with pytest.raises(CommandError, match="did not start"):
        call_command("simulate", "polymarket", "--chain-id", "137")
    assert "chain 137 is Polymarket's own chain" in capsys.readouterr().err


def test_the_command_knows_its_venues():
    with pytest.raises(CommandError, match="invalid choice: 'kalshi'"):
        call_command("simulate", "kalshi")
