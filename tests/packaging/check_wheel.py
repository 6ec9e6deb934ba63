"""Whether wheels are what a stranger may be given: `python tests/packaging/check_wheel.py WHEEL...`

Of each wheel: that its tag is one that we publish, that it holds exactly the package, its size, that its shared object
needs nothing but the C library, and that an empty environment of its CPython can install and use it: first without any
dependency, then with the SDK. What is wrong is said per wheel, and a table at the end says it all again in short. The
exit status is 1 where anything is wrong, or where the CPython of a wheel is not here to try it.

It needs packaging and pyelftools, and an index for the SDK. `make wheels` calls it for what it built.
"""

from __future__ import annotations

import io
import os
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

from elftools.elf.elffile import ELFFile
from packaging.tags import Tag
from packaging.utils import parse_wheel_filename

PROJECT = Path(__file__).resolve().parents[2]
MAX_BYTES = 4 << 20
PLATFORMS = r"manylinux_2_17_\w+|manylinux2014_\w+|musllinux_1_2_\w+|macosx_\d+_\d+_\w+|win_amd64"
# What the C library of Linux and the compiler's runtime consist of: PEP 600 has them on every system.
SYSTEM_LIBRARIES = r"lib(c|m|dl|pthread|rt|gcc_s)\.so\.\d|libc\.so|libc\.musl-\w+\.so\.1|ld-linux-[\w-]+\.so\.\d"
MAX_GLIBC = (2, 17)
# What is beside the package: maturin writes a bill of materials as well.
METADATA = {"METADATA", "RECORD", "WHEEL", "entry_points.txt", "licenses/LICENSE"}
BILL_OF_MATERIALS = "sboms/otlp-fast.cyclonedx.json"

TRY_CORE = """
import otlp_fast, sys
build = otlp_fast.build_info()
assert build["version"] == otlp_fast.__version__ == sys.argv[1], build
assert build["profile"] == "release", build
assert otlp_fast.encode_spans([]) == b""
assert "opentelemetry" not in sys.modules
assert sys.prefix in otlp_fast.__file__, otlp_fast.__file__
"""
TRY_EXPORTER = """
import json, otlp_fast
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
import otlp_fast.exporter.http, otlp_fast.processor
memory, provider = InMemorySpanExporter(), TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(memory))
for number in range(3):
    tracer = provider.get_tracer("check")
    tracer.start_span(f"span {number}", attributes={"n": number, "s": "h\\u00e9"}).end()
request = json.loads(otlp_fast.to_json(otlp_fast.encode_spans(memory.get_finished_spans()), "traces"))
spans = request["resourceSpans"][0]["scopeSpans"][0]["spans"]
assert [span["name"] for span in spans] == ["span 0", "span 1", "span 2"], spans
assert spans[2]["attributes"][1] == {"key": "s", "value": {"stringValue": "h\\u00e9"}}, spans
"""


def check_tag(wheel: Path) -> Iterator[str]:
    """For which systems its name says it is."""
    for tag in tags_of(wheel):
        if not re.fullmatch(PLATFORMS, tag.platform):
            yield f"is tagged {tag.platform}, which is not for publishing"


def check_contents(wheel: Path) -> Iterator[str]:
    """The package as it is in the sources, one shared object, the metadata, and nothing else."""
    name, version, *_ = parse_wheel_filename(wheel.name)
    metadata = f"{name.replace('-', '_')}-{version}.dist-info"
    sources = [path for path in (PROJECT / "python").rglob("*") if path.suffix in {".py", ".pyi", ".typed"}]
    wanted = {path.relative_to(PROJECT / "python").as_posix() for path in sources}
    wanted |= {f"{metadata}/{file}" for file in METADATA}
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    found = {file for file in names if file != f"{metadata}/{BILL_OF_MATERIALS}" and not is_native(file)}
    yield from (f"lacks {file}" for file in sorted(wanted - found))
    yield from (f"holds {file}, which is not of the package" for file in sorted(found - wanted))
    native = [file for file in names if is_native(file)]
    if len(native) != 1 or not re.fullmatch(rf"otlp_fast/_core\..*{python_digits(wheel)}.*", native[0]):
        yield f"should hold one _core for its CPython, but holds {', '.join(native) or 'none'}"
    if len(names) != len(set(names)):
        yield "holds a file twice"


def check_size(wheel: Path) -> Iterator[str]:
    """That it is small."""
    if (size := wheel.stat().st_size) > MAX_BYTES:
        yield f"is {size / (1 << 20):.1f} MiB large, above {MAX_BYTES >> 20} MiB"


def check_libraries(wheel: Path) -> Iterator[str]:
    """What its shared object asks of the system. Those of macOS and Windows are not looked into."""
    with zipfile.ZipFile(wheel) as archive:
        for file in filter(is_native, archive.namelist()):
            if (content := archive.read(file)).startswith(b"\x7fELF"):
                yield from check_elf(ELFFile(io.BytesIO(content)))


def check_elf(elf: ELFFile) -> Iterator[str]:
    """The libraries that it needs, and the versions of glibc's symbols."""
    for tag in elf.get_section_by_name(".dynamic").iter_tags("DT_NEEDED"):
        if not re.fullmatch(SYSTEM_LIBRARIES, tag.needed):
            yield f"needs {tag.needed}"
    needs = elf.get_section_by_name(".gnu.version_r")
    for _, versions in needs.iter_versions() if needs else ():
        for version in versions:
            number = re.fullmatch(r"GLIBC_(\d+)\.(\d+)(\.\d+)?", version.name)
            if number and (int(number[1]), int(number[2])) > MAX_GLIBC:
                yield f"needs {version.name}, newer than {'.'.join(map(str, MAX_GLIBC))}"


def check_installed(wheel: Path) -> Iterator[str]:
    """It works in an empty environment, without dependencies and with the SDK."""
    version = re.sub(r"(\d)(\d+)", r"\1.\2", python_digits(wheel))
    running = ".".join(map(str, sys.version_info[:2])) == version
    if (python := sys.executable if running else shutil.which(f"python{version}")) is None:
        yield f"could not be tried: python{version} was not found"
        return
    with tempfile.TemporaryDirectory() as directory:
        environment = Path(directory) / "environment"
        inside = environment / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
        pip = (inside, "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
        for command in (
            (python, "-m", "venv", environment),
            (*pip, "--no-index", wheel.resolve()),
            (inside, "-c", TRY_CORE, str(parse_wheel_filename(wheel.name)[1])),
            (*pip, f"{wheel.resolve()}[exporter]"),
            (inside, "-W", "error", "-c", TRY_EXPORTER),
        ):
            # Neither the packages of whoever asks, nor those in the current directory.
            clean = {name: value for name, value in os.environ.items() if name not in {"PYTHONPATH", "VIRTUAL_ENV"}}
            result = subprocess.run(command, cwd=directory, capture_output=True, text=True, env=clean)
            if result.returncode != 0:
                script = " ".join(str(part) for part in command if "\n" not in str(part))
                yield f"failed in an empty environment: {script}\n{result.stderr[-2000:]}"
                return


CHECKS: dict[str, Callable[[Path], Iterator[str]]] = {
    "tag": check_tag,
    "contents": check_contents,
    "size": check_size,
    "libraries": check_libraries,
    "installed": check_installed,
}


def tags_of(wheel: Path) -> frozenset[Tag]:
    """What the name of a wheel says it is for."""
    return parse_wheel_filename(wheel.name)[3]


def python_digits(wheel: Path) -> str:
    """Its CPython as file names say it: 311."""
    return next(iter(tags_of(wheel))).interpreter.removeprefix("cp")


def is_native(file: str) -> bool:
    """Whether a name in a wheel is that of a shared object."""
    return re.search(r"\.(so|pyd|dll|dylib)(\.|$)", file) is not None


def main(wheels: list[Path]) -> int:
    """Check each wheel; 0 where nothing is wrong."""
    if not wheels:
        print("usage: python tests/packaging/check_wheel.py WHEEL...", file=sys.stderr)
        return 2
    if missing := [wheel for wheel in wheels if not wheel.is_file()]:
        print(f"no such wheel: {', '.join(map(str, missing))}", file=sys.stderr)
        return 2
    rows = []
    for wheel in wheels:
        print(f"{wheel.name}:", flush=True)
        row = []
        for name, check in CHECKS.items():
            complaints = list(check(wheel))
            row.append("WRONG" if complaints else "good")
            for complaint in complaints:
                print(f"  {name}: {complaint}", flush=True)
        print("  can be published" if "WRONG" not in row else "  must not be published", flush=True)
        rows.append((wheel, row))
    width = max(len(wheel.name) for wheel in wheels)
    print(f"\n{'wheel':{width}}  {'MiB':>5}  " + "  ".join(f"{name:9}" for name in CHECKS))
    for wheel, row in rows:
        size = wheel.stat().st_size / (1 << 20)
        print(f"{wheel.name:{width}}  {size:5.2f}  " + "  ".join(f"{answer:9}" for answer in row))
    return int(any("WRONG" in row for _, row in rows))


if __name__ == "__main__":
    sys.exit(main([Path(argument) for argument in sys.argv[1:]]))
