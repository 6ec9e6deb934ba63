"""Write docs/api.md from the docstrings of all public names.

    python docs/make_api.py           write it
    python docs/make_api.py --check   fail where it is not what would be written

Signatures are read from the source, and of compiled names from their stubs: what `inspect` prints differs between
versions of Python. Docstrings of compiled names come from the extension. What a class inherits is shown with it, and
what several classes share is described once.
"""

from __future__ import annotations

import ast
import functools
import importlib
import inspect
import re
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "python"
PAGE = ROOT / "docs" / "api.md"

MODULES = (
    "otlp_fast",
    "otlp_fast.errors",
    "otlp_fast.exporter.http",
    "otlp_fast.exporter.grpc",
    "otlp_fast.processor",
    "otlp_fast.compat",
    "otlp_fast.compression",
    "otlp_fast.columns",
    "otlp_fast.tracezip",
    "otlp_fast.tracezip.archive",
    "otlp_fast.files",
    "otlp_fast.gateway",
)
COMPILED = ("otlp_fast._core", "otlp_fast._sdk")

HEAD = """# API

Every public name, from the docstrings: made by `python docs/make_api.py`, and a test fails where it differs. What is
not here, and every name with an underscore in front, may change with any release.

"""

Function = ast.FunctionDef | ast.AsyncFunctionDef
SECTION = re.compile(r"(Args|Attributes|Returns|Raises|Yields):")


class Definition(NamedTuple):
    """Where a name is defined, and by what."""

    module: str
    node: ast.AST
    text: str = ""
    """What stands below it, of a constant."""


@functools.cache
def source_of(module: str) -> Path:
    """Give the file of a module, or its stub where it is compiled."""
    path = PACKAGE.joinpath(*module.split("."))
    package = path / "__init__.py"
    return package if package.exists() else path.with_suffix(".pyi" if module in COMPILED else ".py")


@functools.cache
def tree_of(module: str) -> ast.Module:
    """Parse a module."""
    return ast.parse(source_of(module).read_text(encoding="utf-8"))


def definition(module: str, name: str) -> Definition | None:
    """Follow imports to where `name` of `module` is defined; None where that is not in the package."""
    tree = tree_of(module)
    for node, below in zip(tree.body, [*tree.body[1:], None], strict=True):
        if isinstance(node, Function | ast.ClassDef) and node.name == name:
            return Definition(module, node)
        if name in assigned(node):
            return Definition(module, node, text_of(below))
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("otlp_fast"):
            for alias in node.names:
                if name == (alias.asname or alias.name):
                    return definition(node.module, alias.name)
    return None


def assigned(node: ast.AST) -> list[str]:
    """Give the names that a statement assigns."""
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    return [target.id for target in targets if isinstance(target, ast.Name)]


def text_of(node: ast.AST | None) -> str:
    """Give the string that a statement is, as it stands below a field."""
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
        return inspect.cleandoc(node.value.value)
    return ""


def docstring(module: str, node: Function | ast.ClassDef, owner: str = "") -> str:
    """Give what a name says of itself."""
    if module not in COMPILED:
        return ast.get_docstring(node) or ""
    place: object = importlib.import_module(module)
    for name in filter(None, (owner, node.name)):
        place = getattr(place, name)
    text = inspect.getdoc(place) or ""
    # Cython puts a signature in front.
    return re.sub(rf"\A(?:\w+\.)?{node.name}\(.*\n\n", "", text)


def signature(module: str, node: Function, name: str, *, is_method: bool = False) -> str:
    """Write how a function is called, as the source has it, on one line."""
    lines = source_of(module).read_text(encoding="utf-8").splitlines()[node.lineno - 1 : node.body[0].lineno]
    lines[-1] = lines[-1].encode()[: node.body[0].col_offset].decode()
    text = unwrapped(" ".join(line.split("  # ")[0] for line in lines)).removesuffix(":").rstrip()
    call = re.sub(r"^(?:async )?def \w+", name, text).replace("( ", "(").replace(", )", ")").replace(" )", ")")
    return re.sub(r"\((?:self|cls)(?:, /)?(?:, )?", "(", call, count=1) if is_method else call


def module_text(module: str) -> str:
    """Describe a module: the first paragraph of what it says, and its names."""
    tree = tree_of(module)
    summary = (ast.get_docstring(tree) or "").split("\n\n", 1)[0]
    parts = [f"## {module}\n\n{unwrapped(summary)}\n"]
    for name in public_names(module):
        found = definition(module, name)
        if found is None:
            raise LookupError(f"{module}.{name} is not defined in the package")
        parts.append("\n".join(entry(module, name, found)))
    return "\n".join(parts)


def public_names(module: str) -> list[str]:
    """Give the names of `__all__`, or without one those that are defined there."""
    tree = tree_of(module)
    listed = [ast.literal_eval(node.value) for node in tree.body if "__all__" in assigned(node)]
    kinds = (ast.FunctionDef, ast.ClassDef)
    names = listed[0] if listed else [node.name for node in tree.body if isinstance(node, kinds)]
    return sorted((name for name in names if name[0] != "_"), key=str.lower)


ENTRIES: dict[int, str] = {}
"""Where each definition was described first, by its node."""


def entry(module: str, name: str, found: Definition) -> Iterator[str]:
    """Describe one name, in lines."""
    node = found.node
    yield f"### {module}.{name}\n"
    if (first := ENTRIES.setdefault(id(node), f"{module}.{name}")) != f"{module}.{name}":
        yield f"The same as [{first}](#{anchor(first)}).\n"
    elif isinstance(node, ast.ClassDef):
        yield from class_lines(found.module, node, module, name)
    elif isinstance(node, Function):
        yield f"`{signature(found.module, node, name)}`\n"
        yield markdown(docstring(found.module, node))
    else:
        value = getattr(importlib.import_module(module), name)
        yield f"`{name} = {value!r}`\n"
        yield markdown(found.text)


def class_lines(module: str, node: ast.ClassDef, place: str, name: str) -> Iterator[str]:
    """Describe class `name` of the public module `place`: how it is made, what it says, its fields, its methods."""
    family = list(ancestors(module, node))
    for owner, base in family:
        if makers := [part for part in base.body if getattr(part, "name", "") in ("__init__", "__new__")]:
            yield f"`{signature(owner, makers[0], name, is_method=True).split(' -> ')[0]}`\n"
            break
    yield markdown(docstring(module, node))
    fields = [line for owner, base in reversed(family) for line in field_lines(owner, base)]
    if fields:
        yield "\n".join(dict.fromkeys(fields)) + "\n"
    methods = {
        part.name: (owner, base, part)
        for owner, base in reversed(family)
        for part in base.body
        if isinstance(part, Function) and part.name[0] != "_" and not is_property(part)
    }
    shared: dict[str, list[str]] = {}
    for owner, base, part in methods.values():
        first = ENTRIES.setdefault(id(part), f"{place}.{name}")
        if first == f"{place}.{name}":
            yield from method_lines(owner, base, part, name)
        else:
            shared.setdefault(first, []).append(f"`{part.name}`")
    for first, names in shared.items():
        yield f"As in [{first}](#{anchor(first)}): {', '.join(names)}.\n"


def ancestors(module: str, node: ast.ClassDef) -> Iterator[tuple[str, ast.ClassDef]]:
    """Give a class and its bases in the package, nearest first."""
    yield module, node
    for base in node.bases:
        named = base.value if isinstance(base, ast.Subscript) else base
        found = definition(module, named.id) if isinstance(named, ast.Name) else None
        if found is not None and isinstance(found.node, ast.ClassDef):
            yield from ancestors(found.module, found.node)


def is_property(node: Function) -> bool:
    """Say whether a method is read as a field."""
    return any("property" in ast.unparse(decorator) for decorator in node.decorator_list)


def field_lines(module: str, node: ast.ClassDef) -> Iterator[str]:
    """Describe annotated fields, columns and properties; fields without words stand in the docstring of their class."""
    for part, below in zip(node.body, [*node.body[1:], None], strict=True):
        for name in assigned(part):
            value = getattr(part, "value", None)
            if name[0] == "_":
                continue
            if isinstance(value, ast.Call) and ast.unparse(value.func).startswith("column["):
                kind, words = ast.unparse(value.func)[len("column[") : -1], text_of(ast.Expr(value.args[0]))
                yield f"- `{name}: {kind}`: {unwrapped(words)}"
            elif isinstance(part, ast.AnnAssign) and not re.search(rf"^ *{name}:", ast.get_docstring(node) or "", re.M):
                default = f" = {ast.unparse(part.value)}" if part.value is not None else ""
                words = text_of(below)
                yield f"- `{name}: {ast.unparse(part.annotation)}{default}`{words and ': '}{unwrapped(words)}"
            elif isinstance(part, ast.Assign) and isinstance(value, ast.Constant):
                yield f"- `{name} = {ast.unparse(value)}`"
        if isinstance(part, ast.FunctionDef) and part.name[0] != "_" and is_property(part):
            words = docstring(module, part, node.name).replace("\n\n", " ")
            kind = f": {ast.unparse(part.returns)}" if part.returns is not None else ""
            yield f"- `{part.name}{kind}`: {unwrapped(words)}"


def method_lines(module: str, owner: ast.ClassDef, node: Function, name: str) -> Iterator[str]:
    """Describe a method of class `name`, which it may have from `owner`."""
    is_static = any("staticmethod" in ast.unparse(decorator) for decorator in node.decorator_list)
    call = signature(module, node, node.name, is_method=not is_static)
    yield f"#### {name}.{node.name}\n\n`{call}`\n\n{markdown(docstring(module, node, owner.name))}"


def anchor(heading: str) -> str:
    """Give what GitHub makes of a heading."""
    return re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")


def unwrapped(text: str) -> str:
    """Join the lines of a paragraph."""
    return " ".join(text.split())


def markdown(text: str) -> str:
    """Turn a docstring into Markdown: sections into lists, examples into blocks."""
    lines: list[str] = []
    for paragraph in re.split(r"\n\n+", text):
        if paragraph.lstrip().startswith(">>>"):
            code = re.sub(r" +# doctest: \+SKIP", "", textwrap.dedent(paragraph))
            lines += ["```pycon", code, "```", ""]
        elif section := SECTION.match(paragraph):
            words = paragraph.partition("\n")[2]
            entries = [unwrapped(words)] if section[1] in ("Returns", "Yields") else section_lines(words)
            lines += [f"**{section[1]}**", "", *entries, ""]
        elif paragraph.strip():
            items = re.split(r"\n(?=- )", paragraph)
            lines += [*map(unwrapped, items), ""]
    return "\n".join(lines)


def section_lines(text: str) -> list[str]:
    """Give the entries of a section: each begins at the first indentation, and is continued deeper."""
    entries = re.split(r"\n(?! )", textwrap.dedent(text))
    return [re.sub(r"^- ([\w.*, ]+?):", r"- `\1`:", f"- {unwrapped(entry)}") for entry in entries]


def page() -> str:
    """Give the whole page."""
    ENTRIES.clear()
    contents = "\n".join(f"- [{module}](#{anchor(module)})" for module in MODULES)
    return HEAD + contents + "\n\n" + re.sub(r"\n{3,}", "\n\n", "\n".join(map(module_text, MODULES))).strip() + "\n"


def main() -> None:
    """Write the page, or check it."""
    if sys.argv[1:] == ["--check"]:
        if page() != PAGE.read_text(encoding="utf-8"):
            sys.exit(f"{PAGE}: differs from the docstrings; write it anew with `python docs/make_api.py`")
    elif sys.argv[1:]:
        sys.exit(__doc__)
    else:
        PAGE.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
