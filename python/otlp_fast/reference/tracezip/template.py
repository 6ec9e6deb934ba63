"""Text that has variables in it: a log's body, a URL. What stays is the *template*, a shape; the rest are its holes.

Only runs of ASCII letters and digits can be variables:

| run | hole | in the template |
|---|---|---|
| a UUID as they are written, 36 characters in lower case | text of the family of UUIDs | `UUID` |
| 8 to 64 hexadecimal digits in lower case, decimal ones and letters | those digits | `HEX` and how many |
| at least 6 letters and digits of both kinds | text of the family of words | `WORD` |
| digits, also within shorter runs; at most 18 | a number, with its width where it is padded with zeros | `DIGITS` |
"""

from __future__ import annotations

import re
from collections.abc import Callable

from otlp_fast.reference.tracezip.constants import (
    DIGITS_FAMILY,
    MAX_DIGITS,
    MAX_HEX_LEN,
    MAX_TEXT_LEN,
    MAX_VARIABLES,
    MIN_HEX_LEN,
    MIN_WORD_LEN,
    UUID_FAMILY,
    WORD_FAMILY,
)
from otlp_fast.reference.tracezip.errors import damaged
from otlp_fast.reference.tracezip.plan import Hole
from otlp_fast.reference.tracezip.shape import Copy, Form, HoleOf, Mark, Shape, Step

DIGITS, HEX, WORD, UUID = range(4)
"""What stands in a template for each kind of variable. A text that has one of these characters has no template."""

IS_UUID = re.compile(rb"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
TOKENS = re.compile(
    rb"(?P<uuid>" + IS_UUID.pattern + rb")(?![0-9A-Za-z])|(?P<run>[0-9A-Za-z]+)|(?P<other>.)", re.DOTALL
)
"""A text from left to right: UUIDs where none goes on, runs, and what stands between these."""


def parse(text: bytes) -> tuple[bytes, list[bytes]] | None:
    """Give the template of a text and its variables; None where it has none, or too many."""
    if len(text) > MAX_TEXT_LEN:
        return None
    template = bytearray()
    variables: list[bytes] = []
    for token in TOKENS.finditer(text):
        content = token[0]
        if token.lastgroup == "uuid":
            template.append(UUID)
            variables.append(content)
        elif token.lastgroup == "run":
            _parse_run(content, template, variables)
        elif content[0] <= UUID:
            return None
        else:
            template += content
    return (bytes(template), variables) if 1 <= len(variables) <= MAX_VARIABLES else None


def _parse_run(run: bytes, template: bytearray, variables: list[bytes]) -> None:
    """Take a run of letters and digits apart."""
    is_mixed = not run.isdigit() and not run.isalpha()
    if is_mixed and MIN_HEX_LEN <= len(run) <= MAX_HEX_LEN and re.fullmatch(rb"[0-9a-f]+", run):
        template += bytes([HEX, len(run)])
        variables.append(run)
    elif is_mixed and len(run) >= MIN_WORD_LEN:
        template.append(WORD)
        variables.append(run)
    else:
        for part in re.findall(rb"[0-9]+|[A-Za-z]+", run):
            if part.isdigit() and len(part) <= MAX_DIGITS:
                template.append(DIGITS)
                variables.append(part)
            else:
                template += part


def read_template(template: bytes, family: Callable[[bytes], int]) -> Shape:
    """Read a template. `family` gives the number of a family by its name.

    Raises:
        CompressionError: it is none.
    """
    steps: list[Step] = []
    holes: list[HoleOf] = []
    at = 0
    while at < len(template):
        byte = template[at]
        at += 1
        if byte > UUID:
            steps.append(Copy(bytes([byte])))
            continue
        length = 0
        if byte == HEX:
            length = template[at] if at < len(template) else 0
            if not MIN_HEX_LEN <= length <= MAX_HEX_LEN:
                raise damaged("a template that is none", at)
            at += 1
        hole = {DIGITS: Hole.DIGITS, HEX: Hole.HEX, WORD: Hole.TEXT, UUID: Hole.TEXT}[byte]
        name = {DIGITS: DIGITS_FAMILY, HEX: DIGITS_FAMILY, WORD: WORD_FAMILY, UUID: UUID_FAMILY}[byte]
        steps.append(Mark.HOLE)
        holes.append(HoleOf(hole, Form.TEXT, family(name), length=length))
    if len(holes) > MAX_VARIABLES:
        raise damaged("a template with too many variables", 0)
    return Shape(template, steps, holes, {})


def parse_uuid(text: bytes) -> bytes | None:
    """Give the 16 bytes of a UUID that is written as they all are: 36 characters, in lower case."""
    return bytes.fromhex(text.decode().replace("-", "")) if IS_UUID.fullmatch(text) else None


def write_uuid(uuid: bytes) -> bytes:
    """Write a UUID."""
    digits = uuid.hex()
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:])).encode()
