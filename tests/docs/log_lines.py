"""Every log line that the package can write, read out of its source: what docs/operations.md has to list.

A line is the message of a call such as `_logger.warning(...)`, with `…` where a value stands. Three classes of the package
write lines for others, `RepeatedWarning`, `LossLog` and `DropLog`: their callers say the message, so a call of `.log` on an
object that is named after one of them counts, and what they forward (`%s%s`) does not.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

METHODS = {"debug", "info", "warning", "error", "exception", "critical", "log"}
PLACEHOLDER = re.compile(r"%(?:\.\d+)?[sdrf]")


class UnknownMessageError(AssertionError):
    """A call whose message is neither a string nor a name that a string was given to."""


def lines_of(package: Path) -> Iterator[str]:
    """Give the messages of all files below `package`."""
    for path in sorted(package.rglob("*.py")):
        if "demo" not in path.relative_to(package).parts:
            tree = ast.parse(path.read_text(encoding="utf-8"))
            for function in ast.walk(tree):
                if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
                    yield from _lines_in(function, path)


def _lines_in(function: ast.FunctionDef | ast.AsyncFunctionDef, path: Path) -> Iterator[str]:
    strings = {
        target.id: text
        for node in ast.walk(function)
        if isinstance(node, ast.Assign) and (text := _text(node.value, {})) is not None
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    parameters = {argument.arg for argument in function.args.args}
    for node in ast.walk(function):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in METHODS):
            continue
        if "log" not in (writer := ast.unparse(node.func.value).lower()) and node.func.attr != "log":
            continue
        if not node.args or "drops" in writer:
            continue  # a DropLog is told nothing: its own call of a logger has the message
        forwarded = any(isinstance(argument, ast.Name) and argument.id in parameters for argument in node.args[:2])
        texts = [text for argument in node.args if (text := _text(argument, strings)) is not None]
        message = next((text for text in texts if " " in text), None)
        if message is not None:
            yield message
        elif not forwarded and texts != ["……"]:
            raise UnknownMessageError(f"{path.name}:{node.lineno}: {ast.unparse(node)}")


def _text(node: ast.expr, strings: dict[str, str]) -> str | None:
    """Give what stands in a string, with `…` for each value."""
    if isinstance(node, ast.Name):
        return strings.get(node.id)
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return PLACEHOLDER.sub("…", node.value)
    if isinstance(node, ast.JoinedStr):
        parts = (part.value if isinstance(part, ast.Constant) else "…" for part in node.values)
        return PLACEHOLDER.sub("…", "".join(map(str, parts)))
    return None
