"""Figures as a record has them: the summary that tables are made from, and what every single round gave."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from otlp_fast.bench.measure import Spread


def spread(values: Sequence[float]) -> dict[str, float]:
    """Give median, quartiles and the least value, rounded for the file."""
    return {name: significant(value) for name, value in asdict(Spread.of(values)).items()}


def series(values: Sequence[float]) -> dict[str, Any]:
    """Give the spread of a series, and the series."""
    return {**spread(values), "rounds": [significant(value) for value in values]}


def significant(value: float) -> float:
    """Keep five significant digits: more than any of these figures has."""
    return float(f"{value:.5g}")


def as_text(record: Mapping[str, Any]) -> str:
    """Give a record as JSON for people, too: one line for the figures of all rounds, not one for each."""
    text = json.dumps(record, indent=1, ensure_ascii=False)
    return re.sub(r"\[[^\[\]{}\"]*\]", lambda figures: re.sub(r"\s+", " ", figures[0]), text) + "\n"
