# cython: language_level=3, binding=True, embedsignature=True, embedsignature.format=python
# cython: wraparound=False, boundscheck=False, initializedcheck=False, cdivision=True
"""The walker: opentelemetry-sdk objects in, OTLP bytes out.

Cython reads Python, Rust writes bytes. Each file included here is one step of the way:

| file | holds |
|---|---|
| loss.pxi | what could not be written as it was: noted while walking, reported afterwards |
| sdk_types.pxi | which SDK classes are known, and which reader fits which type |
| attributes.pxi | attribute values of every kind, nested |
| fields.pxi | plain fields of any message: strings, times, counts, ids |
| spans.pxi | one span: its fields, events, links, status |
| logs.pxi | one log record and its body |
| items.pxi | what spans and log records have in common |
| metrics.pxi | one metric: its data points, arrays and exemplars |
| groups.pxi | which resource and scope an item belongs to |
| encoder.pxi | `encode_spans`, `encode_logs`, `SpanEncoder`, `LogEncoder` |
| metric_encoder.pxi | `encode_metrics` and `MetricEncoder` |
| queue.pxi | the bounded queues that processors encode into |

How items are read, and why by Python functions, says python/otlp_fast/_sdk_fields.py.
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cpython.dict cimport PyDict_Next
from cpython.float cimport PyFloat_AsDouble
from cpython.list cimport PyList_CheckExact
from cpython.mem cimport PyMem_Realloc
from cpython.object cimport PyObject, PyTypeObject, Py_TYPE
from cpython.pycapsule cimport PyCapsule_GetPointer, PyCapsule_New
from cpython.sequence cimport PySequence_Fast_GET_SIZE
from cpython.tuple cimport PyTuple_CheckExact, PyTuple_GET_ITEM, PyTuple_GET_SIZE
from cpython.unicode cimport PyUnicode_CheckExact
from libc.stdint cimport int32_t, int64_t, intptr_t, uint8_t, uint32_t, uint64_t, uintptr_t
from libc.string cimport memset

from cython cimport binding, final

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
include "fields.pxi"
include "spans.pxi"
include "logs.pxi"
include "items.pxi"
include "metrics.pxi"
include "groups.pxi"
include "encoder.pxi"
include "metric_encoder.pxi"
include "queue.pxi"
