"""What is said where NumPy or pyarrow is not installed, and what does not need them."""

from __future__ import annotations

import subprocess
import sys

import pytest

WITHOUT = """
import sys

class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {modules!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Missing())
import otlp_fast
{statement}
"""


def run_without(modules: list[str], statement: str) -> subprocess.CompletedProcess[str]:
    """Run a statement where these modules cannot be imported."""
    script = WITHOUT.format(modules=modules, statement=statement)
    return subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)


@pytest.mark.parametrize("statement", ["otlp_fast.decode_traces(b'')", "import otlp_fast.columns"])
def test_without_numpy_the_error_names_the_extra(statement: str) -> None:
    result = run_without(["numpy"], statement)
    assert result.stderr.splitlines()[-1] == (
        "ModuleNotFoundError: otlp_fast.columns needs the module numpy: pip install 'otlp-fast[columns]'"
    )


@pytest.mark.parametrize(
    "statement",
    [
        "otlp_fast.decode_traces(b'').to_arrow()",
        "otlp_fast.decode_traces(b'').attributes['k'].to_arrow()",
        "type(otlp_fast.decode_logs(b'')).from_arrow(1)",
        "otlp_fast.columns.write_traces(otlp_fast.decode_traces(b''))",
    ],
)
def test_without_pyarrow_the_error_names_the_extra(statement: str) -> None:
    result = run_without(["pyarrow"], f"import otlp_fast.columns; {statement}")
    expected = "ModuleNotFoundError: Arrow needs the module pyarrow: pip install 'otlp-fast[columns]'"
    assert result.stderr.splitlines()[-1] == expected


def test_without_pyarrow_columns_work() -> None:
    statement = "traces = otlp_fast.decode_traces(b''); print(len(traces), len(traces.attributes['k'].values))"
    result = run_without(["pyarrow"], statement)
    assert (result.stdout, result.stderr) == ("0 0\n", "")
