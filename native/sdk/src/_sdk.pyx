# cython: language_level=3, binding=True, embedsignature=True, embedsignature.format=python
# cython: wraparound=False, boundscheck=False, initializedcheck=False, cdivision=True
"""The walker: opentelemetry-sdk objects in, OTLP bytes out.

Cython reads Python, Rust writes bytes. Each file included here is one step of the way:

| file | holds |
|---|---|
| loss.pxi | what could not be written as it was: noted while walking, reported afterwards |
| sdk_types.pxi | which SDK classes are known, and which reader fits which type |
| attributes.pxi | attribute values of every kind, nested |
| spans.pxi | one span: its fields, events, links, status |
| groups.pxi | which resource and scope a span belongs to |
| encoder.pxi | `encode_spans` and `SpanEncoder` |

How spans are read, and why by Python functions, says python/otlp_fast/_sdk_fields.py.
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cpython.dict cimport PyDict_Next
from cpython.list cimport PyList_CheckExact
from cpython.object cimport PyObject, PyTypeObject, Py_TYPE
from cpython.pycapsule cimport PyCapsule_GetPointer, PyCapsule_New
from cpython.sequence cimport PySequence_Fast_GET_SIZE
from cpython.tuple cimport PyTuple_CheckExact, PyTuple_GET_ITEM, PyTuple_GET_SIZE
from cpython.unicode cimport PyUnicode_CheckExact
from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t, uint64_t, uintptr_t
from libc.string cimport memset

from abi cimport *

import sys
# What collections.abc gives on, without the rest of collections: `import otlp_fast` is to be quick.
from _collections_abc import Mapping, Sequence

from otlp_fast import _diagnostics, _sdk_fields
from otlp_fast._core import Buffer
from otlp_fast.errors import EncodeError

include "loss.pxi"
include "sdk_types.pxi"
include "attributes.pxi"
include "spans.pxi"
include "groups.pxi"
include "encoder.pxi"
