"""The command finds the benches, says in its last line and its exit code what came out, and leaves nothing behind."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from hedging.management.commands import bench
from tests.benches.machine import ROOT
from tests.benches.result import BenchResult, Goal, WrongAnswer, decisive

RUN_S_MAX = 120
PAGE = ROOT / "docs" / "performance.md"
RUNS = ROOT / "docs" / "performance.jsonl"
FASTER = Goal(name="faster", at_least=50)
CHEAPER = Goal(name="cheaper", at_most=1.5)
OWN_BENCH = '''"""A bench of a test.

More words.
"""
from tests.benches.result import BenchResult, BenchScale, Goal, WrongAnswer

NEEDS_DATABASE = False
GOALS = (Goal(name="faster", at_least=50), Goal(name="cheaper", at_most=1.5))
FULL = BenchScale(policies=1000, rounds=5)
SMALL = BenchScale(policies=10, rounds=1)


def run(scale):
    if scale.policies == 13:
        raise WrongAnswer("the sums differ")
    return BenchResult(ratios={"faster": float(scale.policies), "cheaper": 1.2}, notes=(f"{scale.rounds} rounds",))
'''


@pytest.fixture
def own_bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One bench, `quick`, whose first ratio is its number of policies; 13 is a wrong answer."""
    folder = tmp_path / "benches_of_a_test"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    (folder / "quick.py").write_text(OWN_BENCH)
    (folder / "shared.py").write_text('"""No goals, no bench."""\n')
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(bench, "FOLDER", "benches_of_a_test")


def called(*words: str) -> tuple[int, str]:
    """Exit code and output."""
    out = StringIO()
    try:
        call_command("bench", *words, stdout=out)
    except SystemExit as left:
        return int(str(left.code)), out.getvalue()
    return 0, out.getvalue()


def databases() -> list[str]:
    """Those of the server that the tests use."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT datname FROM pg_database ORDER BY 1")
        return [name for (name,) in cursor.fetchall()]


def test_every_bench_is_listed_with_its_first_sentence() -> None:
    _, output = called("--list")

    listed = dict(line.split(maxsplit=1) for line in output.splitlines())
    assert {"attribution", "exposure", "import", "list"} <= set(listed)
    assert listed["list"].startswith("The list of hedge positions, a page of 100")


def test_every_bench_has_goals_two_sizes_and_a_run() -> None:
    for name in bench.bench_names():
        module = bench.bench_module(name)
        assert module.GOALS, name
        assert all(isinstance(goal, Goal) for goal in module.GOALS), name
        assert module.SMALL.policies <= module.FULL.policies, name
        assert callable(module.run), name


@pytest.mark.usefixtures("own_bench")
def test_a_goal_that_is_met_ends_with_zero_and_the_decisive_goal_in_the_last_line() -> None:
    code, output = called("quick")

    assert code == 0
    assert output.splitlines()[0] == "quick: A bench of a test."
    assert output.splitlines()[-1] == "quick: ratio 1.2 (goal <= 1.5)"
    assert "goal: faster: ratio 1,000 (>= 50) met" in output
    assert "5 rounds" in output


@pytest.mark.usefixtures("own_bench")
def test_a_goal_that_is_missed_ends_with_one() -> None:
    code, output = called("quick", "--small", "--rounds", "3")

    assert code == 1
    assert output.splitlines()[-1] == "quick: ratio 10 (goal >= 50)"
    assert "goal: faster: ratio 10 (>= 50) MISSED" in output
    assert "3 rounds" in output


@pytest.mark.usefixtures("own_bench")
def test_a_wrong_answer_is_never_a_met_goal() -> None:
    code, output = called("quick", "--policies", "13")

    assert code == 1
    assert output.splitlines()[-1] == "quick: WRONG ANSWER: the sums differ"


@pytest.mark.usefixtures("own_bench")
def test_a_result_is_appended_as_a_line_of_json(tmp_path: Path) -> None:
    file = tmp_path / "figures.jsonl"

    called("quick", "--json", str(file))
    called("quick", "--json", str(file), "--policies", "60")

    first, second = (json.loads(line) for line in file.read_text().splitlines())
    assert first["bench"] == "quick"
    assert first["scale"] == {"policies": 1000, "rounds": 5}
    assert first["machine"]["cores"] >= 1
    assert second["goals"][0] == {"name": "faster", "goal": ">= 50", "ratio": 60.0, "met": True}


@pytest.mark.usefixtures("own_bench")
def test_the_page_of_figures_shows_the_newest_run_of_each_bench(tmp_path: Path) -> None:
    file = tmp_path / "figures.jsonl"
    called("quick", "--json", str(file), "--policies", "60")
    called("quick", "--json", str(file), "--policies", "40")

    code, output = called("--table", str(file))

    assert code == 0
    assert "| quick | faster | >= 50 | 40 | missed |" in output
    assert "| quick | cheaper | <= 1.5 | 1.2 | met |" in output
    assert "| 60 |" not in output


@pytest.mark.parametrize("words", [(), ("nonsense",), ("quick",)])
def test_a_bench_that_is_not_there_is_wrong_use(words: tuple[str, ...]) -> None:
    with pytest.raises(CommandError, match="choose one of attribution") as refused:
        called(*words)

    assert refused.value.returncode == 2


def test_an_install_without_the_benches_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench, "FOLDER", "tests.no_benches_here")

    with pytest.raises(CommandError, match="not part of this install") as refused:
        called("attribution")

    assert refused.value.returncode == 2


def test_the_decisive_goal_is_the_one_with_the_least_reserve() -> None:
    result = BenchResult(ratios={"faster": 55.0, "cheaper": 0.3})

    assert decisive((FASTER, CHEAPER), result) == (FASTER, 55.0)
    with pytest.raises(WrongAnswer, match="'cheaper' was not measured"):
        decisive((FASTER, CHEAPER), BenchResult(ratios={"faster": 55.0}))


@pytest.mark.parametrize(
    ("goal", "ratio", "is_met"),
    [(FASTER, 50.0, True), (FASTER, 49.9, False), (CHEAPER, 1.5, True), (CHEAPER, 1.51, False)],
)
def test_a_goal_is_met_at_its_limit_and_not_beyond(goal: Goal, ratio: float, is_met: bool) -> None:
    assert goal.is_met(ratio) is is_met


def test_the_page_of_figures_names_every_bench_and_judges_each_goal_by_its_own_figure() -> None:
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in lines
        if re.match(r"\| [a-z]+ \| .* \| [<>]= ", line)
    ]
    goals = {
        (name, goal.name, goal.words): goal
        for name in bench.bench_names()
        for goal in bench.bench_module(name).GOALS
    }

    assert [line.split("`")[1] for line in lines if line.startswith("| `")] == bench.bench_names()
    for row in rows:
        goal = goals[row[0], row[1], row[2]]
        assert goal.is_met(float(row[3].replace(",", ""))) is (row[4] == "met"), row


def test_the_page_of_figures_ends_with_the_runs_that_are_kept() -> None:
    _, output = called("--table", str(RUNS))

    shown = PAGE.read_text(encoding="utf-8").partition("## Goals")
    assert "".join(shown[1:]).strip() == output.strip(), (
        "replace what follows `## Goals` in docs/performance.md by what "
        "`manage.py bench --table docs/performance.jsonl` prints"
    )


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_the_command_runs_on_servers_of_its_own_and_leaves_ours_alone(tmp_path: Path) -> None:
    file = tmp_path / "figures.jsonl"
    words = ("bench", "import", "--policies", "500", "--rounds", "1", "--json", str(file))
    before = databases()

    ended = subprocess.run(
        [sys.executable, "manage.py", *words],
        cwd=ROOT,
        env=os.environ | {"TONSURANCE_NO_BOOTSTRAP": "1", "TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=RUN_S_MAX,
        check=False,
    )

    assert ended.returncode in (0, 1), ended.stderr
    assert re.fullmatch(r"import: ratio [\d.,]+ \(goal <= 2\)", ended.stdout.splitlines()[-1])
    assert json.loads(file.read_text())["scale"]["policies"] == 500
    assert databases() == before
    assert [made.name for made in tmp_path.iterdir()] == [file.name], "the run's servers are gone"
