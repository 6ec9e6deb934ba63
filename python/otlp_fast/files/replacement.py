"""A file that takes its name only once it is whole: until then the old one stays, and nothing is left of a half one."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import BinaryIO


class Replacement:
    """A new file beside the one whose place it is to take.

    Its name is chosen before it is created, and is nobody else's: so `discard` can follow whatever interrupts `open`.
    """

    def __init__(self, path: Path) -> None:
        """Choose its name; nothing is created."""
        # The file that a symbolic link shows is replaced, not the link.
        self._path = Path(os.path.realpath(path))
        self._part = self._path.with_name(f".{self._path.name}.{os.urandom(6).hex()}.part")
        self._file: BinaryIO | None = None

    def open(self) -> BinaryIO:
        """Create it.

        Raises:
            OSError: the folder cannot be written to.
        """
        self._file = self._part.open("xb")
        return self._file

    def commit(self, *, overwrite: bool) -> None:
        """Close it and give it its name, with the permissions of the file that had it.

        Raises:
            FileExistsError: `overwrite` is not set, and a file has taken the name in the meantime.
            OSError: it could not be written to its end.
        """
        assert self._file is not None
        self._file.close()
        if self._path.exists():
            if not overwrite:
                raise FileExistsError(f"{self._path}: there is such a file already")
            shutil.copymode(self._path, self._part)
        self._part.replace(self._path)

    def discard(self) -> None:
        """Close it and remove it."""
        if self._file is not None:
            self._file.close()
        self._part.unlink(missing_ok=True)
