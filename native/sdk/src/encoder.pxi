# The public face: one call for a batch, and a request that grows span by span.

# Spans encoded in this process; shown by otlp_fast.encode_stats().
cdef uint64_t spans_encoded = 0
# Bytes that a span took in the last call: the first guess for the next one. Its only effect is on how often memory grows.
cdef size_t expected_span_len = 512


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
    global expected_span_len, spans_encoded
    cdef Py_ssize_t index, count
    cdef tuple items = spans if type(spans) is tuple else tuple(spans)
    cdef Walk walk = Walk()
    cdef Request request
    cdef object reader
    count = len(items)
    if count == 0:
        return b""
    request = Request(count * expected_span_len)
    for index in range(count):
        walk.index = index
        span = items[index]
        reader = last_span_reader if type(span) is last_span_type else find_span_reader(span)
        request.add_with(walk, span, reader)
    data = request.to_bytes()
    # Only now: where the call fails, the caller still has all spans, and what they lost will be counted when they are sent.
    walk.report()
    expected_span_len = len(data) // count + 1
    spans_encoded += <uint64_t>count
    return data


def encoded_span_count():
    """The number of spans encoded in this process."""
    return spans_encoded


cdef class SpanEncoder:
    """An `ExportTraceServiceRequest` under construction: spans are encoded when they are added, none is kept.

    Memory is what the bytes need, from a pool. The encoder may be shared by threads: each `add` is atomic, in the order
    in which they come.
    """

    cdef Request request
    cdef otlp_writer *scratch

    def __cinit__(self):
        self.request = Request(0)
        self.scratch = otlp_writer_new()
        if self.scratch is NULL:
            raise MemoryError

    def __dealloc__(self):
        otlp_writer_free(self.scratch)

    def add(self, span):
        """Encode one span into the open request.

        Raises:
            EncodeError: `span` is not a span; the request is as it was before. Values of a span never raise, see
                `encode_spans`.
        """
        global spans_encoded
        cdef Walk walk = Walk()
        cdef otlp_writer *writer
        cdef uint32_t group
        cdef Request request
        cdef object reader
        walk.index = <Py_ssize_t>otlp_request_item_count(self.request.handle)
        reader = last_span_reader if type(span) is last_span_type else find_span_reader(span)
        # Attribute values of the user may run code while they are read, and that code may add a span here too, as may
        # another thread. So the span is written aside, into a scratch writer that this call takes for itself, and joins
        # the request in one step that runs no Python code.
        writer, self.scratch = self.scratch, NULL
        if writer is NULL:
            writer = otlp_writer_new()
            if writer is NULL:
                raise MemoryError
        try:
            otlp_writer_clear(writer)
            # What a span that was refused had replaced is not this one's.
            otlp_writer_take_replaced(writer)
            fields = span_fields(walk, span, reader)
            write_whole_span(walk, writer, span, fields)
            while True:
                # Finding the group may run code too (a hash, an attribute), and that may finish the request.
                request = self.request
                group = request.group_of(walk, field(fields, SPAN_RESOURCE), field(fields, SPAN_SCOPE))
                if request is self.request:
                    break
            if otlp_request_add_item(request.handle, group, writer) < 0:
                raise MemoryError("no memory for another span, or the request would pass 2 GiB")
            walk.replaced_surrogates(OTLP_SPAN, writer)
        finally:
            if self.scratch is NULL:
                self.scratch = writer
            else:
                otlp_writer_free(writer)
            walk.report()
        spans_encoded += 1

    @property
    def item_count(self):
        """The number of spans in the open request."""
        return otlp_request_item_count(self.request.handle)

    @property
    def byte_count(self):
        """The exact length in bytes that `finish()` would give now."""
        return otlp_request_byte_count(self.request.handle)

    def finish(self):
        """Give the request out as a `Buffer` and begin an empty one. The encoder keeps its memory, but no reference."""
        cdef Request request = Request(otlp_request_byte_count(self.request.handle))
        cdef otlp_bytes *finished
        # Swapped in one step, so that an add in another thread sees either request whole. The old one stays usable for
        # an add that is just looking for its group there; it will see that it came too late, and go to the new one.
        request, self.request = self.request, request
        finished = otlp_request_finish(request.handle)
        if finished is NULL:
            raise MemoryError("the request could not be put together")
        try:
            capsule = PyCapsule_New(finished, PooledBytesName, free_pooled_bytes)
        except BaseException:
            otlp_bytes_free(finished)
            raise
        return Buffer(capsule)

    def __repr__(self):
        return f"<SpanEncoder: {self.item_count} spans, {self.byte_count} bytes>"


# The name under which src/buffer.rs takes the capsule.
cdef const char *PooledBytesName = b"otlp_fast.pooled_bytes"


cdef void free_pooled_bytes(object capsule) noexcept:
    otlp_bytes_free(<otlp_bytes *>PyCapsule_GetPointer(capsule, PooledBytesName))
