# The public face for spans and log records: one call for a batch, and a request that grows item by item.

# Items encoded in this process, by signal, and data points; shown by otlp_fast.encode_stats().
cdef uint64_t[2] items_encoded = [0, 0]
cdef uint64_t data_points_encoded = 0
# Bytes that an item took in the last call, by signal: the first guess for the next one. Its only effect is on how often
# memory grows.
cdef size_t[2] expected_item_len = [512, 256]


def encode_spans(spans):
    """Encode spans as an `ExportTraceServiceRequest`.

    Takes what the official `encode_spans` takes and gives what its `SerializeToString()` gives, byte for byte, except
    where the official encoder loses data (see docs/architecture.md, "Bad input").

    Args:
        spans: an iterable of `opentelemetry.sdk.trace.ReadableSpan`, or of objects with the same public properties.

    Returns:
        The protobuf message, grouped by resource and scope in first-seen order; `b""` for no spans.

    Raises:
        EncodeError: an item is not a span; `.path` names it, as in `spans[3]`. Values of a span never raise: a value that
            cannot be written is left out or repaired, counted (`encode_stats()`) and logged.
        TypeError: `spans` is not iterable.
    """
    return encode_items(SPANS, spans)


def encode_logs(records):
    """Encode log records as an `ExportLogsServiceRequest`.

    Takes what the official `encode_logs` takes and gives what its `SerializeToString()` gives, byte for byte, except
    where the official encoder loses data (see docs/architecture.md, "Bad input").

    Args:
        records: an iterable of `opentelemetry.sdk._logs.ReadableLogRecord` (of `LogData` in SDK releases that have that),
            or of objects with the same public properties. A body may be any object: what has no form of its own is
            written as its `str()`, as https://opentelemetry.io/docs/specs/otel/common/attribute-type-mapping/ says.

    Returns:
        The protobuf message, grouped by resource and scope in first-seen order; `b""` for no records.

    Raises:
        EncodeError: an item is not a log record; `.path` names it, as in `log_records[3]`. Values of a record never
            raise, see `encode_spans`.
        TypeError: `records` is not iterable.
    """
    return encode_items(LOG_RECORDS, records)


cdef bytes encode_items(int signal, object iterable):
    cdef Py_ssize_t index, count
    cdef tuple items = iterable if type(iterable) is tuple else tuple(iterable)
    cdef Walk walk = Walk(ITEMS[signal])
    cdef Request request
    count = len(items)
    if count == 0:
        return b""
    request = Request(count * expected_item_len[signal])
    for index in range(count):
        walk.index = index
        item = items[index]
        request.add_item(walk, signal, item, item_fields(walk, signal, item))
    data = request.to_bytes()
    # Only now: where the call fails, the caller still has all items, and what they lost will be counted when they are sent.
    walk.report()
    expected_item_len[signal] = len(data) // count + 1
    items_encoded[signal] += <uint64_t>count
    return data


def encoded_counts():
    """What was encoded in this process: spans, log records and data points."""
    return {
        "spans_encoded": items_encoded[SPANS],
        "log_records_encoded": items_encoded[LOG_RECORDS],
        "data_points_encoded": data_points_encoded,
    }


cdef enum:
    # Threads that finish the request just then pass; code that finishes it each time would go on for ever.
    JOIN_TRIES = 16


cdef class RequestEncoder:
    """What the encoders of all signals share: an open request that is handed out whole, and memory to write items aside.

    Values of the user may run code while they are read, and that code may add an item here too, as may another thread. So
    an item is written aside, into a scratch writer that the call takes for itself, and joins the request in one step that
    runs no Python code.
    """

    cdef Request request
    cdef otlp_writer *scratch

    def __cinit__(self):
        self.request = Request(0)

    def __dealloc__(self):
        otlp_writer_free(self.scratch)

    cdef otlp_writer *take_scratch(self) except NULL:
        cdef otlp_writer *writer = self.scratch
        self.scratch = NULL
        if writer is NULL:
            writer = otlp_writer_new()
            if writer is NULL:
                raise MemoryError
        return writer

    cdef void give_scratch(self, otlp_writer *writer) noexcept:
        otlp_writer_clear(writer)
        if self.scratch is NULL:
            self.scratch = writer
        else:
            otlp_writer_free(writer)

    cdef int join(
        self, Walk walk, uint32_t owner, otlp_writer *writer, object resource, object scope, Py_ssize_t count
    ) except -1:
        """Adds what was written aside, `count` items, to the open request in the group of `resource` and `scope`."""
        cdef Request request
        cdef intptr_t written
        cdef uint32_t group
        for _ in range(JOIN_TRIES):
            # Finding the group may run code too (a hash, an attribute), and that may finish the request.
            request = self.request
            group = request.group_of(walk, resource, scope)
            if request is self.request:
                break
        else:
            path = f"{walk.items}[{walk.index}]"
            raise EncodeError(f"{path} finishes the request whenever its resource or scope is read", path=path)
        written = otlp_request_add_item(request.handle, group, writer)
        if written < 0:
            raise MemoryError("no memory for another item, or the request would pass 2 GiB")
        request.item_count += count
        request.written_len = written
        walk.replaced_surrogates(owner, writer)
        return 0

    cdef Request take_request(self):
        """Takes the open request out and begins an empty one: in one step, so that an add in another thread sees either
        request whole. The old one stays usable for an add that is just looking for its group there; it will see that it
        came too late, and go to the new one.
        """
        cdef Request request = Request(otlp_request_byte_count(self.request.handle))
        request, self.request = self.request, request
        return request

    @property
    def item_count(self):
        """The number of items in the open request: spans, log records, or data points."""
        return self.request.item_count

    @property
    def byte_count(self):
        """The exact length in bytes that `finish()` would give now."""
        return otlp_request_byte_count(self.request.handle)

    def finish(self):
        """Give the request out as a `Buffer` and begin an empty one. The encoder keeps its memory, but no reference.

        Raises:
            MemoryError: there is no memory to put the groups of the request together. It stays open as it is, unless
                another thread has added to the next one meanwhile.
        """
        cdef Request request = self.take_request()
        try:
            return request.to_buffer()
        except MemoryError:
            if self.request.item_count == 0:
                self.request = request
            raise

    def __repr__(self):
        return f"<{type(self).__name__}: {self.item_count} items, {self.byte_count} bytes>"


cdef class ItemEncoder(RequestEncoder):
    """The encoder of a signal whose items are given one by one."""

    cdef int signal
    # The walk of the last call, where it had nothing to note.
    cdef Walk idle_walk

    cdef bint add_item(self, object item, bint only_sampled) except -1:
        """Adds an item; False where it is a span that is not sampled and `only_sampled` asks for."""
        cdef Walk walk = self.idle_walk
        cdef otlp_writer *writer
        self.idle_walk = None
        if walk is None:
            walk = Walk(ITEMS[self.signal])
        walk.index = self.request.item_count
        fields = item_fields(walk, self.signal, item)
        if only_sampled and not is_sampled(field(fields, SPAN_CONTEXT)):
            return False
        writer = self.take_scratch()
        try:
            write_item(walk, writer, self.signal, item, fields)
            self.join(walk, OTLP_SPAN, writer, field(fields, ITEM_RESOURCE), field(fields, ITEM_SCOPE), 1)
        finally:
            self.give_scratch(writer)
            if walk.notes is None:
                self.idle_walk = walk
            else:
                walk.report()
        items_encoded[self.signal] += 1
        return True


cdef bint is_sampled(object context) except -1:
    """Whether the W3C trace flags of a span's context have the sampled bit."""
    cdef uint64_t flags
    value = field(context, 3) if type(context) is sdk.span_context else getattr(context, "trace_flags", None)
    return isinstance(value, int) and otlp_read_uint64(<PyObject *>value, &flags) == 0 and flags & 1


@final
cdef class SpanEncoder(ItemEncoder):
    """An `ExportTraceServiceRequest` under construction: spans are encoded when they are added, none is kept.

    Memory is what the bytes need, from a pool. The encoder may be shared by threads: each `add` is atomic, in the order
    in which they come.
    """

    def __cinit__(self):
        self.signal = SPANS

    def add(self, span):
        """Encode one span into the open request.

        Raises:
            EncodeError: `span` is not a span; the request is as it was before. Values of a span never raise, see
                `encode_spans`.
        """
        self.add_item(span, False)


@final
cdef class LogEncoder(ItemEncoder):
    """An `ExportLogsServiceRequest` under construction: records are encoded when they are added, none is kept.

    Memory is what the bytes need, from a pool. The encoder may be shared by threads: each `add` is atomic, in the order
    in which they come.
    """

    def __cinit__(self):
        self.signal = LOG_RECORDS

    def add(self, record):
        """Encode one log record into the open request.

        Raises:
            EncodeError: `record` is not a log record; the request is as it was before. Values of a record never raise,
                see `encode_logs`.
        """
        self.add_item(record, False)


# The name under which src/buffer.rs takes the capsule.
cdef const char *PooledBytesName = b"otlp_fast.pooled_bytes"


cdef void free_pooled_bytes(object capsule) noexcept:
    otlp_bytes_free(<otlp_bytes *>PyCapsule_GetPointer(capsule, PooledBytesName))
