# What spans and log records have in common: an object that is read into a tuple of fields, whose first two are resource and
# scope, and then written.

cdef enum:
    SPANS, LOG_RECORDS

cdef enum ItemField:
    ITEM_RESOURCE, ITEM_SCOPE

# What the items of a signal are called, many and one, by signal.
cdef tuple ITEMS = ("spans", "log_records")
cdef tuple ITEM = ("span", "log record")


cdef tuple item_fields(Walk walk, int signal, object item):
    """Reads an item, or raises EncodeError where it is none."""
    try:
        return span_fields(walk, item) if signal == SPANS else log_fields(walk, item)
    except Exception as error:
        raise not_an_item(walk, signal, item, error) from error


cdef int write_item(Walk walk, otlp_writer *writer, int signal, object item, tuple fields) except -1:
    """Writes an item, or raises EncodeError where its own code fails in a way that no field accounts for."""
    try:
        return write_span(walk, writer, fields) if signal == SPANS else write_log_record(walk, writer, fields)
    except Exception as error:
        walk.part = -1
        raise not_an_item(walk, signal, item, error) from error


cdef object not_an_item(Walk walk, int signal, object item, object error):
    path = f"{walk.items}[{walk.index}]"
    kind = f"{type(item).__module__}.{type(item).__qualname__}"
    return EncodeError(f"{path} is not a {ITEM[signal]}: {kind} ({reason_of(error)})", path=path)
