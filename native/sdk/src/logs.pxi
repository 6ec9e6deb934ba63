# One log record. The SDK's log records are plain objects: only their attributes are in a container of the SDK, whose dict is
# read in place. In SDK releases up to 1.38 a record is a LogData, whose log_record carries the resource.

# Places in the tuples that the log readers of _sdk_fields.py give. Resource and scope stand where those of a span do.
cdef enum LogField:
    LOG_RESOURCE, LOG_SCOPE, LOG_TIME, LOG_OBSERVED_TIME, LOG_TRACE_ID, LOG_SPAN_ID, LOG_TRACE_FLAGS,
    LOG_SEVERITY_TEXT, LOG_SEVERITY_NUMBER, LOG_BODY, LOG_ATTRIBUTES, LOG_DROPPED_ATTRIBUTES, LOG_EVENT_NAME,
    # Only where the attributes were read from the SDK's container.
    LOG_ATTRIBUTES_HOLDER

# Depth of the AnyValue of a body.
cdef uint32_t BODY_DEPTH = 4


cdef tuple log_fields(Walk walk, object record):
    reader = last_log_reader if type(record) is last_log_type else find_log_reader(record)
    if reader is not None:
        try:
            fields = reader(record)
        except AttributeError:
            # A record made by hand, with a plain dict where the SDK has its own container.
            pass
        else:
            if type(field(fields, LOG_ATTRIBUTES_HOLDER)) is sdk.bounded_attributes:
                return fields
    return read_public_log_record(record)


cdef int write_log_record(Walk walk, otlp_writer *writer, tuple fields) except -1:
    """Writes the content of one LogRecord message."""
    cdef otlp_log_head head
    cdef otlp_log_tail tail
    severity_text = text_field(walk, OTLP_LOG_RECORD, ".severity_text", field(fields, LOG_SEVERITY_TEXT))
    event_name = text_field(walk, OTLP_LOG_RECORD, ".event_name", field(fields, LOG_EVENT_NAME))

    head.time_unix_nano = time_field(walk, OTLP_LOG_RECORD, ".timestamp", field(fields, LOG_TIME))
    severity = field(fields, LOG_SEVERITY_NUMBER)
    head.severity_number = (
        0 if severity is None else enum_number(walk, OTLP_LOG_RECORD, ".severity_number", severity, severity)
    )
    head.severity_text = otlp_text_of(<PyObject *>severity_text)
    otlp_begin_log_record(writer, &head)

    write_body(walk, writer, field(fields, LOG_BODY))
    write_attributes(walk, writer, OTLP_LOG_RECORD, field(fields, LOG_ATTRIBUTES))
    dropped = field(fields, LOG_DROPPED_ATTRIBUTES)
    if dropped is not ZERO:
        write_count(walk, writer, OTLP_LOG_RECORD, ".dropped_attributes", OTLP_LOG_DROPPED_ATTRIBUTES, dropped)

    tail.flags = <uint32_t>trace_flags_of(walk, field(fields, LOG_TRACE_FLAGS))
    identifier = field(fields, LOG_TRACE_ID)
    tail.has_trace_id = is_set(identifier) and id_of_trace(walk, OTLP_LOG_RECORD, identifier, tail.trace_id)
    identifier = field(fields, LOG_SPAN_ID)
    tail.has_span_id = is_set(identifier) and id_of_span(walk, OTLP_LOG_RECORD, identifier, tail.span_id)
    tail.observed_time_unix_nano = time_field(
        walk, OTLP_LOG_RECORD, ".observed_timestamp", field(fields, LOG_OBSERVED_TIME)
    )
    tail.event_name = otlp_text_of(<PyObject *>event_name)
    otlp_end_log_record(writer, &tail)
    return 0


cdef inline bint is_set(object identifier) except -1:
    """Whether an id is neither None nor 0, the id of no trace."""
    return identifier is not None and identifier is not ZERO and identifier != 0


cdef inline uint64_t trace_flags_of(Walk walk, object flags) except? 0:
    cdef uint64_t number
    if isinstance(flags, int) and otlp_read_uint64(<PyObject *>flags, &number) == 0 and number <= <uint32_t>-1:
        return number
    return odd_unsigned_field(walk, OTLP_LOG_RECORD, ".trace_flags", flags, <uint32_t>-1)


cdef int write_body(Walk walk, otlp_writer *writer, object body) except -1:
    """Writes the body, an AnyValue that may be anything. One that cannot be written costs itself."""
    cdef otlp_scalar scalar
    cdef size_t start
    if otlp_scalar_of(<PyObject *>body, &scalar) == 0 and otlp_units_of(scalar.meta) >> SHORT_BITS == 0:
        otlp_value(writer, OTLP_BODY, scalar)
        return 0
    start = otlp_writer_len(writer)
    walk.in_body = True
    try:
        write_value(walk, writer, OTLP_BODY, body, BODY_DEPTH, start)
    except Exception as error:
        otlp_writer_truncate(writer, start)
        otlp_scalar_of(<PyObject *>None, &scalar)
        otlp_value(writer, OTLP_BODY, scalar)
        walk.repaired(OTLP_LOG_RECORD, ".body", f"left out: {reason_of(error)}")
    finally:
        walk.in_body = False
    return 0
