"""Shows a person what is going on: a moving line on a terminal, plain lines elsewhere."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn


class Steps:
    """The steps of a launch, printed as they end; several may be under way at once."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self._began = time.monotonic()
        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            TimeElapsedColumn(),
            console=console,
            transient=True,
        )

    def __enter__(self) -> Steps:
        if self.console.is_terminal:
            self._progress.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        if self.console.is_terminal:
            self._progress.stop()

    @contextlib.contextmanager
    def step(self, doing: str) -> Iterator[list[str]]:
        """Show `doing` while the block runs; words appended to the yielded list are told with its end."""
        began = time.monotonic()
        told: list[str] = []
        task = self._progress.add_task(doing)
        if not self.console.is_terminal:
            self.console.print(f"  ...  {doing}", highlight=False)
        try:
            yield told
        except BaseException:
            self._say("[red]fail[/red]", doing, told, began)
            raise
        finally:
            self._progress.remove_task(task)
        self._say("[green] ok [/green]", doing, told, began)

    def elapsed_s(self) -> float:
        """Seconds since the first step."""
        return time.monotonic() - self._began

    def _say(self, mark: str, doing: str, told: list[str], began: float) -> None:
        words = f"{doing}: {', '.join(told)}" if told else doing
        self.console.print(f"  {mark} {words}  [dim]{time.monotonic() - began:.1f} s[/dim]", highlight=False)
