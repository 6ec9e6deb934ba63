# Which SDK classes the walker knows. Nothing is imported here: a span can only be an SDK span if the SDK is loaded, so the
# classes are looked up in sys.modules when the first span arrives, and looked up again if a span of an unknown type does.
#
# A type takes the fast path if it is one of the SDK's own span classes and its first span gives the same bytes on both
# paths. Everything else (subclasses, duck-typed spans, an SDK whose private fields have changed) takes the safe path.


cdef class SdkTypes:
    """The classes and singletons of one loaded SDK. Attributes are None where that module is not loaded."""

    cdef object readable_span, span, recording_span
    cdef object bounded_attributes, bounded_list
    cdef object event, link, status, span_context, trace_state
    cdef object empty_trace_state
    cdef object internal, server, client, producer, consumer
    cdef object unset, ok, error
    cdef object readable_log_record, read_write_log_record, log_data
    cdef object gauge, sum, histogram, exponential_histogram

    def __cinit__(self):
        modules = sys.modules
        trace_sdk = modules.get("opentelemetry.sdk.trace")
        self.readable_span = getattr(trace_sdk, "ReadableSpan", None)
        self.span = getattr(trace_sdk, "Span", None)
        self.recording_span = getattr(trace_sdk, "_Span", None)
        self.event = getattr(trace_sdk, "Event", None)
        self.bounded_attributes = getattr(modules.get("opentelemetry.attributes"), "BoundedAttributes", None)
        self.bounded_list = getattr(modules.get("opentelemetry.sdk.util"), "BoundedList", None)
        trace_api = modules.get("opentelemetry.trace")
        self.link = getattr(trace_api, "Link", None)
        self.status = getattr(trace_api, "Status", None)
        self.span_context = getattr(trace_api, "SpanContext", None)
        self.trace_state = getattr(trace_api, "TraceState", None)
        self.empty_trace_state = getattr(trace_api, "DEFAULT_TRACE_STATE", None)
        kinds = getattr(trace_api, "SpanKind", None)
        self.internal = getattr(kinds, "INTERNAL", None)
        self.server = getattr(kinds, "SERVER", None)
        self.client = getattr(kinds, "CLIENT", None)
        self.producer = getattr(kinds, "PRODUCER", None)
        self.consumer = getattr(kinds, "CONSUMER", None)
        codes = getattr(trace_api, "StatusCode", None)
        self.unset = getattr(codes, "UNSET", None)
        self.ok = getattr(codes, "OK", None)
        self.error = getattr(codes, "ERROR", None)
        # LogData is what a log record with its scope was up to release 1.36.
        logs_sdk = modules.get("opentelemetry.sdk._logs")
        self.readable_log_record = getattr(logs_sdk, "ReadableLogRecord", None)
        self.read_write_log_record = getattr(logs_sdk, "ReadWriteLogRecord", None)
        self.log_data = getattr(logs_sdk, "LogData", None)
        metrics_sdk = modules.get("opentelemetry.sdk.metrics.export")
        self.gauge = getattr(metrics_sdk, "Gauge", None)
        self.sum = getattr(metrics_sdk, "Sum", None)
        self.histogram = getattr(metrics_sdk, "Histogram", None)
        self.exponential_histogram = getattr(metrics_sdk, "ExponentialHistogram", None)

    cdef bint is_span_class(self, object kind):
        return kind is not None and (kind is self.readable_span or kind is self.recording_span or kind is self.span)

    cdef object log_reader(self, object kind):
        """The function that reads log records of this class; None where only their public properties are known."""
        if kind is self.readable_log_record or kind is self.read_write_log_record:
            return _sdk_fields.read_log_record
        if kind is self.log_data:
            return _sdk_fields.read_log_data
        return None


cdef SdkTypes sdk = SdkTypes()

# type of span -> its reader, None for the safe path. Bounded: cleared when many types have passed, say in tests.
cdef dict span_readers = {}
# Readers that no span has proven yet.
cdef dict unproven_readers = {}
cdef object last_span_type = None
cdef object last_span_reader = None
cdef object read_event = _sdk_fields.read_event
cdef object read_link = _sdk_fields.read_link
cdef object read_public_span = _sdk_fields.read_public_span
cdef object read_public_event = _sdk_fields.read_public_event
cdef object read_public_link = _sdk_fields.read_public_link
cdef object read_public_log_record = _sdk_fields.read_public_log_record

# type of log record -> its reader, None for the safe path; bounded as above.
cdef dict log_readers = {}
cdef object last_log_type = None
cdef object last_log_reader = None


cdef object find_span_reader(object span):
    """The reader of private fields that fits this span's type, or None where only the safe path does."""
    global sdk, last_span_type, last_span_reader
    kind = type(span)
    reader = span_readers.get(kind, span_readers)
    if reader is span_readers:
        if not sdk.is_span_class(kind):
            sdk = SdkTypes()
        reader = None
        if sdk.is_span_class(kind):
            # Each type gets a code object of its own, so that the interpreter specialises it for that type alone.
            reader = unproven_readers.get(kind)
            if reader is None:
                reader = unproven_readers[kind] = own_copy(_sdk_fields.read_span)
            proof = both_paths_agree(span, reader)
            if proof is None:
                return None
            if not proof:
                reader = None
        if len(span_readers) >= 64:
            span_readers.clear()
            unproven_readers.clear()
        span_readers[kind] = reader
    last_span_type, last_span_reader = kind, reader
    return reader


cdef object own_copy(object reader):
    """The same function with a code object of its own, which the interpreter specialises for what it is called with."""
    return type(reader)(reader.__code__.replace(), reader.__globals__)


cdef object find_log_reader(object record):
    """The reader of SDK containers that fits this record's type, or None where only the safe path does."""
    global sdk, last_log_type, last_log_reader
    kind = type(record)
    reader = log_readers.get(kind, log_readers)
    if reader is log_readers:
        if sdk.log_reader(kind) is None:
            sdk = SdkTypes()
        reader = sdk.log_reader(kind)
        if reader is not None:
            reader = own_copy(reader)
        if len(log_readers) >= 64:
            log_readers.clear()
        log_readers[kind] = reader
    last_log_type, last_log_reader = kind, reader
    return reader


cdef object both_paths_agree(object span, object reader):
    """Whether the private fields of this span say the same as its public properties; None where it cannot tell."""
    try:
        if not fields_are_sdk_containers(reader(span)):
            return None
        return encoded_alone(span, reader) == encoded_alone(span, None)
    except Exception:
        # A span made by hand, or one with something in it that cannot be encoded: the next one will tell.
        return None


cdef bytes encoded_alone(object span, object reader):
    cdef Request request = Request(0)
    cdef Walk walk = Walk("spans")
    request.add_item(walk, SPANS, span, span_fields_by(walk, span, reader))
    return request.to_bytes()
