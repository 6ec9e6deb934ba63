"""What `check_wheel.py` says of wheels that are wrong: each is made of one that is right, by hand, in a second."""

from __future__ import annotations

import io
import os
import platform
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from elftools.elf.elffile import ELFFile

from tests.packaging import check_wheel

PROJECT = Path(__file__).resolve().parents[2]
NAME = "otlp_fast-0.1.0-cp311-cp311-{}.whl"
DIST_INFO = "otlp_fast-0.1.0.dist-info"
NATIVE = "otlp_fast/_core.cpython-311-x86_64-linux-gnu.so"


def make_wheel(directory: Path, *, platform: str = "manylinux_2_17_x86_64.manylinux2014_x86_64", without: str = "",
               **others: bytes) -> Path:  # fmt: skip
    """A wheel with the files of the package, but one, and some that are named here."""
    wheel = directory / NAME.format(platform)
    sources = [path for path in (PROJECT / "python").rglob("*") if path.suffix in {".py", ".pyi", ".typed"}]
    files = {path.relative_to(PROJECT / "python").as_posix(): b"" for path in sources}
    files |= {f"{DIST_INFO}/{name}": b"" for name in check_wheel.METADATA} | {NATIVE: b""} | others
    with zipfile.ZipFile(wheel, "w") as archive:
        for name, content in files.items():
            if name != without:
                archive.writestr(name, content)
    return wheel


def test_nothing_is_said_of_a_good_wheel(tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path)
    for name in ("tag", "contents", "size", "libraries"):
        assert list(check_wheel.CHECKS[name](wheel)) == []


@pytest.mark.parametrize("platform", ["linux_x86_64", "manylinux_2_28_x86_64", "manylinux_2_34_aarch64"])
def test_tag_of_a_newer_or_an_unnamed_linux_is_named(platform: str, tmp_path: Path) -> None:
    (complaint,) = check_wheel.check_tag(make_wheel(tmp_path, platform=platform))
    assert f"tagged {platform}" in complaint


def test_files_that_lack_or_do_not_belong_are_named(tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path, without="otlp_fast/py.typed", **{"tests/secret.py": b""})
    assert list(check_wheel.check_contents(wheel)) == [
        "lacks otlp_fast/py.typed",
        "holds tests/secret.py, which is not of the package",
    ]


@pytest.mark.parametrize("other", ["otlp_fast/_core.cpython-312-x86_64-linux-gnu.so", "otlp_fast.libs/libz.so.1"])
def test_another_shared_object_is_named(other: str, tmp_path: Path) -> None:
    (complaint,) = check_wheel.check_contents(make_wheel(tmp_path, **{other: b""}))
    assert other in complaint


def test_shared_object_of_another_python_is_named(tmp_path: Path) -> None:
    other = "otlp_fast/_core.cpython-312-x86_64-linux-gnu.so"
    (complaint,) = check_wheel.check_contents(make_wheel(tmp_path, without=NATIVE, **{other: b""}))
    assert other in complaint


def test_large_wheel_is_named(tmp_path: Path) -> None:
    (complaint,) = check_wheel.check_size(make_wheel(tmp_path, **{NATIVE: bytes(5 << 20)}))
    assert complaint == "is 5.0 MiB large, above 4 MiB"


@pytest.mark.skipif(sys.platform != "linux" or shutil.which("cc") is None, reason="links a small ELF file by cc")
def test_libraries_and_new_symbols_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source, other, library = tmp_path / "a.c", tmp_path / "libother.so", tmp_path / "a.so"
    source.write_text("#include <stdlib.h>\nvoid *f(void) { return malloc(1); }")
    link = ["cc", "-shared", "-fPIC", "-Wl,--no-as-needed", "-o"]
    subprocess.run([*link, other, "-nostdlib", "-x", "c", os.devnull], check=True)
    subprocess.run([*link, library, source, "-L", tmp_path, "-lother"], check=True)
    content = library.read_bytes()
    assert list(check_wheel.check_elf(ELFFile(io.BytesIO(content)))) == ["needs libother.so"]

    monkeypatch.setattr(check_wheel, "MAX_GLIBC", (2, 1))
    newer = [
        complaint for complaint in check_wheel.check_elf(ELFFile(io.BytesIO(content))) if "newer than 2.1" in complaint
    ]
    assert newer or platform.libc_ver()[0] != "glibc"


def test_wheel_that_cannot_be_installed_is_named(tmp_path: Path) -> None:
    digits = "".join(map(str, sys.version_info[:2]))
    wheel = make_wheel(tmp_path).rename(tmp_path / f"otlp_fast-0.1.0-cp{digits}-cp{digits}-manylinux_2_17_x86_64.whl")
    (complaint,) = check_wheel.check_installed(wheel)
    assert complaint.startswith("failed in an empty environment: ")


def test_wheel_of_a_python_that_is_not_here_is_not_passed_over(tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path).rename(tmp_path / "otlp_fast-0.1.0-cp399-cp399-manylinux_2_17_x86_64.whl")
    assert list(check_wheel.check_installed(wheel)) == ["could not be tried: python3.99 was not found"]


def test_table_and_exit_status_tell_which_wheel_is_wrong(tmp_path: Path, capsys: pytest.CaptureFixture[str],
                                                         monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    monkeypatch.setitem(check_wheel.CHECKS, "installed", lambda wheel: iter(()))
    good, bad = make_wheel(tmp_path), make_wheel(tmp_path, platform="linux_x86_64")
    assert check_wheel.main([good]) == 0
    assert "can be published" in capsys.readouterr().out
    assert check_wheel.main([good, bad]) == 1
    *_, first, second = capsys.readouterr().out.splitlines()
    assert (first.startswith(good.name), "WRONG" in first) == (True, False)
    assert (second.startswith(bad.name), "WRONG" in second) == (True, True)
    assert check_wheel.main([]) == check_wheel.main([tmp_path / "none.whl"]) == 2
