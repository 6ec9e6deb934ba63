# One metric: its data, data points and exemplars. The SDK's metrics are frozen dataclasses with plain attributes, so there is
# one path for all; the points of a metric are read by one Python call (see _sdk_fields.py), one by one only where that
# fails. A data point that cannot be written as it is meant costs itself: a histogram without one of its buckets would be
# another histogram.

cdef enum MetricField:
    METRIC_NAME, METRIC_DESCRIPTION, METRIC_UNIT, METRIC_DATA, METRIC_POINTS

cdef enum NumberField:
    NUMBER_ATTRIBUTES, NUMBER_START, NUMBER_TIME, NUMBER_VALUE, NUMBER_EXEMPLARS

cdef enum HistogramField:
    HISTOGRAM_ATTRIBUTES, HISTOGRAM_START, HISTOGRAM_TIME, HISTOGRAM_COUNT, HISTOGRAM_SUM, HISTOGRAM_MIN, HISTOGRAM_MAX,
    HISTOGRAM_EXEMPLARS, HISTOGRAM_BUCKET_COUNTS, HISTOGRAM_EXPLICIT_BOUNDS

# The first eight are those of a histogram.
cdef enum ExponentialField:
    EXPONENTIAL_SCALE = HISTOGRAM_EXEMPLARS + 1
    EXPONENTIAL_ZERO_COUNT, EXPONENTIAL_FLAGS,
    EXPONENTIAL_POSITIVE_OFFSET, EXPONENTIAL_POSITIVE_COUNTS, EXPONENTIAL_NEGATIVE_OFFSET, EXPONENTIAL_NEGATIVE_COUNTS

cdef enum ExemplarField:
    EXEMPLAR_SPAN_ID, EXEMPLAR_TRACE_ID, EXEMPLAR_TIME, EXEMPLAR_VALUE, EXEMPLAR_ATTRIBUTES

cdef object read_metrics = _sdk_fields.read_metrics
cdef object read_exemplars = _sdk_fields.read_exemplars
cdef object read_number_points = _sdk_fields.read_number_points
cdef object read_histogram_points = _sdk_fields.read_histogram_points
cdef object read_exponential_points = _sdk_fields.read_exponential_points
cdef object WithoutExemplars = _sdk_fields.WithoutExemplars


cdef Py_ssize_t write_metric(
    Walk walk, otlp_writer *writer, tuple fields, uint32_t kind, list points
) except -1:
    """Writes the content of one Metric message and gives the number of data points written. Raises where it is none."""
    cdef otlp_mark mark
    cdef int32_t temporality = 0
    cdef bint is_monotonic = False
    cdef size_t start
    cdef Py_ssize_t written
    data = field(fields, METRIC_DATA)
    name = text_field(walk, OTLP_NUMBER_POINT, ".name", field(fields, METRIC_NAME))
    description = text_field(walk, OTLP_NUMBER_POINT, ".description", field(fields, METRIC_DESCRIPTION))
    unit = text_field(walk, OTLP_NUMBER_POINT, ".unit", field(fields, METRIC_UNIT))
    otlp_begin_metric(
        writer,
        otlp_text_of(<PyObject *>name),
        otlp_text_of(<PyObject *>description),
        otlp_text_of(<PyObject *>unit),
    )
    if not points:
        return 0
    if kind != OTLP_GAUGE:
        preference = data.aggregation_temporality
        temporality = enum_number(walk, OTLP_NUMBER_POINT, ".data.aggregation_temporality", preference, preference)
        is_monotonic = kind == OTLP_SUM and bool(data.is_monotonic)
    start = otlp_writer_len(writer)
    otlp_open_data(writer, kind, expected_data_len(kind, points), &mark)
    written = write_points(walk, writer, kind, points)
    if written == 0:
        # As the official encoder has it, a metric without data points has no data.
        otlp_writer_truncate(writer, start)
    else:
        otlp_close_data(writer, &mark, temporality, is_monotonic)
    return written


cdef size_t expected_data_len(uint32_t kind, list points) noexcept:
    """About what the points of a metric take, each with a few attributes.

    With many points that is much, and a wrong guess at the length of the length moves it all.
    """
    return <size_t>len(points) * (130 if kind == OTLP_GAUGE or kind == OTLP_SUM else 380)


cdef uint32_t metric_kind(object data) except? 99:
    global sdk
    kind = type(data)
    if kind is sdk.histogram:
        return OTLP_HISTOGRAM
    if kind is sdk.sum:
        return OTLP_SUM
    if kind is sdk.gauge:
        return OTLP_GAUGE
    if kind is sdk.exponential_histogram:
        return OTLP_EXPONENTIAL_HISTOGRAM
    if sdk.gauge is None:
        sdk = SdkTypes()
    if sdk.gauge is not None:
        if isinstance(data, sdk.gauge):
            return OTLP_GAUGE
        if isinstance(data, sdk.histogram):
            return OTLP_HISTOGRAM
        if isinstance(data, sdk.sum):
            return OTLP_SUM
        if isinstance(data, sdk.exponential_histogram):
            return OTLP_EXPONENTIAL_HISTOGRAM
    raise EncodeError(
        f"data of type {kind.__module__}.{kind.__qualname__}: expected Gauge, Sum, Histogram or ExponentialHistogram"
    )


cdef Py_ssize_t write_points(Walk walk, otlp_writer *writer, uint32_t kind, list points) except -1:
    cdef Py_ssize_t position, written = 0
    cdef size_t start
    cdef list read
    if kind == OTLP_HISTOGRAM:
        reader = read_histogram_points
    elif kind == OTLP_EXPONENTIAL_HISTOGRAM:
        reader = read_exponential_points
    else:
        reader = read_number_points
    try:
        read = reader(points)
    except Exception:
        read = None
    for position in range(len(points)):
        walk.part = position
        start = otlp_writer_len(writer)
        try:
            fields = read_point(reader, points[position]) if read is None else read[position]
            if kind == OTLP_HISTOGRAM:
                write_histogram_point(walk, writer, fields)
            elif kind == OTLP_EXPONENTIAL_HISTOGRAM:
                write_exponential_point(walk, writer, fields)
            else:
                write_number_point(walk, writer, kind, fields)
            written += 1
        except Exception as error:
            otlp_writer_truncate(writer, start)
            walk.note("data_points_dropped", walk.place(OTLP_NUMBER_POINT), reason_of(error))
    walk.part = -1
    return written


cdef tuple read_point(object reader, object point):
    """The fields of one data point. Those of SDK releases up to 1.27 have no exemplars."""
    return reader((point if hasattr(point, "exemplars") else WithoutExemplars(point),))[0]


cdef int write_number_point(Walk walk, otlp_writer *writer, uint32_t kind, tuple fields) except -1:
    cdef otlp_times times
    cdef otlp_number value
    cdef otlp_mark mark
    cdef size_t expected_len
    # A gauge has no start.
    times.start_time_unix_nano = (
        time_field(walk, OTLP_NUMBER_POINT, ".start_time_unix_nano", field(fields, NUMBER_START))
        if kind == OTLP_SUM else 0
    )
    times.time_unix_nano = time_field(walk, OTLP_NUMBER_POINT, ".time_unix_nano", field(fields, NUMBER_TIME))
    number_of(walk, OTLP_NUMBER_POINT, field(fields, NUMBER_VALUE), &value)
    attributes = field(fields, NUMBER_ATTRIBUTES)
    # Two times, a value, and some thirty bytes for each attribute: with three of them the length still takes one byte.
    expected_len = 30 * len(<dict>attributes) + 27 if type(attributes) is dict else 0
    otlp_open_number_point(writer, expected_len, &times, &value, &mark)
    exemplars = field(fields, NUMBER_EXEMPLARS)
    if exemplars:
        write_exemplars(walk, writer, OTLP_NUMBER_POINT, exemplars)
    otlp_number_point_value(writer, &value)
    write_attributes(walk, writer, OTLP_NUMBER_POINT, attributes)
    otlp_close_message(writer, &mark)
    return 0


cdef int write_histogram_point(Walk walk, otlp_writer *writer, tuple fields) except -1:
    cdef otlp_times times
    cdef otlp_summary summary
    cdef otlp_mark mark
    cdef uint64_t *words
    cdef Py_ssize_t count
    read_times(walk, OTLP_HISTOGRAM_POINT, fields, &times)
    read_summary(fields, &summary)
    otlp_open_histogram_point(writer, &times, &summary, &mark)
    words = staged_words(field(fields, HISTOGRAM_BUCKET_COUNTS), ".bucket_counts", False, &count)
    otlp_histogram_array(writer, OTLP_BUCKET_COUNTS, words, count)
    words = staged_words(field(fields, HISTOGRAM_EXPLICIT_BOUNDS), ".explicit_bounds", True, &count)
    otlp_histogram_array(writer, OTLP_EXPLICIT_BOUNDS, words, count)
    exemplars = field(fields, HISTOGRAM_EXEMPLARS)
    if exemplars:
        write_exemplars(walk, writer, OTLP_HISTOGRAM_POINT, exemplars)
    write_attributes(walk, writer, OTLP_HISTOGRAM_POINT, field(fields, HISTOGRAM_ATTRIBUTES))
    otlp_close_histogram_point(writer, &mark, &summary)
    return 0


cdef int write_exponential_point(Walk walk, otlp_writer *writer, tuple fields) except -1:
    cdef otlp_times times
    cdef otlp_summary summary
    cdef otlp_mark mark
    cdef uint64_t zero_count
    cdef int32_t scale
    read_times(walk, OTLP_EXPONENTIAL_POINT, fields, &times)
    read_summary(fields, &summary)
    scale = int32_of(field(fields, EXPONENTIAL_SCALE), ".scale")
    zero_count = count_of(field(fields, EXPONENTIAL_ZERO_COUNT), ".zero_count", <uint64_t>-1)
    flags = count_of(field(fields, EXPONENTIAL_FLAGS), ".flags", <uint32_t>-1)
    otlp_open_exponential_point(writer, &mark)
    write_attributes(walk, writer, OTLP_EXPONENTIAL_POINT, field(fields, HISTOGRAM_ATTRIBUTES))
    otlp_exponential_point_fields(writer, &times, &summary, scale, zero_count)
    write_buckets(
        writer, False, field(fields, EXPONENTIAL_POSITIVE_OFFSET), field(fields, EXPONENTIAL_POSITIVE_COUNTS)
    )
    write_buckets(
        writer, True, field(fields, EXPONENTIAL_NEGATIVE_OFFSET), field(fields, EXPONENTIAL_NEGATIVE_COUNTS)
    )
    otlp_exponential_point_flags(writer, <uint32_t>flags)
    exemplars = field(fields, HISTOGRAM_EXEMPLARS)
    if exemplars:
        write_exemplars(walk, writer, OTLP_EXPONENTIAL_POINT, exemplars)
    otlp_close_exponential_point(writer, &mark, &summary)
    return 0


cdef int write_buckets(otlp_writer *writer, bint is_negative, object offset, object counts) except -1:
    cdef Py_ssize_t count
    cdef uint64_t *words
    cdef int32_t first
    # As the official encoder has it: no counts, no buckets, whatever the offset.
    if not counts:
        return 0
    first = int32_of(offset, ".offset")
    if PyList_CheckExact(counts) or PyTuple_CheckExact(counts):
        count = PySequence_Fast_GET_SIZE(counts)
        make_room(count)
        if otlp_read_small_counts(<PyObject *>counts, count, <uint8_t *>staging):
            otlp_small_exponential_buckets(writer, is_negative, first, <uint8_t *>staging, count)
            return 0
    words = staged_words(counts, ".bucket_counts", False, &count)
    otlp_exponential_buckets(writer, is_negative, first, words, count)
    return 0


cdef int write_exemplars(Walk walk, otlp_writer *writer, uint32_t owner, object exemplars) except -1:
    cdef otlp_exemplar head
    cdef otlp_mark mark
    cdef size_t start
    cdef list read = None
    cdef list copy
    try:
        copy = list(exemplars)
    except Exception as error:
        return walk.note("exemplars_dropped", walk.place(OTLP_EXEMPLAR), reason_of(error))
    try:
        read = read_exemplars(copy)
    except Exception:
        pass
    for position, exemplar in enumerate(copy):
        start = otlp_writer_len(writer)
        try:
            fields = read_exemplars((exemplar,))[0] if read is None else read[position]
            span_id, trace_id = field(fields, EXEMPLAR_SPAN_ID), field(fields, EXEMPLAR_TRACE_ID)
            head.time_unix_nano = time_field(
                walk, OTLP_EXEMPLAR, ".time_unix_nano", field(fields, EXEMPLAR_TIME)
            )
            exemplar_value_of(walk, field(fields, EXEMPLAR_VALUE), &head.value)
            head.has_span_id = head.has_trace_id = 0
            if span_id is not None and trace_id is not None:
                head.has_span_id = id_of_span(walk, OTLP_EXEMPLAR, span_id, head.span_id)
                head.has_trace_id = id_of_trace(walk, OTLP_EXEMPLAR, trace_id, head.trace_id)
            otlp_open_exemplar(writer, owner, &head, &mark)
            write_attributes(walk, writer, OTLP_EXEMPLAR, field(fields, EXEMPLAR_ATTRIBUTES))
            otlp_close_message(writer, &mark)
        except Exception as error:
            otlp_writer_truncate(writer, start)
            walk.note("exemplars_dropped", walk.place(OTLP_EXEMPLAR), reason_of(error))
    return 0


# Numbers. Those of the builtin types are read without running Python code; anything else becomes one of these or raises,
# which costs the data point.


cdef inline int number_of(Walk walk, uint32_t owner, object value, otlp_number *out) except -1:
    """The value of a number point: as_int for an int, as_double for anything else that is a number."""
    cdef double number
    if type(value) is float:
        number = value
    elif isinstance(value, int):
        if otlp_read_int64(<PyObject *>value, <int64_t *>&out.bits) == 0:
            out.is_int = 1
            return 0
        number = PyFloat_AsDouble(value)
        walk.repaired(owner, ".value", "an int beyond 64 bits, written as a double")
    else:
        number = PyFloat_AsDouble(value)
    out.bits = (<uint64_t *>&number)[0]
    out.is_int = 0
    return 0


cdef int exemplar_value_of(Walk walk, object value, otlp_number *out) except -1:
    if not isinstance(value, (float, int)):
        raise EncodeError(f"the value of an exemplar is an int or a float, not {shown(value)}")
    return number_of(walk, OTLP_EXEMPLAR, value, out)


cdef inline int read_times(Walk walk, uint32_t owner, tuple fields, otlp_times *out) except -1:
    out.start_time_unix_nano = time_field(walk, owner, ".start_time_unix_nano", field(fields, HISTOGRAM_START))
    out.time_unix_nano = time_field(walk, owner, ".time_unix_nano", field(fields, HISTOGRAM_TIME))
    return 0


cdef int read_summary(tuple fields, otlp_summary *out) except -1:
    out.count = count_of(field(fields, HISTOGRAM_COUNT), ".count", <uint64_t>-1)
    out.has_sum = optional_double(field(fields, HISTOGRAM_SUM), &out.sum)
    out.has_min = optional_double(field(fields, HISTOGRAM_MIN), &out.min)
    out.has_max = optional_double(field(fields, HISTOGRAM_MAX), &out.max)
    return 0


cdef inline bint optional_double(object value, double *out) except -1:
    if value is None:
        return False
    out[0] = PyFloat_AsDouble(value)
    return True


cdef inline uint64_t count_of(object value, str name, uint64_t most) except? <uint64_t>-1:
    cdef uint64_t number
    if value is None:
        return 0
    integer = value if type(value) is int else whole_number(value, name)
    if otlp_read_uint64(<PyObject *>integer, &number) < 0 or number > most:
        raise EncodeError(f"{name}: {shown(value)} is not between 0 and {most}")
    return number


cdef inline int32_t int32_of(object value, str name) except? -1:
    cdef int64_t number
    if value is None:
        return 0
    integer = value if type(value) is int else whole_number(value, name)
    if otlp_read_int64(<PyObject *>integer, &number) < 0 or not -0x80000000 <= number < 0x80000000:
        raise EncodeError(f"{name}: {shown(value)} does not fit 32 bits")
    return <int32_t>number


cdef object whole_number(object value, str name):
    """An int out of anything that says it is one (`__index__`). A bool is none here, as for protobuf."""
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        raise EncodeError(f"{name}: expected an int, got {shown(value)}")
    return value.__index__()


# Arrays are read into memory that is kept between calls: no Python code runs between reading and writing.
cdef enum:
    KEPT_WORDS = 4096

cdef uint64_t *staging = NULL
cdef Py_ssize_t staging_room = 0


cdef inline int make_room(Py_ssize_t length) except -1:
    """Makes room for so many words; gives back what a very long array took."""
    global staging, staging_room
    cdef void *memory
    if length > staging_room or staging_room > KEPT_WORDS >= length:
        memory = PyMem_Realloc(staging, max(length, KEPT_WORDS) * sizeof(uint64_t))
        if memory is NULL:
            raise MemoryError
        staging, staging_room = <uint64_t *>memory, max(length, KEPT_WORDS)
    return 0


cdef uint64_t *staged_words(object values, str name, bint are_doubles, Py_ssize_t *count) except? NULL:
    """The elements of a sequence as 64-bit words: doubles by their bits, or unsigned integers."""
    cdef Py_ssize_t length, read
    if values is None:
        count[0] = 0
        return staging
    if not PyTuple_CheckExact(values) and not PyList_CheckExact(values):
        values = list(values)
    while True:
        length = PySequence_Fast_GET_SIZE(values)
        make_room(length)
        read = otlp_read_words(<PyObject *>values, length, are_doubles, staging)
        if read == length:
            count[0] = length
            return staging
        # Something is not of a builtin type: the same again with its builtin form.
        values = [plain_element(value, name, are_doubles) for value in values]


cdef object plain_element(object value, str name, bint is_double):
    cdef uint64_t number
    if is_double:
        return PyFloat_AsDouble(value)
    integer = value if type(value) is int else whole_number(value, name)
    if otlp_read_uint64(<PyObject *>integer, &number) < 0:
        raise EncodeError(f"{name}: {shown(value)} is not between 0 and {<uint64_t>-1}")
    return integer
