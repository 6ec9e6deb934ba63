# One span. A reader (see _sdk_fields.py) gives its fields as a tuple, from the private fields of a known SDK class or from
# the public properties of anything else; from there on there is one way of writing them.

# Places in the tuples that the readers of _sdk_fields.py give.
cdef enum SpanField:
    SPAN_RESOURCE, SPAN_SCOPE, SPAN_CONTEXT, SPAN_PARENT, SPAN_NAME, SPAN_KIND, SPAN_START, SPAN_END,
    SPAN_ATTRIBUTES, SPAN_DROPPED_ATTRIBUTES, SPAN_EVENTS, SPAN_DROPPED_EVENTS, SPAN_LINKS, SPAN_DROPPED_LINKS,
    SPAN_STATUS_CODE, SPAN_DESCRIPTION,
    # Only from private fields: the objects that attributes, events, links and status were read from.
    SPAN_ATTRIBUTES_HOLDER, SPAN_EVENTS_HOLDER, SPAN_LINKS_HOLDER, SPAN_STATUS_HOLDER,
    SPAN_PRIVATE_FIELDS

cdef enum EventField:
    EVENT_TIME, EVENT_NAME, EVENT_ATTRIBUTES, EVENT_DROPPED_ATTRIBUTES, EVENT_ATTRIBUTES_HOLDER

cdef enum LinkField:
    LINK_CONTEXT, LINK_ATTRIBUTES, LINK_DROPPED_ATTRIBUTES, LINK_ATTRIBUTES_HOLDER

# https://github.com/open-telemetry/opentelemetry-proto/blob/main/opentelemetry/proto/trace/v1/trace.proto SpanFlags
cdef uint32_t FLAG_HAS_IS_REMOTE = 0x100
cdef uint32_t FLAG_IS_REMOTE = 0x200


cdef bint fields_are_sdk_containers(object fields):
    """Whether the private fields came from the SDK's own containers, whose inner layout the readers know."""
    return (
        PyTuple_CheckExact(fields)
        and PyTuple_GET_SIZE(fields) == SPAN_PRIVATE_FIELDS
        and type(field(fields, SPAN_ATTRIBUTES_HOLDER)) is sdk.bounded_attributes
        and type(field(fields, SPAN_EVENTS_HOLDER)) is sdk.bounded_list
        and type(field(fields, SPAN_LINKS_HOLDER)) is sdk.bounded_list
        and type(field(fields, SPAN_STATUS_HOLDER)) is sdk.status
    )


cdef tuple span_fields(Walk walk, object span):
    """The fields of a span, by its private reader where there is one and the span is as the SDK makes them."""
    reader = last_span_reader if type(span) is last_span_type else find_span_reader(span)
    return span_fields_by(walk, span, reader)


cdef tuple span_fields_by(Walk walk, object span, object reader):
    if reader is not None:
        try:
            fields = reader(span)
        except AttributeError:
            # A ReadableSpan made by hand, with a plain dict or tuple where the SDK has its own containers.
            pass
        else:
            if fields_are_sdk_containers(fields):
                return fields
    return read_public_span(span)


cdef int write_span(Walk walk, otlp_writer *writer, tuple fields) except -1:
    """Writes the content of one Span message."""
    cdef otlp_span_head head
    cdef otlp_span_tail tail
    parent = field(fields, SPAN_PARENT)
    context = field(fields, SPAN_CONTEXT)
    name = text_field(walk, OTLP_SPAN, ".name", field(fields, SPAN_NAME))
    trace_state = trace_state_of(walk, context)
    description = text_field(walk, OTLP_SPAN, ".status.description", field(fields, SPAN_DESCRIPTION))

    head.has_trace_id = trace_id_of(walk, OTLP_SPAN, context, head.trace_id)
    head.has_span_id = span_id_of(walk, OTLP_SPAN, context, head.span_id)
    tail.flags = FLAG_HAS_IS_REMOTE
    head.has_parent_span_id = 0
    # A SpanContext is a tuple that is never empty; asking it would take longer than knowing.
    if parent is not None and (type(parent) is sdk.span_context or parent):
        head.has_parent_span_id = span_id_of(walk, OTLP_SPAN, parent, head.parent_span_id)
        tail.flags |= remote_flag(parent)
    head.trace_state = otlp_text_of(<PyObject *>trace_state)
    head.name = otlp_text_of(<PyObject *>name)
    head.kind = span_kind(walk, field(fields, SPAN_KIND))
    head.start_time_unix_nano = time_field(walk, OTLP_SPAN, ".start_time", field(fields, SPAN_START))
    head.end_time_unix_nano = time_field(walk, OTLP_SPAN, ".end_time", field(fields, SPAN_END))
    otlp_begin_span(writer, &head)

    write_attributes(walk, writer, OTLP_SPAN, field(fields, SPAN_ATTRIBUTES))
    dropped = field(fields, SPAN_DROPPED_ATTRIBUTES)
    if dropped is not ZERO:
        write_count(walk, writer, OTLP_SPAN, ".dropped_attributes", OTLP_SPAN_DROPPED_ATTRIBUTES, dropped)
    parts = field(fields, SPAN_EVENTS)
    if parts:
        write_events(walk, writer, parts)
    dropped = field(fields, SPAN_DROPPED_EVENTS)
    if dropped is not ZERO:
        write_count(walk, writer, OTLP_SPAN, ".dropped_events", OTLP_SPAN_DROPPED_EVENTS, dropped)
    parts = field(fields, SPAN_LINKS)
    if parts:
        write_links(walk, writer, parts)
    dropped = field(fields, SPAN_DROPPED_LINKS)
    if dropped is not ZERO:
        write_count(walk, writer, OTLP_SPAN, ".dropped_links", OTLP_SPAN_DROPPED_LINKS, dropped)

    tail.message = otlp_text_of(<PyObject *>description)
    tail.has_status = 1
    code = field(fields, SPAN_STATUS_CODE)
    if code is sdk.unset:
        tail.code = 0
    elif code is None:
        tail.code = 0
        tail.has_status = 0
    else:
        tail.code = status_code(walk, code)
    otlp_end_span(writer, &tail)
    return 0


cdef int write_events(Walk walk, otlp_writer *writer, object events) except -1:
    cdef size_t start
    cdef otlp_mark mark
    try:
        # A copy: attribute values of the user may run code that appends to the list.
        copy = list(events)
    except Exception as error:
        return walk.note("events_dropped", f"{walk.place(OTLP_SPAN)}.events", reason_of(error))
    for position, event in enumerate(copy):
        walk.part = position
        start = otlp_writer_len(writer)
        try:
            fields = event_fields(event)
            name = text_field(walk, OTLP_EVENT, ".name", field(fields, EVENT_NAME))
            time = time_field(walk, OTLP_EVENT, ".timestamp", field(fields, EVENT_TIME))
            otlp_open_event(writer, time, otlp_text_of(<PyObject *>name), &mark)
            write_attributes(walk, writer, OTLP_EVENT, field(fields, EVENT_ATTRIBUTES))
            dropped = field(fields, EVENT_DROPPED_ATTRIBUTES)
            if dropped is not ZERO:
                write_count(walk, writer, OTLP_EVENT, ".dropped_attributes", OTLP_EVENT_DROPPED_ATTRIBUTES, dropped)
            otlp_close_message(writer, &mark)
        except Exception as error:
            otlp_writer_truncate(writer, start)
            walk.note("events_dropped", walk.place(OTLP_EVENT), reason_of(error))
    walk.part = -1
    return 0


cdef tuple event_fields(object event):
    if type(event) is sdk.event:
        try:
            fields = read_event(event)
        except AttributeError:
            pass
        else:
            if type(field(fields, EVENT_ATTRIBUTES_HOLDER)) is sdk.bounded_attributes:
                return fields
    return read_public_event(event)


cdef int write_links(Walk walk, otlp_writer *writer, object links) except -1:
    cdef size_t start
    cdef otlp_mark mark
    cdef uint8_t[16] trace_id
    cdef uint8_t[8] span_id
    cdef bint has_trace_id, has_span_id
    try:
        copy = list(links)
    except Exception as error:
        return walk.note("links_dropped", f"{walk.place(OTLP_SPAN)}.links", reason_of(error))
    for position, link in enumerate(copy):
        walk.part = position
        start = otlp_writer_len(writer)
        try:
            fields = link_fields(link)
            context = field(fields, LINK_CONTEXT)
            has_trace_id = trace_id_of(walk, OTLP_LINK, context, trace_id)
            has_span_id = span_id_of(walk, OTLP_LINK, context, span_id)
            otlp_open_link(writer, trace_id if has_trace_id else NULL, span_id if has_span_id else NULL, &mark)
            write_attributes(walk, writer, OTLP_LINK, field(fields, LINK_ATTRIBUTES))
            dropped = field(fields, LINK_DROPPED_ATTRIBUTES)
            if dropped is not ZERO:
                write_count(walk, writer, OTLP_LINK, ".dropped_attributes", OTLP_LINK_DROPPED_ATTRIBUTES, dropped)
            otlp_close_link(writer, &mark, FLAG_HAS_IS_REMOTE | remote_flag(context))
        except Exception as error:
            otlp_writer_truncate(writer, start)
            walk.note("links_dropped", walk.place(OTLP_LINK), reason_of(error))
    walk.part = -1
    return 0


cdef tuple link_fields(object link):
    if type(link) is sdk.link:
        try:
            fields = read_link(link)
        except AttributeError:
            pass
        else:
            if type(field(fields, LINK_ATTRIBUTES_HOLDER)) is sdk.bounded_attributes:
                return fields
    return read_public_link(link)


cdef bint trace_id_of(Walk walk, uint32_t owner, object context, uint8_t *out) except -1:
    identifier = field(context, 0) if type(context) is sdk.span_context else getattr(context, "trace_id", None)
    return id_of_trace(walk, owner, identifier, out)


cdef bint span_id_of(Walk walk, uint32_t owner, object context, uint8_t *out) except -1:
    identifier = field(context, 1) if type(context) is sdk.span_context else getattr(context, "span_id", None)
    return id_of_span(walk, owner, identifier, out)


cdef uint32_t remote_flag(object context) except? 0:
    if type(context) is sdk.span_context:
        remote = field(context, 2)
    else:
        remote = context is not None and context and getattr(context, "is_remote", False)
    if remote is False:
        return 0
    return FLAG_IS_REMOTE if remote else 0


cdef object trace_state_of(Walk walk, object context):
    """The W3C tracestate header of a context."""
    state = field(context, 4) if type(context) is sdk.span_context else getattr(context, "trace_state", None)
    if state is None or state is sdk.empty_trace_state:
        return ""
    try:
        entries = state._dict if type(state) is sdk.trace_state else state
        return ",".join([f"{key}={value}" for key, value in entries.items()])
    except Exception as error:
        walk.repaired(OTLP_SPAN, ".context.trace_state", f"left out: {reason_of(error)}")
        return ""


cdef uint32_t span_kind(Walk walk, object kind) except? 0:
    """SpanKind of the API counts from 0, that of OTLP from 1: 0 is unspecified there."""
    if kind is sdk.internal:
        return 1
    if kind is sdk.server:
        return 2
    if kind is sdk.client:
        return 3
    if kind is sdk.producer:
        return 4
    if kind is sdk.consumer:
        return 5
    walk.repaired(OTLP_SPAN, ".kind", f"left out: expected a SpanKind, got {shown(kind)}")
    return 0


cdef int32_t status_code(Walk walk, object code) except? 0:
    if code is sdk.ok:
        return 1
    if code is sdk.error:
        return 2
    return enum_number(walk, OTLP_SPAN, ".status.status_code", getattr(code, "value", None), code)
