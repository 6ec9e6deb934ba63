"""Finds the Cython walker, which lives in the same shared object as `otlp_fast._core`.

A wheel built by maturin holds one shared object. It exports two init functions, `PyInit__core` and `PyInit__sdk`, and
Python looks for the second only where it is told to: this file stands where `otlp_fast._sdk` is imported from, loads
that module out of the shared object, and puts it in its own place.
"""

import sys

from otlp_fast import _core

# The classes that loaded `_core` (importlib.machinery.ExtensionFileLoader and ModuleSpec), without importing importlib,
# which would take longer than all the rest of `import otlp_fast`.
_loader = type(_core.__loader__)(__name__, _core.__file__)
_spec = type(_core.__spec__)(__name__, _loader, origin=_core.__file__)
_module = _loader.create_module(_spec)
_module.__spec__, _module.__loader__, _module.__package__ = _spec, _loader, __package__
sys.modules[__name__] = _module
_loader.exec_module(_module)
