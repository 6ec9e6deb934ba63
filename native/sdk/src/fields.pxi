# Single fields of any message. Each takes what the SDK gives without running Python code, and repairs the rest on a cold
# path: a value that cannot be written is left out, and noted.

# What a count of the SDK is when nothing was dropped. CPython has one object for each small int.
cdef object ZERO = 0


cdef inline object field(object fields, int index):
    return <object>PyTuple_GET_ITEM(fields, index)


cdef inline object text_field(Walk walk, uint32_t owner, str name, object value):
    if PyUnicode_CheckExact(value):
        return value
    if value is None:
        return ""
    return odd_text_field(walk, owner, name, value)


cdef object odd_text_field(Walk walk, uint32_t owner, str name, object value):
    if isinstance(value, str):
        return value
    try:
        return text_from(walk, owner, name, value)
    except Exception as error:
        walk.repaired(owner, name, f"left out: {reason_of(error)}")
        return ""


cdef inline uint64_t time_field(Walk walk, uint32_t owner, str name, object value) except? 0:
    cdef uint64_t time
    if type(value) is int and otlp_read_uint64(<PyObject *>value, &time) == 0:
        return time
    return odd_unsigned_field(walk, owner, name, value, <uint64_t>-1)


cdef uint64_t odd_unsigned_field(Walk walk, uint32_t owner, str name, object value, uint64_t most) except? 0:
    """A number out of what should have been one; 0, which is as good as absent, where there is none."""
    cdef uint64_t number
    if value is None:
        return 0
    try:
        # The official encoder takes anything with __index__ but a bool.
        integer = value if isinstance(value, int) else value.__index__() if hasattr(value, "__index__") else int(value)
    except Exception as error:
        walk.repaired(owner, name, f"left out: {reason_of(error)}")
        return 0
    if otlp_read_uint64(<PyObject *>integer, &number) == 0 and number <= most:
        if isinstance(value, bool) or not hasattr(value, "__index__"):
            walk.repaired(owner, name, f"expected int, got {type(value).__name__}: written as {number}")
        return number
    walk.repaired(owner, name, f"left out: {shown(value)} is not between 0 and {most}")
    return 0


cdef int write_count(Walk walk, otlp_writer *writer, uint32_t owner, str name, uint32_t target, object value) except -1:
    otlp_dropped_count(writer, target, <uint32_t>odd_unsigned_field(walk, owner, name, value, <uint32_t>-1))
    return 0


cdef inline bint id_of_trace(Walk walk, uint32_t owner, object identifier, uint8_t *out) except -1:
    if isinstance(identifier, int) and otlp_read_trace_id(<PyObject *>identifier, out) == 0:
        return True
    walk.repaired(owner, ".trace_id", f"left out: expected an int of 128 bits, got {shown(identifier)}")
    return False


cdef inline bint id_of_span(Walk walk, uint32_t owner, object identifier, uint8_t *out) except -1:
    if isinstance(identifier, int) and otlp_read_span_id(<PyObject *>identifier, out) == 0:
        return True
    walk.repaired(owner, ".span_id", f"left out: expected an int of 64 bits, got {shown(identifier)}")
    return False


cdef int32_t enum_number(Walk walk, uint32_t owner, str name, object number, object member) except? 0:
    """The number of an open enum; left out where it is none. `member` is what the user gave, for the note."""
    cdef int64_t value
    if isinstance(number, int) and otlp_read_int64(<PyObject *>number, &value) == 0 and -0x80000000 <= value < 0x80000000:
        return <int32_t>value
    walk.repaired(owner, name, f"left out: expected a member of its enum, got {shown(member)}")
    return 0
