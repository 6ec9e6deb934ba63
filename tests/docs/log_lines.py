"""Every log line that the package can write, read out of its source: what docs/operations.md has to list.

A line is the message of a call such as `_logger.warning(...)`, with `…` where a value stands. Two classes of the
package write lines for others, `RepeatedWarning` and `LossLog`: what they forward has no words of its own, and their
callers have.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import NamedTuple

LEVELS = {name: name for name in ("debug", "info", "warning", "error")} | {"exception": "error", "log": None}
PLACEHOLDERS = re.compile(r"(?:%(?:\.\d+)?[sdrf]|…)+")


class LogLine(NamedTuple):
    """A line that can be written."""

    message: str
    level: str | None
    """None where it is chosen as the line is written."""


class UnknownMessageError(AssertionError):
    """A call whose message is neither a string nor a name that a string was given to."""


def lines_of(package: Path) -> list[LogLine]:
    """Give the lines of all files below `package`, but for the demo's application."""
    files = [path for path in sorted(package.rglob("*.py")) if "demo" not in path.relative_to(package).parts]
    return [line for path in files for line in lines_in(ast.parse(path.read_text(encoding="utf-8")))]


def lines_in(module: ast.Module) -> list[LogLine]:
    """Give the lines of one file."""
    functions = [node for node in ast.walk(module) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    return [line for function in functions for line in _lines_of_function(function)]


def _lines_of_function(function: ast.FunctionDef | ast.AsyncFunctionDef) -> list[LogLine]:
    strings = {
        ast.unparse(target): text
        for node in ast.walk(function)
        if isinstance(node, ast.Assign) and (text := _text(node.value, {}))
        for target in node.targets
    }
    parameters = {argument.arg for argument in function.args.args}
    lines = []
    for call in ast.walk(function):
        if not (isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr in LEVELS):
            continue
        level, writer = LEVELS[call.func.attr], ast.unparse(call.func.value)
        if call.args and (chosen := re.fullmatch(r"logging\.([A-Z]+)", ast.unparse(call.args[0]))):
            level = chosen[1].lower()
        if not call.args or ("log" not in writer and call.func.attr != "log"):
            continue
        texts = [text for argument in call.args if (text := _text(argument, strings))]
        if messages := [text for text in texts if " " in text]:
            lines.append(LogLine(messages[0], level))
        elif not parameters.intersection(map(ast.unparse, call.args)):
            raise UnknownMessageError(f"no message in {ast.unparse(call)}")
    return lines


def _text(node: ast.expr, strings: dict[str, str]) -> str | None:
    """Give what stands in a string, with `…` for each value."""
    if isinstance(node, ast.JoinedStr):
        parts = (part.value if isinstance(part, ast.Constant) else "…" for part in node.values)
        return PLACEHOLDERS.sub("…", "".join(map(str, parts)))
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return PLACEHOLDERS.sub("…", node.value)
    return strings.get(ast.unparse(node))
