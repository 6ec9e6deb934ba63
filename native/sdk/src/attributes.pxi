# Attributes: AnyValue of every kind, nested.
#
# Values of exactly the builtin scalar types go straight to the writer, without running any Python code. Everything else
# (subclasses, integers beyond 64 bits, sequences, mappings, objects of the user) takes `write_odd_attribute`, where any
# exception costs that one attribute. The order of the checks is that of the official encoder: str, bool, int, float,
# bytes, Sequence, Mapping.

# Most messages between the request and the innermost value, the request being depth 0: what protobuf parsers read back.
# otlp_schema::common::MAX_MESSAGE_DEPTH says more.
cdef uint32_t MAX_MESSAGE_DEPTH = 100
# Depth of the AnyValue of an attribute, by OTLP_SPAN … OTLP_EXEMPLAR.
cdef uint32_t[10] VALUE_DEPTH = [5, 6, 6, 4, 5, 5, 7, 7, 7, 8]
# Encoded size of one attribute: above the default limit of a whole request (64 MiB), so it could not be sent anyway. It
# keeps a small value that refers to itself many times over from filling the memory.
cdef size_t MAX_ATTRIBUTE_LEN = 64 << 20


cdef enum:
    # Scalar attributes that are handed to the writer together.
    PAIRS = 16
    # Texts of fewer units than this, and arrays of fewer in all, stay far below MAX_ATTRIBUTE_LEN whatever is in them.
    SHORT_BITS = 20
    # Units that an element of an array counts for in addition: a number takes twelve bytes.
    ELEMENT_UNITS = 16


cdef int write_attributes(Walk walk, otlp_writer *writer, uint32_t owner, object attributes) except -1:
    """Writes a mapping as attributes of the message that is open. A plain dict is read in place."""
    cdef PyObject *key
    cdef PyObject *value
    cdef Py_ssize_t position = 0, written = 0
    cdef size_t count = 0
    cdef otlp_pair[PAIRS] pairs
    if type(attributes) is dict:
        while PyDict_Next(attributes, &position, &key, &value):
            if count == PAIRS:
                otlp_attributes(writer, owner, pairs, count)
                count = 0
            if PyUnicode_CheckExact(<object>key):
                pairs[count].key = otlp_text_of(key)
                if otlp_scalar_of(value, &pairs[count].value) == 0 and is_short(pairs[count].key, pairs[count].value):
                    count += 1
                    written += 1
                    continue
                if count > 0:
                    otlp_attributes(writer, owner, pairs, count)
                    count = 0
                if write_flat_array(writer, owner, otlp_text_of(key), value):
                    written += 1
                    continue
            if count > 0:
                otlp_attributes(writer, owner, pairs, count)
            # From here on Python code may run and change the dict: go on with a copy of the rest.
            return write_odd_attributes(walk, writer, owner, list(attributes.items())[written:])
        if count > 0:
            otlp_attributes(writer, owner, pairs, count)
        return 0
    try:
        # A copy, as the values may run code that changes the mapping.
        items = list(attributes.items()) if attributes else None
    except Exception as error:
        return walk.note("attributes_dropped", f"{walk.place(owner)}.attributes", reason_of(error))
    return write_odd_attributes(walk, writer, owner, items) if items else 0


cdef inline bint is_short(otlp_text key, otlp_scalar value) noexcept:
    """Whether key and value may be written without a look at `MAX_ATTRIBUTE_LEN`."""
    return otlp_units_of(key.meta | value.meta) >> SHORT_BITS == 0


cdef bint write_flat_array(otlp_writer *writer, uint32_t owner, otlp_text key, PyObject *value) noexcept:
    """Writes a short tuple or list of builtin scalars, the common kind of sequence; writes nothing and says so for any
    other.
    """
    cdef Py_ssize_t index
    cdef size_t start, units = otlp_units_of(key.meta)
    cdef otlp_scalar scalar
    cdef otlp_container container
    if not PyTuple_CheckExact(<object>value) and not PyList_CheckExact(<object>value):
        return False
    if units >> SHORT_BITS:
        return False
    start = otlp_writer_len(writer)
    otlp_open_attribute(writer, owner, key, OTLP_ARRAY, &container)
    for index in range(PySequence_Fast_GET_SIZE(<object>value)):
        if otlp_scalar_of(PySequence_Fast_GET_ITEM(<object>value, index), &scalar) == 0:
            units += otlp_units_of(scalar.meta) + ELEMENT_UNITS
            if units >> SHORT_BITS == 0:
                otlp_value(writer, OTLP_ELEMENT, scalar)
                continue
        otlp_writer_truncate(writer, start)
        return False
    otlp_close_container(writer, &container)
    return True


cdef int write_odd_attributes(Walk walk, otlp_writer *writer, uint32_t owner, list items) except -1:
    cdef otlp_text name
    cdef otlp_scalar scalar
    cdef size_t start
    for pair in items:
        start = otlp_writer_len(writer)
        key = pair
        try:
            key, value = pair
            if PyUnicode_CheckExact(key) and otlp_scalar_of(<PyObject *>value, &scalar) == 0:
                name = otlp_text_of(<PyObject *>key)
                if is_short(name, scalar):
                    otlp_attribute(writer, owner, name, scalar)
                    continue
            write_attribute(walk, writer, owner, attribute_key(walk, owner, key), value, VALUE_DEPTH[owner], start)
        except Exception as error:
            otlp_writer_truncate(writer, start)
            walk.dropped_attribute(owner, key, error)
    return 0


cdef object attribute_key(Walk walk, uint32_t owner, object key):
    """A key as a str. The official encoder takes None as no key and bytes as UTF-8, and drops the rest."""
    if isinstance(key, str):
        return key
    if key is None:
        return ""
    return text_from(walk, owner, ".attributes key", key)


cdef str text_from(Walk walk, uint32_t owner, str field, object value):
    """A str out of what should have been one: UTF-8 bytes as protobuf takes them, anything else by its str()."""
    if isinstance(value, bytes):
        try:
            return value.decode("utf-8")
        except UnicodeDecodeError:
            walk.repaired(owner, field, "bytes that are not UTF-8, read with U+FFFD in their place")
            return value.decode("utf-8", "replace")
    text = str(value)
    walk.repaired(owner, field, f"expected str, got {type(value).__name__}: written as its str()")
    return text


cdef int write_attribute(
    Walk walk, otlp_writer *writer, uint32_t owner, object key, object value, uint32_t depth, size_t start
) except -1:
    """Writes one attribute whose AnyValue lies at `depth`. Raises where the value cannot be written."""
    cdef otlp_text name = otlp_text_of(<PyObject *>key)
    cdef otlp_scalar scalar
    cdef otlp_container container
    cdef uint32_t kind
    check_depth(depth)
    check_len(otlp_units_of(name.meta))
    owned = scalar_from(walk, value, &scalar)
    if owned is not None:
        check_len(otlp_units_of(scalar.meta))
        otlp_attribute(writer, owner, name, scalar)
    else:
        kind = container_kind(walk, value)
        check_depth(depth + 1)
        otlp_open_attribute(writer, owner, name, kind, &container)
        write_content(walk, writer, kind, value, depth, start)
        otlp_close_container(writer, &container)
    check_len(otlp_writer_len(writer) - start)
    return 0


cdef int write_value(
    Walk walk, otlp_writer *writer, uint32_t field, object value, uint32_t depth, size_t start
) except -1:
    """Writes a value without a key, at `depth`: an element of the array that is open, or a body."""
    cdef otlp_scalar scalar
    cdef otlp_container container
    cdef uint32_t kind
    check_depth(depth)
    owned = scalar_from(walk, value, &scalar)
    if owned is not None:
        check_len(otlp_units_of(scalar.meta))
        otlp_value(writer, field, scalar)
    else:
        kind = container_kind(walk, value)
        check_depth(depth + 1)
        otlp_open_value(writer, field, kind, &container)
        write_content(walk, writer, kind, value, depth, start)
        otlp_close_container(writer, &container)
    check_len(otlp_writer_len(writer) - start)
    return 0


cdef int write_content(
    Walk walk, otlp_writer *writer, uint32_t kind, object value, uint32_t depth, size_t start
) except -1:
    if kind == OTLP_ARRAY:
        for element in value:
            write_value(walk, writer, OTLP_ELEMENT, element, depth + 2, start)
    else:
        for key, member in value.items():
            write_attribute(walk, writer, OTLP_KEY_VALUE_LIST, str(key), member, depth + 3, start)
    return 0


cdef inline int check_depth(uint32_t depth) except -1:
    if depth > MAX_MESSAGE_DEPTH:
        raise EncodeError(
            f"the value is nested too deeply (or contains itself): protobuf parsers read {MAX_MESSAGE_DEPTH} "
            "messages deep, and would refuse the whole request"
        )
    return 0


cdef inline int check_len(size_t length) except -1:
    """Checks the bytes of an attribute so far, or the units of a text before it is written: it takes as many bytes at least."""
    if length > MAX_ATTRIBUTE_LEN:
        raise EncodeError(f"the value takes more than {MAX_ATTRIBUTE_LEN >> 20} MiB")
    return 0


cdef object scalar_from(Walk walk, object value, otlp_scalar *out):
    """Fills `out` from a value without parts and gives the object that owns its memory; None for any other value."""
    cdef double number
    if otlp_scalar_of(<PyObject *>value, out) == 0:
        return () if value is None else value
    if isinstance(value, str):
        return text_scalar(value, out)
    if isinstance(value, int):
        out.meta = OTLP_INT
        if otlp_read_int64(<PyObject *>value, <int64_t *>&out.bits) == 0:
            return value
        # https://opentelemetry.io/docs/specs/otel/common/attribute-type-mapping/#integer-values
        return text_scalar(int.__repr__(value), out)
    if isinstance(value, float):
        number = value
        out.bits = (<uint64_t *>&number)[0]
        out.meta = OTLP_DOUBLE
        return value
    if isinstance(value, bytes):
        out.bits = <uint64_t><uintptr_t>PyBytes_AS_STRING(value)
        out.meta = otlp_make_text(NULL, PyBytes_GET_SIZE(value), OTLP_BYTES).meta
        return value
    if walk.in_body and kind_of(walk, value) is None:
        # https://opentelemetry.io/docs/specs/otel/common/attribute-type-mapping/#other-values
        return text_scalar(str(value), out)
    return None


cdef object text_scalar(object text, otlp_scalar *out):
    cdef otlp_text form = otlp_text_of(<PyObject *>text)
    out.bits = <uint64_t><uintptr_t>form.data
    out.meta = form.meta
    return text


cdef object kind_of(Walk walk, object value):
    """The kind of a value with parts; None for any other object."""
    kind = type(value)
    if kind is tuple or kind is list:
        return OTLP_ARRAY
    if kind is dict:
        return OTLP_KVLIST
    if isinstance(value, Sequence):
        return OTLP_ARRAY
    if isinstance(value, Mapping):
        return OTLP_KVLIST
    if walk.in_body and isinstance(value, (set, frozenset)):
        return OTLP_ARRAY
    return None


cdef object container_kind(Walk walk, object value):
    kind = kind_of(walk, value)
    if kind is None:
        raise EncodeError(
            f"a value of type {type(value).__module__}.{type(value).__qualname__} cannot be an attribute: expected None, "
            "bool, int, float, str, bytes, or a sequence or mapping of these"
        )
    return kind
