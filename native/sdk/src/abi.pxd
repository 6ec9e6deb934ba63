"""The C ABI of abi.rs and the readers of cpython.h, declared for the walker. What each does stands in the headers."""

from cpython.object cimport PyObject
from libc.stdint cimport int32_t, int64_t, intptr_t, uint8_t, uint32_t, uint64_t, uintptr_t


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
    ctypedef struct otlp_pair:
        otlp_text key
        otlp_scalar value
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
    ctypedef struct otlp_log_head:
        otlp_text severity_text
        uint64_t time_unix_nano
        int32_t severity_number
    ctypedef struct otlp_log_tail:
        otlp_text event_name
        uint64_t observed_time_unix_nano
        uint32_t flags
        uint8_t has_trace_id
        uint8_t has_span_id
        uint8_t trace_id[16]
        uint8_t span_id[8]
    ctypedef struct otlp_number:
        uint64_t bits
        uint8_t is_int
    ctypedef struct otlp_times:
        uint64_t start_time_unix_nano
        uint64_t time_unix_nano
    ctypedef struct otlp_summary:
        uint64_t count
        double sum
        double min
        double max
        uint8_t has_sum
        uint8_t has_min
        uint8_t has_max
    ctypedef struct otlp_exemplar:
        uint64_t time_unix_nano
        otlp_number value
        uint8_t has_span_id
        uint8_t has_trace_id
        uint8_t span_id[8]
        uint8_t trace_id[16]

    enum: OTLP_UTF8, OTLP_INT, OTLP_DOUBLE, OTLP_BYTES
    enum: OTLP_SPAN, OTLP_EVENT, OTLP_LINK, OTLP_RESOURCE, OTLP_SCOPE, OTLP_LOG_RECORD, OTLP_KEY_VALUE_LIST
    enum: OTLP_NUMBER_POINT, OTLP_HISTOGRAM_POINT, OTLP_EXPONENTIAL_POINT, OTLP_EXEMPLAR
    enum: OTLP_ELEMENT, OTLP_BODY
    enum: OTLP_ARRAY, OTLP_KVLIST
    enum:
        OTLP_SPAN_DROPPED_ATTRIBUTES
        OTLP_SPAN_DROPPED_EVENTS
        OTLP_SPAN_DROPPED_LINKS
        OTLP_EVENT_DROPPED_ATTRIBUTES
        OTLP_LINK_DROPPED_ATTRIBUTES
        OTLP_LOG_DROPPED_ATTRIBUTES
    enum: OTLP_SCOPE_NAME, OTLP_SCOPE_VERSION
    enum: OTLP_GAUGE, OTLP_SUM, OTLP_HISTOGRAM, OTLP_EXPONENTIAL_HISTOGRAM
    enum: OTLP_BUCKET_COUNTS, OTLP_EXPLICIT_BOUNDS
    enum: OTLP_NO_GROUP

    otlp_writer *otlp_writer_new()
    void otlp_writer_free(otlp_writer *writer)
    size_t otlp_writer_len(const otlp_writer *writer)
    void otlp_writer_truncate(otlp_writer *writer, size_t len)
    void otlp_writer_clear(otlp_writer *writer)
    size_t otlp_writer_take_replaced(otlp_writer *writer)
    void otlp_writer_put_text(otlp_writer *writer, otlp_text text)

    void otlp_attribute(otlp_writer *writer, uint32_t owner, otlp_text key, otlp_scalar value)
    void otlp_attributes(otlp_writer *writer, uint32_t owner, const otlp_pair *pairs, size_t count)
    void otlp_value(otlp_writer *writer, uint32_t field, otlp_scalar value)
    void otlp_open_attribute(otlp_writer *writer, uint32_t owner, otlp_text key, uint32_t kind, otlp_container *out)
    void otlp_open_value(otlp_writer *writer, uint32_t field, uint32_t kind, otlp_container *out)
    void otlp_close_container(otlp_writer *writer, const otlp_container *container)
    void otlp_scope_text(otlp_writer *writer, uint32_t field, otlp_text text)
    void otlp_dropped_count(otlp_writer *writer, uint32_t field, uint32_t count)

    void otlp_begin_span(otlp_writer *writer, const otlp_span_head *head)
    void otlp_end_span(otlp_writer *writer, const otlp_span_tail *tail)
    void otlp_open_event(otlp_writer *writer, uint64_t time_unix_nano, otlp_text name, otlp_mark *out)
    void otlp_close_message(otlp_writer *writer, const otlp_mark *mark)
    void otlp_open_link(otlp_writer *writer, const uint8_t *trace_id, const uint8_t *span_id, otlp_mark *out)
    void otlp_close_link(otlp_writer *writer, const otlp_mark *mark, uint32_t flags)

    void otlp_begin_log_record(otlp_writer *writer, const otlp_log_head *head)
    void otlp_end_log_record(otlp_writer *writer, const otlp_log_tail *tail)

    void otlp_begin_metric(otlp_writer *writer, otlp_text name, otlp_text description, otlp_text unit)
    void otlp_open_data(otlp_writer *writer, uint32_t kind, size_t expected_len, otlp_mark *out)
    void otlp_close_data(otlp_writer *writer, const otlp_mark *mark, int32_t temporality, uint8_t is_monotonic)
    void otlp_open_number_point(
        otlp_writer *writer, size_t expected_len, const otlp_times *times, const otlp_number *value, otlp_mark *out)
    void otlp_number_point_value(otlp_writer *writer, const otlp_number *value)
    void otlp_open_histogram_point(
        otlp_writer *writer, const otlp_times *times, const otlp_summary *summary, otlp_mark *out)
    void otlp_histogram_array(otlp_writer *writer, uint32_t array, const uint64_t *words, size_t count)
    void otlp_close_histogram_point(otlp_writer *writer, const otlp_mark *mark, const otlp_summary *summary)
    void otlp_open_exponential_point(otlp_writer *writer, otlp_mark *out)
    void otlp_exponential_point_fields(
        otlp_writer *writer, const otlp_times *times, const otlp_summary *summary, int32_t scale, uint64_t zero_count)
    void otlp_exponential_buckets(
        otlp_writer *writer, uint8_t is_negative, int32_t offset, const uint64_t *counts, size_t count)
    void otlp_small_exponential_buckets(
        otlp_writer *writer, uint8_t is_negative, int32_t offset, const uint8_t *counts, size_t count)
    void otlp_exponential_point_flags(otlp_writer *writer, uint32_t flags)
    void otlp_close_exponential_point(otlp_writer *writer, const otlp_mark *mark, const otlp_summary *summary)
    void otlp_open_exemplar(otlp_writer *writer, uint32_t owner, const otlp_exemplar *exemplar, otlp_mark *out)

    otlp_request *otlp_request_new(size_t expected_len)
    void otlp_request_free(otlp_request *request)
    otlp_writer *otlp_request_writer(otlp_request *request)
    size_t otlp_request_byte_count(const otlp_request *request)
    void otlp_request_list_resource(otlp_request *request, uint32_t resource)
    void otlp_request_list_scope(otlp_request *request, uint32_t scope)
    uint32_t otlp_request_add_resource(otlp_request *request, const otlp_writer *content, const otlp_writer *schema_url)
    uint32_t otlp_request_add_scope(otlp_request *request, uint32_t resource, const otlp_writer *content,
                                    const otlp_writer *schema_url)
    int otlp_request_open_item(otlp_request *request, uint32_t scope, size_t expected_len, otlp_item *out)
    int otlp_request_close_item(otlp_request *request, uint32_t scope, const otlp_item *item)
    void otlp_request_abandon_item(otlp_request *request, const otlp_item *item)
    intptr_t otlp_request_add_item(otlp_request *request, uint32_t scope, const otlp_writer *content)
    int otlp_request_copy(const otlp_request *request, uint8_t *out, size_t len)
    otlp_bytes *otlp_request_finish(otlp_request *request)
    void otlp_bytes_free(otlp_bytes *bytes)


cdef extern from "cpython.h":
    otlp_text otlp_make_text(const void *data, Py_ssize_t length, uintptr_t form)
    size_t otlp_units_of(uintptr_t meta)
    otlp_text otlp_text_of(PyObject *string)
    int otlp_read_uint64(PyObject *integer, uint64_t *out)
    int otlp_read_int64(PyObject *integer, int64_t *out)
    int otlp_read_trace_id(PyObject *integer, uint8_t *out)
    int otlp_read_span_id(PyObject *integer, uint8_t *out)
    int otlp_scalar_of(PyObject *value, otlp_scalar *out)
    int otlp_read_small_counts(PyObject *sequence, Py_ssize_t length, uint8_t *out)
    Py_ssize_t otlp_read_words(PyObject *sequence, Py_ssize_t length, int as_doubles, uint64_t *out)


cdef extern from "Python.h":
    # Borrowed, where Cython's own declaration gives a new reference.
    PyObject *PySequence_Fast_GET_ITEM(object sequence, Py_ssize_t index)
