# What could not be written as it was. A bad value costs at most itself: it is left out or repaired, noted here with its
# place, and reported after the call through otlp_fast._diagnostics, which counts it and writes a rate-limited log line.
# Notes are made on cold paths only; while nothing is wrong, a Walk is two empty fields.


cdef class Walk:
    """The state of one walk over spans, log records or metrics: where it is, and what it has to report."""

    cdef list notes
    # What the items are called in the input, as in spans[3].
    cdef str items
    cdef Py_ssize_t index
    # Position in the events or links of the span at hand, or in the data points of the metric; -1 outside of them.
    cdef Py_ssize_t part
    # Name of the metric at hand.
    cdef object metric_name
    # Inside the body of a log record, where values of every type have a form.
    cdef bint in_body

    def __cinit__(self, str items):
        self.items = items
        self.index = 0
        self.part = -1
        self.in_body = False

    cdef str place(self, uint32_t owner):
        """The dotted path of what is being walked, for people."""
        item = f"{self.items}[{self.index}]"
        if self.metric_name is not None:
            item = f"{item} ({shown(self.metric_name)})"
        if owner == OTLP_RESOURCE:
            return f"{item}.resource"
        if owner == OTLP_SCOPE:
            return f"{item}.instrumentation_scope"
        if self.part < 0:
            return item
        if owner == OTLP_EVENT:
            return f"{item}.events[{self.part}]"
        if owner == OTLP_LINK:
            return f"{item}.links[{self.part}]"
        if owner == OTLP_EXEMPLAR:
            return f"{item}.data_points[{self.part}].exemplars"
        if owner == OTLP_NUMBER_POINT or owner == OTLP_HISTOGRAM_POINT or owner == OTLP_EXPONENTIAL_POINT:
            return f"{item}.data_points[{self.part}]"
        return item

    cdef int note(self, str kind, str path, str reason) except -1:
        if self.notes is None:
            self.notes = []
        self.notes.append((kind, path, reason))
        return 0

    cdef int dropped_attribute(self, uint32_t owner, object key, object error) except -1:
        return self.note("attributes_dropped", f"{self.place(owner)}.attributes[{shown(key)}]", reason_of(error))

    cdef int repaired(self, uint32_t owner, str field, str reason) except -1:
        return self.note("values_repaired", f"{self.place(owner)}{field}", reason)

    cdef inline int replaced_surrogates(self, uint32_t owner, otlp_writer *writer) except -1:
        """Notes the surrogates that were replaced in what was just written there."""
        if otlp_writer_take_replaced(writer):
            self.repaired(owner, "", "lone surrogates in its strings were written as U+FFFD")
        return 0

    cdef int report(self) except -1:
        """Hands the notes over. Called when nothing of the walk is in flight any more: logging runs Python code."""
        if self.notes is not None:
            notes, self.notes = self.notes, None
            _diagnostics.report(notes)
        return 0


cdef str shown(object value):
    """A short form of any object, even of one whose repr raises."""
    try:
        text = repr(value)
    except Exception:
        text = f"<{type(value).__name__}>"
    return text if len(text) <= 80 else text[:77] + "..."


cdef str reason_of(object error):
    try:
        text = str(error)
    except Exception:
        text = ""
    return text if isinstance(error, EncodeError) else f"{type(error).__name__}: {text}"
