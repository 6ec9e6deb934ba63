"""The C ABI of abi.rs and the readers of cpython.h, declared for the walker. What each does stands in the headers."""

from cpython.object cimport PyObject
from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t, uint64_t, uintptr_t


cdef extern from "abi.h" nogil:
    ctypedef struct otlp_writer:
        pass
    ctypedef struct otlp_request:
        pass
    ctypedef struct otlp_bytes:
        pass
    ctypedef struct otlp_text:
        const void *data
        uintptr_t meta
    ctypedef struct otlp_scalar:
        uint64_t bits
        uintptr_t meta
    ctypedef struct otlp_mark:
        pass
    ctypedef struct otlp_item:
        pass
    ctypedef struct otlp_container:
        pass
    ctypedef struct otlp_span_head:
        otlp_text trace_state
        otlp_text name
        uint64_t start_time_unix_nano
        uint64_t end_time_unix_nano
        uint32_t kind
        uint8_t has_trace_id
        uint8_t has_span_id
        uint8_t has_parent_span_id
        uint8_t trace_id[16]
        uint8_t span_id[8]
        uint8_t parent_span_id[8]
    ctypedef struct otlp_span_tail:
        otlp_text message
        int32_t code
        uint32_t flags
        uint8_t has_status

    enum: OTLP_UTF8, OTLP_INT, OTLP_DOUBLE, OTLP_BYTES
    enum: OTLP_SPAN, OTLP_EVENT, OTLP_LINK, OTLP_RESOURCE, OTLP_SCOPE, OTLP_KEY_VALUE_LIST
    enum: OTLP_ARRAY, OTLP_KVLIST
    enum:
        OTLP_SPAN_DROPPED_ATTRIBUTES
        OTLP_SPAN_DROPPED_EVENTS
        OTLP_SPAN_DROPPED_LINKS
        OTLP_EVENT_DROPPED_ATTRIBUTES
        OTLP_LINK_DROPPED_ATTRIBUTES
    enum: OTLP_SCOPE_NAME, OTLP_SCOPE_VERSION
    enum: OTLP_NO_GROUP

    otlp_writer *otlp_writer_new()
    void otlp_writer_free(otlp_writer *writer)
    size_t otlp_writer_len(const otlp_writer *writer)
    void otlp_writer_truncate(otlp_writer *writer, size_t len)
    void otlp_writer_clear(otlp_writer *writer)
    size_t otlp_writer_take_replaced(otlp_writer *writer)
    void otlp_writer_put_text(otlp_writer *writer, otlp_text text)

    void otlp_attribute(otlp_writer *writer, uint32_t owner, otlp_text key, otlp_scalar value)
    void otlp_element(otlp_writer *writer, otlp_scalar value)
    void otlp_open_attribute(otlp_writer *writer, uint32_t owner, otlp_text key, uint32_t kind, otlp_container *out)
    void otlp_open_element(otlp_writer *writer, uint32_t kind, otlp_container *out)
    void otlp_close_container(otlp_writer *writer, const otlp_container *container)
    void otlp_scope_text(otlp_writer *writer, uint32_t field, otlp_text text)
    void otlp_dropped_count(otlp_writer *writer, uint32_t field, uint32_t count)

    void otlp_begin_span(otlp_writer *writer, const otlp_span_head *head)
    void otlp_end_span(otlp_writer *writer, const otlp_span_tail *tail)
    void otlp_open_event(otlp_writer *writer, uint64_t time_unix_nano, otlp_text name, otlp_mark *out)
    void otlp_close_event(otlp_writer *writer, const otlp_mark *mark)
    void otlp_open_link(otlp_writer *writer, const uint8_t *trace_id, const uint8_t *span_id, otlp_mark *out)
    void otlp_close_link(otlp_writer *writer, const otlp_mark *mark, uint32_t flags)

    otlp_request *otlp_request_new(size_t expected_len)
    void otlp_request_free(otlp_request *request)
    otlp_writer *otlp_request_writer(otlp_request *request)
    size_t otlp_request_item_count(const otlp_request *request)
    size_t otlp_request_byte_count(const otlp_request *request)
    uint32_t otlp_request_add_resource(otlp_request *request, const otlp_writer *content, const otlp_writer *schema_url)
    uint32_t otlp_request_add_scope(otlp_request *request, uint32_t resource, const otlp_writer *content,
                                    const otlp_writer *schema_url)
    int otlp_request_open_item(otlp_request *request, uint32_t scope, otlp_item *out)
    int otlp_request_close_item(otlp_request *request, uint32_t scope, const otlp_item *item)
    void otlp_request_abandon_item(otlp_request *request, const otlp_item *item)
    int otlp_request_add_item(otlp_request *request, uint32_t scope, const otlp_writer *content)
    int otlp_request_copy(const otlp_request *request, uint8_t *out, size_t len)
    otlp_bytes *otlp_request_finish(otlp_request *request)
    void otlp_bytes_free(otlp_bytes *bytes)


cdef extern from "cpython.h":
    otlp_text otlp_make_text(const void *data, Py_ssize_t length, uintptr_t form)
    otlp_text otlp_text_of(PyObject *string)
    int otlp_read_uint64(PyObject *integer, uint64_t *out)
    int otlp_read_int64(PyObject *integer, int64_t *out)
    int otlp_read_trace_id(PyObject *integer, uint8_t *out)
    int otlp_read_span_id(PyObject *integer, uint8_t *out)
    int otlp_scalar_of(PyObject *value, otlp_scalar *out)


cdef extern from "Python.h":
    # Borrowed, where Cython's own declaration gives a new reference.
    PyObject *PySequence_Fast_GET_ITEM(object sequence, Py_ssize_t index)
