/* The C ABI of native/sdk/src/abi.rs, as the walker sees it. The two are kept in step by hand; abi.rs asserts the sizes.
 *
 * No function here raises a Python exception, unwinds, or runs Python code. Writers never fail in between: a write that
 * finds no memory marks the writer, and the end of the item reports it. */
#ifndef OTLP_FAST_ABI_H
#define OTLP_FAST_ABI_H

#include <stddef.h>
#include <stdint.h>

typedef struct otlp_writer otlp_writer;
typedef struct otlp_request otlp_request;
typedef struct otlp_bytes otlp_bytes;

/* A borrowed string: meta is length << 4 | form, the length in units of the form. */
typedef struct {
    const void *data;
    uintptr_t meta;
} otlp_text;

/* A value without parts: a string or bytes as above with their address in bits, else the number itself. */
typedef struct {
    uint64_t bits;
    uintptr_t meta;
} otlp_scalar;

/* A key with such a value. */
typedef struct {
    otlp_text key;
    otlp_scalar value;
} otlp_pair;

enum {
    OTLP_UTF8 = 0, /* valid UTF-8: ASCII, or the content of bytes that were checked */
    OTLP_LATIN1 = 1,
    OTLP_UCS2 = 2,
    OTLP_UCS4 = 4,
    OTLP_NONE = 8,
    OTLP_BOOL = 9,
    OTLP_INT = 10,
    OTLP_DOUBLE = 11,
    OTLP_BYTES = 12,
};

/* What an attribute belongs to. */
enum {
    OTLP_SPAN,
    OTLP_EVENT,
    OTLP_LINK,
    OTLP_RESOURCE,
    OTLP_SCOPE,
    OTLP_LOG_RECORD,
    OTLP_NUMBER_POINT,
    OTLP_HISTOGRAM_POINT,
    OTLP_EXPONENTIAL_POINT,
    OTLP_EXEMPLAR,
    OTLP_KEY_VALUE_LIST,
};

/* What a value without a key is. */
enum { OTLP_ELEMENT, OTLP_BODY };

/* Values with parts. */
enum { OTLP_ARRAY, OTLP_KVLIST };

/* Fields that hold a count of what the SDK dropped. */
enum {
    OTLP_SPAN_DROPPED_ATTRIBUTES,
    OTLP_SPAN_DROPPED_EVENTS,
    OTLP_SPAN_DROPPED_LINKS,
    OTLP_EVENT_DROPPED_ATTRIBUTES,
    OTLP_LINK_DROPPED_ATTRIBUTES,
    OTLP_LOG_DROPPED_ATTRIBUTES,
};

/* Plain string fields of an instrumentation scope. */
enum { OTLP_SCOPE_NAME, OTLP_SCOPE_VERSION };

/* Kinds of metric data. */
enum { OTLP_GAUGE, OTLP_SUM, OTLP_HISTOGRAM, OTLP_EXPONENTIAL_HISTOGRAM };

/* Arrays of a histogram point. */
enum { OTLP_BUCKET_COUNTS, OTLP_EXPLICIT_BOUNDS };

enum { OTLP_NO_GROUP = 0xffffffffu };

/* Places in a writer that only Rust reads. */
typedef struct { uintptr_t opaque[2]; } otlp_mark;
typedef struct { uintptr_t opaque[3]; } otlp_item;
typedef struct { uintptr_t opaque[8]; } otlp_container;

typedef struct {
    otlp_text trace_state;
    otlp_text name;
    uint64_t start_time_unix_nano;
    uint64_t end_time_unix_nano;
    uint32_t kind;
    uint8_t has_trace_id;
    uint8_t has_span_id;
    uint8_t has_parent_span_id;
    uint8_t trace_id[16];
    uint8_t span_id[8];
    uint8_t parent_span_id[8];
} otlp_span_head;

typedef struct {
    otlp_text message;
    int32_t code;
    uint32_t flags;
    uint8_t has_status;
} otlp_span_tail;

typedef struct {
    otlp_text severity_text;
    uint64_t time_unix_nano;
    int32_t severity_number;
} otlp_log_head;

typedef struct {
    otlp_text event_name;
    uint64_t observed_time_unix_nano;
    uint32_t flags;
    uint8_t has_trace_id;
    uint8_t has_span_id;
    uint8_t trace_id[16];
    uint8_t span_id[8];
} otlp_log_tail;

/* A number as its bits: of an int64, or of a double. */
typedef struct {
    uint64_t bits;
    uint8_t is_int;
} otlp_number;

typedef struct {
    uint64_t start_time_unix_nano;
    uint64_t time_unix_nano;
} otlp_times;

typedef struct {
    uint64_t count;
    double sum;
    double min;
    double max;
    uint8_t has_sum;
    uint8_t has_min;
    uint8_t has_max;
} otlp_summary;

typedef struct {
    uint64_t time_unix_nano;
    otlp_number value;
    uint8_t has_span_id;
    uint8_t has_trace_id;
    uint8_t span_id[8];
    uint8_t trace_id[16];
} otlp_exemplar;

otlp_writer *otlp_writer_new(void);
void otlp_writer_free(otlp_writer *writer);
size_t otlp_writer_len(const otlp_writer *writer);
void otlp_writer_truncate(otlp_writer *writer, size_t len);
/* Forgets the content, a failure, and the count of replaced code points; gives back what a very large item took. */
void otlp_writer_clear(otlp_writer *writer);
size_t otlp_writer_take_replaced(otlp_writer *writer);

void otlp_attribute(otlp_writer *writer, uint32_t owner, otlp_text key, otlp_scalar value);
void otlp_attributes(otlp_writer *writer, uint32_t owner, const otlp_pair *pairs, size_t count);
void otlp_value(otlp_writer *writer, uint32_t field, otlp_scalar value);
void otlp_open_attribute(otlp_writer *writer, uint32_t owner, otlp_text key, uint32_t kind, otlp_container *out);
void otlp_open_value(otlp_writer *writer, uint32_t field, uint32_t kind, otlp_container *out);
void otlp_close_container(otlp_writer *writer, const otlp_container *container);
void otlp_scope_text(otlp_writer *writer, uint32_t field, otlp_text text);
void otlp_dropped_count(otlp_writer *writer, uint32_t field, uint32_t count);

void otlp_begin_span(otlp_writer *writer, const otlp_span_head *head);
void otlp_end_span(otlp_writer *writer, const otlp_span_tail *tail);
void otlp_open_event(otlp_writer *writer, uint64_t time_unix_nano, otlp_text name, otlp_mark *out);
/* Closes a message that has nothing behind its attributes: an event, a number point, an exemplar. */
void otlp_close_message(otlp_writer *writer, const otlp_mark *mark);
void otlp_open_link(otlp_writer *writer, const uint8_t *trace_id, const uint8_t *span_id, otlp_mark *out);
void otlp_close_link(otlp_writer *writer, const otlp_mark *mark, uint32_t flags);

void otlp_begin_log_record(otlp_writer *writer, const otlp_log_head *head);
void otlp_end_log_record(otlp_writer *writer, const otlp_log_tail *tail);

void otlp_begin_metric(otlp_writer *writer, otlp_text name, otlp_text description, otlp_text unit);
void otlp_open_data(otlp_writer *writer, uint32_t kind, size_t expected_len, otlp_mark *out);
void otlp_close_data(otlp_writer *writer, const otlp_mark *mark, int32_t temporality, uint8_t is_monotonic);
void otlp_open_number_point(otlp_writer *writer, size_t expected_len, const otlp_times *times, const otlp_number *value,
                            otlp_mark *out);
void otlp_number_point_value(otlp_writer *writer, const otlp_number *value);
void otlp_open_histogram_point(otlp_writer *writer, const otlp_times *times, const otlp_summary *summary, otlp_mark *out);
void otlp_histogram_array(otlp_writer *writer, uint32_t array, const uint64_t *words, size_t count);
void otlp_close_histogram_point(otlp_writer *writer, const otlp_mark *mark, const otlp_summary *summary);
void otlp_open_exponential_point(otlp_writer *writer, otlp_mark *out);
void otlp_exponential_point_fields(otlp_writer *writer, const otlp_times *times, const otlp_summary *summary, int32_t scale,
                                   uint64_t zero_count);
void otlp_exponential_buckets(otlp_writer *writer, uint8_t is_negative, int32_t offset, const uint64_t *counts,
                              size_t count);
/* The same where every count is below 128: a varint each as it is. */
void otlp_small_exponential_buckets(otlp_writer *writer, uint8_t is_negative, int32_t offset, const uint8_t *counts,
                                    size_t count);
void otlp_exponential_point_flags(otlp_writer *writer, uint32_t flags);
void otlp_close_exponential_point(otlp_writer *writer, const otlp_mark *mark, const otlp_summary *summary);
void otlp_open_exemplar(otlp_writer *writer, uint32_t owner, const otlp_exemplar *exemplar, otlp_mark *out);

otlp_request *otlp_request_new(size_t expected_len);
void otlp_request_free(otlp_request *request);
otlp_writer *otlp_request_writer(otlp_request *request);
size_t otlp_request_byte_count(const otlp_request *request);
/* OTLP_NO_GROUP where there is no memory, or was none for its parts. */
uint32_t otlp_request_add_resource(otlp_request *request, const otlp_writer *content, const otlp_writer *schema_url);
uint32_t otlp_request_add_scope(otlp_request *request, uint32_t resource, const otlp_writer *content,
                                const otlp_writer *schema_url);
/* Lists a group in the request though it may stay without items. */
void otlp_request_list_resource(otlp_request *request, uint32_t resource);
void otlp_request_list_scope(otlp_request *request, uint32_t scope);
/* 0, or -1 where the group is unknown or there is no memory. */
int otlp_request_open_item(otlp_request *request, uint32_t scope, size_t expected_len, otlp_item *out);
int otlp_request_close_item(otlp_request *request, uint32_t scope, const otlp_item *item);
void otlp_request_abandon_item(otlp_request *request, const otlp_item *item);
/* The bytes of all items so far, or -1 as above. */
intptr_t otlp_request_add_item(otlp_request *request, uint32_t scope, const otlp_writer *content);
/* Copies the finished request to `out`, which must have room for otlp_request_byte_count bytes. */
int otlp_request_copy(const otlp_request *request, uint8_t *out, size_t len);
otlp_bytes *otlp_request_finish(otlp_request *request);
void otlp_bytes_free(otlp_bytes *bytes);
void otlp_writer_put_text(otlp_writer *writer, otlp_text text);

#endif
