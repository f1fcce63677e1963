"""A runbook's Markdown as HTML: the few forms that docs/runbooks uses, everything else as it was written."""

from __future__ import annotations

import re
from itertools import groupby

from django.utils.html import conditional_escape, format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from tonsurance.plumbing import display

_CODE = re.compile(r"`([^`]+)`")
_LINK = re.compile(r"\[([^\]]+)\]\(([\w.-]+?)(?:\.md)?\)")


def runbook_html(text: str) -> tuple[str, SafeString]:
    """(title, body) of a page. Whatever is in the text is escaped."""
    title, _, rest = text.partition("\n")
    blocks = [block for block in re.split(r"\n\s*\n", rest.strip()) if block.strip()]
    return title.lstrip("# ").strip(), format_html_join("", "{}", ((_block(block),) for block in blocks))


def _block(block: str) -> SafeString:
    lines = block.splitlines()
    if lines[0].startswith("#"):
        return format_html('<h2 class="bo-runbook-head">{}</h2>', lines[0].lstrip("# "))
    if lines[0].startswith("|"):
        rows = [[inline_html(cell.strip()) for cell in line.strip("|").split("|")] for line in lines]
        return display.table([str(cell) for cell in rows[0]], rows[2:])
    items = _items(lines)
    if items:
        return format_html(
            '<ol class="bo-runbook-list">{}</ol>'
            if lines[0][0].isdigit()
            else '<ul class="bo-runbook-list">{}</ul>',
            format_html_join("", "<li>{}</li>", ((inline_html(item),) for item in items)),
        )
    return format_html("<p>{}</p>", inline_html(" ".join(lines)))


def _items(lines: list[str]) -> list[str]:
    """The items of a list, each with its continuation lines; empty for a paragraph."""
    if not re.match(r"(\d+\.|-) ", lines[0]):
        return []
    starts = 0
    numbered = []
    for line in lines:
        starts += bool(re.match(r"(\d+\.|-) ", line))
        numbered.append((starts, re.sub(r"^(\d+\.|-) ", "", line.strip())))
    return [" ".join(text for _, text in part) for _, part in groupby(numbered, key=lambda item: item[0])]


def inline_html(text: str) -> SafeString:
    """Code, bold, emphasis and links to other pages of the folder. What stands in code is left as it is."""
    codes = _CODE.findall(text := text.replace("\0", ""))
    safe = str(conditional_escape(_CODE.sub("\0", text)))
    safe = re.sub(r"\*\*([^*]+)\*\*", r"<strong>\1</strong>", safe)
    safe = re.sub(r"(?<![*\w])\*([^*]+)\*(?![*\w])", r"<em>\1</em>", safe)
    safe = _LINK.sub(
        r'<a class="text-primary-600 dark:text-primary-500 font-medium" href="../\2/">\1</a>', safe
    )
    shown = iter(codes)
    return mark_safe(re.sub("\0", lambda _: str(_code(next(shown))), safe))  # noqa: S308  escaped, but our own tags


def _code(words: str) -> SafeString:
    return format_html('<code class="bo-code">{}</code>', words)
