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
enum { OTLP_SPAN, OTLP_EVENT, OTLP_LINK, OTLP_RESOURCE, OTLP_SCOPE, OTLP_KEY_VALUE_LIST };

/* Values with parts. */
enum { OTLP_ARRAY, OTLP_KVLIST };

/* Fields that hold a count of what the SDK dropped. */
enum {
    OTLP_SPAN_DROPPED_ATTRIBUTES,
    OTLP_SPAN_DROPPED_EVENTS,
    OTLP_SPAN_DROPPED_LINKS,
    OTLP_EVENT_DROPPED_ATTRIBUTES,
    OTLP_LINK_DROPPED_ATTRIBUTES,
};

/* Plain string fields of an instrumentation scope. */
enum { OTLP_SCOPE_NAME, OTLP_SCOPE_VERSION };

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

otlp_writer *otlp_writer_new(void);
void otlp_writer_free(otlp_writer *writer);
size_t otlp_writer_len(const otlp_writer *writer);
void otlp_writer_truncate(otlp_writer *writer, size_t len);
void otlp_writer_clear(otlp_writer *writer);
size_t otlp_writer_take_replaced(otlp_writer *writer);

void otlp_attribute(otlp_writer *writer, uint32_t owner, otlp_text key, otlp_scalar value);
void otlp_element(otlp_writer *writer, otlp_scalar value);
void otlp_open_attribute(otlp_writer *writer, uint32_t owner, otlp_text key, uint32_t kind, otlp_container *out);
void otlp_open_element(otlp_writer *writer, uint32_t kind, otlp_container *out);
void otlp_close_container(otlp_writer *writer, const otlp_container *container);
void otlp_scope_text(otlp_writer *writer, uint32_t field, otlp_text text);
void otlp_dropped_count(otlp_writer *writer, uint32_t field, uint32_t count);

void otlp_begin_span(otlp_writer *writer, const otlp_span_head *head);
void otlp_end_span(otlp_writer *writer, const otlp_span_tail *tail);
void otlp_open_event(otlp_writer *writer, uint64_t time_unix_nano, otlp_text name, otlp_mark *out);
void otlp_close_event(otlp_writer *writer, const otlp_mark *mark);
void otlp_open_link(otlp_writer *writer, const uint8_t *trace_id, const uint8_t *span_id, otlp_mark *out);
void otlp_close_link(otlp_writer *writer, const otlp_mark *mark, uint32_t flags);

otlp_request *otlp_request_new(size_t expected_len);
void otlp_request_free(otlp_request *request);
otlp_writer *otlp_request_writer(otlp_request *request);
size_t otlp_request_item_count(const otlp_request *request);
size_t otlp_request_byte_count(const otlp_request *request);
uint32_t otlp_request_add_resource(otlp_request *request, const otlp_writer *content, const otlp_writer *schema_url);
uint32_t otlp_request_add_scope(otlp_request *request, uint32_t resource, const otlp_writer *content,
                                const otlp_writer *schema_url);
/* 0, or -1 where the group is unknown or there is no memory. */
int otlp_request_open_item(otlp_request *request, uint32_t scope, otlp_item *out);
int otlp_request_close_item(otlp_request *request, uint32_t scope, const otlp_item *item);
void otlp_request_abandon_item(otlp_request *request, const otlp_item *item);
int otlp_request_add_item(otlp_request *request, uint32_t scope, const otlp_writer *content);
/* Copies the finished request to `out`, which must have room for otlp_request_byte_count bytes. */
int otlp_request_copy(const otlp_request *request, uint8_t *out, size_t len);
otlp_bytes *otlp_request_finish(otlp_request *request);
void otlp_bytes_free(otlp_bytes *bytes);
void otlp_writer_put_text(otlp_writer *writer, otlp_text text);

#endif
