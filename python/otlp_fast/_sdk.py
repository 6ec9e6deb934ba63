"""Finds the Cython walker, which lives in the same shared object as `otlp_fast._core`.

A wheel built by maturin holds one shared object. It exports two init functions, `PyInit__core` and `PyInit__sdk`, and
Python looks for the second only where it is told to: this file stands where `otlp_fast._sdk` is imported from, loads
that module out of the shared object, and puts it in its own place.
"""

import sys
from importlib.machinery import ExtensionFileLoader
from importlib.util import module_from_spec, spec_from_file_location

from otlp_fast import _core

_spec = spec_from_file_location(__name__, _core.__file__, loader=ExtensionFileLoader(__name__, _core.__file__))
assert _spec is not None and _spec.loader is not None  # noqa: PT018 - both follow from the arguments
_module = module_from_spec(_spec)
sys.modules[__name__] = _module
_spec.loader.exec_module(_module)
