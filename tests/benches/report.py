"""Writes what a bench found: a table for people, and one line of JSON per run for the page of figures."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

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


def _amount(value: float) -> str:
    """Three figures that count, without an exponent for what people read."""
    if value >= 1000:
        return f"{value:,.0f}"
    if value >= 100:
        return f"{value:.0f}"
    return f"{value:.3g}"
