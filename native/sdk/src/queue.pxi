# The queues that processors encode into: a request that is open, and sealed ones that wait to be sent. An item is encoded
# when it is added, so what is kept are bytes, and a bound in bytes is a bound on memory.
#
# What happens in `add` happens on the thread of the user's request: one call of a C function that reads, writes, and
# compares two counters. It never raises, never blocks, and takes no lock: the GIL orders what there is to order.


cdef class ItemQueue:
    """A bounded queue of encoded requests. Not for users: `otlp_fast.processor` wraps it.

    Args:
        max_items: most items in the queue, the open request included; what comes then is dropped and counted.
        max_bytes: most bytes in the queue, likewise.
        batch_items: items after which the open request is sealed.
        batch_bytes: bytes after which it is sealed.
        on_sealed: called without arguments whenever `add` sealed a request, on the thread that added.
    """

    cdef ItemEncoder encoder
    cdef object sealed
    cdef object on_sealed
    cdef readonly Py_ssize_t max_items, max_bytes, batch_items, batch_bytes
    cdef Py_ssize_t sealed_items, sealed_bytes
    cdef readonly bint is_closed
    cdef readonly uint64_t accepted_count
    """Items that were encoded into the queue."""
    cdef readonly uint64_t dropped_count
    """Items dropped because the queue was full."""
    cdef readonly uint64_t refused_count
    """Items that could not be encoded at all."""
    cdef readonly uint64_t late_count
    """Items that came after `close`."""

    def __cinit__(self, *, Py_ssize_t max_items, Py_ssize_t max_bytes, Py_ssize_t batch_items, Py_ssize_t batch_bytes, on_sealed):
        self.max_items, self.max_bytes = max_items, max_bytes
        self.batch_items, self.batch_bytes = batch_items, batch_bytes
        self.on_sealed = on_sealed
        self.sealed = []

    cdef int put(self, object item, bint only_sampled) except -1:
        cdef Request request = self.encoder.request
        if self.is_closed:
            self.late_count += is_wanted(item, only_sampled)
            return 0
        if (
            self.sealed_items + request.item_count >= self.max_items
            or self.sealed_bytes + request.written_len >= self.max_bytes
        ):
            self.dropped_count += is_wanted(item, only_sampled)
            return 0
        try:
            if not self.encoder.add_item(item, only_sampled):
                return 0
        except BaseException as error:
            self.refused_count += 1
            if not isinstance(error, Exception):
                # An exit or an interrupt is the user's.
                raise
            _diagnostics.report([("items_refused", ITEMS[self.encoder.signal], reason_of(error))])
            return 0
        self.accepted_count += 1
        request = self.encoder.request
        if request.item_count >= self.batch_items or request.written_len >= self.batch_bytes:
            self.seal()
            self.on_sealed()
        return 0

    @property
    def item_count(self):
        """Items in the queue, those of the open request included."""
        return self.sealed_items + self.encoder.request.item_count

    @property
    def byte_count(self):
        """Bytes in the queue, those of the open request included, its envelopes not."""
        return self.sealed_bytes + self.encoder.request.written_len

    @property
    def sealed_count(self):
        """Requests that are sealed and wait."""
        return len(self.sealed)

    cpdef seal(self):
        """Close the open request, if there is anything in it, and begin an empty one. Never raises.

        Where there is no memory to put its groups together, its items are dropped and counted.
        """
        cdef Request request
        cdef Py_ssize_t count
        if self.encoder.request.item_count == 0:
            return
        try:
            request = self.encoder.take_request()
        except MemoryError:
            # It stays open, and the next item tries again.
            return
        count = request.item_count
        try:
            buffer = request.to_buffer()
        except MemoryError:
            self.accepted_count -= <uint64_t>count
            self.dropped_count += <uint64_t>count
            return
        self.sealed.append((buffer, count))
        self.sealed_items += count
        self.sealed_bytes += len(buffer)

    def take(self):
        """Take the oldest sealed request out: a `Buffer` and its number of items, or None where none waits."""
        if not self.sealed:
            return None
        buffer, count = self.sealed.pop(0)
        self.sealed_items -= count
        self.sealed_bytes -= len(buffer)
        return buffer, count

    def close(self):
        """Refuse what comes from now on; it is counted. What is in the queue stays."""
        self.is_closed = True

    def clear(self):
        """Forget what is in the queue and all counts: for a forked child, whose parent sends it."""
        self.encoder.take_request()
        self.sealed = []
        self.sealed_items = self.sealed_bytes = 0
        self.accepted_count = self.dropped_count = self.refused_count = self.late_count = 0


cdef bint is_wanted(object item, bint only_sampled) noexcept:
    """Whether the item would have been taken: what is not sampled is no loss."""
    if not only_sampled:
        return True
    try:
        return is_sampled(item.context)
    except Exception:
        return True


@final
cdef class SpanQueue(ItemQueue):
    """The queue of a span processor: takes sampled spans, passes over the others."""

    def __cinit__(self, **limits):
        self.encoder = SpanEncoder()

    @binding(False)
    def add(self, span):
        """Encode a span into the queue, or count it as dropped. Never raises."""
        self.put(span, True)


@final
cdef class LogQueue(ItemQueue):
    """The queue of a log record processor."""

    def __cinit__(self, **limits):
        self.encoder = LogEncoder()

    @binding(False)
    def add(self, record):
        """Encode a log record into the queue, or count it as dropped. Never raises."""
        self.put(record, False)
