"""One Python runs the demo's commands and tells of each how it ended."""

from __future__ import annotations

import pytest

from tonsurance.launch.commands import CommandRoom
from tonsurance.launch.failure import LaunchFailed
from tonsurance.launch.keeper import environment_of_children


@pytest.fixture
def room(keeper, tmp_path):
    environment = environment_of_children(DJANGO_SETTINGS_MODULE="tonsurance.settings")
    return CommandRoom(keeper, environment=environment, log=tmp_path / "commands.log", stage=1)


def test_commands_run_one_after_another_and_give_what_they_printed(room):
    assert room.workers()["place-polymarket"] == ["place.polymarket"]
    assert room.run("shell", "--verbosity", "0", "-c", "print(6 * 7)") == "42\n"
    assert "System check identified no issues" in room.run("check")


def test_what_the_room_learns_reaches_the_settings_of_later_commands(room):
    told = 'from django.conf import settings; print(settings.POLYMARKET["api_key"])'
    room.learn({"POLYMARKET_API_KEY": "8c9c1d5e-0000-4000-8000-000000000000"})
    assert room.run("shell", "--verbosity", "0", "-c", told) == "8c9c1d5e-0000-4000-8000-000000000000\n"


def test_a_command_that_refuses_is_told_with_its_code_and_words(room):
    answer = room.attempt("simulate", "polymarket", "--chain-id", "137")
    assert answer.code == 1
    assert "the practice exchange did not start" in answer.output
    with pytest.raises(LaunchFailed, match=r"manage.py sell_everything failed \(exit 1\):\nUnknown command"):
        room.run("sell_everything")


def test_a_process_that_dies_is_told_and_not_waited_for(room):
    room.workers()
    room.child.process.kill()
    room.child.process.wait(timeout=15)
    with pytest.raises(LaunchFailed, match=r"could not run|commands ended"):
        room.run("check")


def test_one_that_takes_too_long_is_given_up(room):
    with pytest.raises(LaunchFailed, match=r"manage.py simulate took more than 1 s"):
        room.run("simulate", "polymarket", "--port", "0", seconds_max=1)
