"""What stops the demo."""

from __future__ import annotations


class DemoError(Exception):
    """The demo cannot go on; the message is one line for the user."""
