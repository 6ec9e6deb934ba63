"""A file that takes its name only once it is whole: until then the old one stays, and nothing is left of a half one."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import BinaryIO


class Replacement:
    """A new file beside the one whose place it is to take.

    Attributes:
        file: to write to.
    """

    def __init__(self, path: Path) -> None:
        """Create it.

        Raises:
            OSError: the folder cannot be written to.
        """
        # The file that a symbolic link shows is replaced, not the link.
        self._path = Path(os.path.realpath(path))
        self._part = self._path.with_name(f".{self._path.name}.{os.getpid()}.part")
        self.file: BinaryIO = self._part.open("xb")

    def commit(self) -> None:
        """Close it and give it its name, with the permissions of the file that had it."""
        self.file.close()
        if self._path.exists():
            shutil.copymode(self._path, self._part)
        self._part.replace(self._path)

    def discard(self) -> None:
        """Close it and remove it."""
        self.file.close()
        self._part.unlink(missing_ok=True)
