"""Writes what a bench found: a table for people, and one line of JSON per run for the page of figures."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TextIO

from tests.benches.machine import Machine
from tests.benches.result import BenchResult, BenchScale, Goal, decisive


def print_result(
    name: str, *, goals: tuple[Goal, ...], result: BenchResult, loads: tuple[str, str], out: TextIO
) -> bool:
    """Print figures, goals, and as the last line the decisive goal; returns whether every goal was met."""
    width = max((len(figure.name) for figure in result.figures), default=0)
    for figure in result.figures:
        line = f"  {figure.name:<{width}}  {_amount(figure.value):>12} {figure.unit:<7} {figure.note}"
        out.write(f"{line.rstrip()}\n")
    if result.peak_rss_mib is not None:
        out.write(f"  {'peak memory of this process':<{width}}  {_amount(result.peak_rss_mib):>12} MiB\n")
    for note in result.notes:
        out.write(f"  {note}\n")
    out.write(f"  load {loads[0]} before, {loads[1]} after\n")
    worst, ratio = decisive(goals, result)
    for goal in goals:
        reached = result.ratios[goal.name]
        verdict = "met" if goal.is_met(reached) else "MISSED"
        out.write(f"  goal: {goal.name}: ratio {_amount(reached)} ({goal.words}) {verdict}\n")
    out.write(f"{name}: ratio {_amount(ratio)} (goal {worst.words})\n")
    return all(goal.is_met(result.ratios[goal.name]) for goal in goals)


def append_json(
    file: Path,
    *,
    name: str,
    scale: BenchScale,
    goals: tuple[Goal, ...],
    result: BenchResult,
    machine: Machine,
    loads: tuple[str, str],
) -> None:
    """Append the run to `file` as one line."""
    line = {
        "bench": name,
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": asdict(machine),
        "load": loads,
        "scale": asdict(scale),
        "goals": [
            {"name": goal.name, "goal": goal.words, "ratio": result.ratios[goal.name]}
            | {"met": goal.is_met(result.ratios[goal.name])}
            for goal in goals
        ],
        "figures": [asdict(figure) for figure in result.figures],
        "notes": result.notes,
        "peak_rss_mib": result.peak_rss_mib,
    }
    with file.open("a", encoding="utf-8") as out:
        out.write(json.dumps(line) + "\n")


def print_table(file: Path, *, out: TextIO) -> None:
    """Print the newest run of each bench in `file` (see `append_json`) as the end of docs/performance.md."""
    newest: dict[str, dict[str, Any]] = {}
    for line in file.read_text(encoding="utf-8").splitlines():
        run = json.loads(line)
        newest[run["bench"]] = run
    runs = [newest[name] for name in sorted(newest)]
    out.write("## Goals\n\n| bench | goal | asked | reached | | run |\n|-|-|-|-|-|-|\n")
    for run in runs:
        load = f"load {run['load'][0]} to {run['load'][1]}"
        when = f"{run['at'][:16].replace('T', ' ')}, {run['machine']['commit'] or 'no commit'}, {load}"
        for goal in run["goals"]:
            verdict = "met" if goal["met"] else "missed"
            cells = (run["bench"], goal["name"], goal["goal"], _amount(goal["ratio"]), verdict, when)
            out.write(f"| {' | '.join(cells)} |\n")
    out.write("\n## Figures\n\n`work` is policies × rounds; a figure is the median of the rounds.\n\n")
    out.write("| bench | work | what | amount |\n|-|-|-|-|\n")
    for run in runs:
        work = f"{run['scale']['policies']:,} × {run['scale']['rounds']}"
        figures = [(figure["name"].strip(), figure["value"], figure["unit"]) for figure in run["figures"]]
        if run["peak_rss_mib"] is not None:
            figures.append(("peak memory", run["peak_rss_mib"], "MiB"))
        for number, (name, value, unit) in enumerate(figures):
            first = (run["bench"], work) if number == 0 else ("", "")
            out.write(f"| {first[0]} | {first[1]} | {name} | {_amount(value)} {unit} |\n")
    machines = {Machine(**run["machine"]).words for run in runs}
    for words in sorted(machines):
        if not any(other != words and other.startswith(words) for other in machines):
            out.write(f"\n{words}\n")


def _amount(value: float) -> str:
    """Three figures that count, without an exponent for what people read."""
    if value >= 1000:
        return f"{value:,.0f}"
    if value >= 100:
        return f"{value:.0f}"
    return f"{value:.3g}"
