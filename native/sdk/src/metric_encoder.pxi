# The public face for metrics. What comes in is a tree already, by resource and scope; its metrics are the items of the
# request. Nothing in it makes the call fail: a metric or data point that cannot be written costs itself.

# Bytes of the last request: the first guess for the next one, as metrics are much the same every time.
cdef size_t expected_metrics_len = 0


def encode_metrics(metrics_data):
    """Encode metrics as an `ExportMetricsServiceRequest`.

    Takes what the official `encode_metrics` takes and gives what its `SerializeToString()` gives, byte for byte, except
    where the official encoder loses data (see docs/architecture.md, "Bad input"): a bad data point costs itself, and a
    resource or scope that stands twice in the input is merged.

    Args:
        metrics_data: an `opentelemetry.sdk.metrics.export.MetricsData`, or an object with the same public attributes
            whose metrics hold the SDK's `Sum`, `Gauge`, `Histogram` and `ExponentialHistogram`.

    Returns:
        The protobuf message, grouped by resource and scope in first-seen order; `b""` for no resource.

    Raises:
        EncodeError: `metrics_data` is not MetricsData. What is in it never raises: a metric or data point that cannot be
            written is left out, counted (`encode_stats()`) and logged.
    """
    global expected_metrics_len
    cdef MetricEncoder encoder = MetricEncoder()
    encoder.request = Request(expected_metrics_len)
    # Nothing else can reach this encoder: metrics are written in place.
    encoder.is_private = True
    encoder.add(metrics_data)
    data = encoder.request.to_bytes()
    expected_metrics_len = len(data)
    return data


@final
cdef class MetricEncoder(RequestEncoder):
    """An `ExportMetricsServiceRequest` under construction: metrics are encoded when they are added, none is kept.

    `item_count` is the number of data points. The encoder may be shared by threads: metrics join the request one by one.
    """

    cdef bint is_private

    def add(self, metrics_data):
        """Encode a `MetricsData` into the open request.

        Raises:
            EncodeError: `metrics_data` is not MetricsData; the request is as it was before. What is in it never raises,
                see `encode_metrics`.
        """
        cdef Walk walk = Walk("metrics")
        cdef otlp_writer *writer
        try:
            resource_groups = list(metrics_data.resource_metrics)
        except Exception as error:
            kind = type(metrics_data)
            raise EncodeError(
                f"not MetricsData: {kind.__module__}.{kind.__qualname__} ({reason_of(error)})", path="resource_metrics"
            ) from error
        writer = self.take_scratch()
        try:
            for position, resource_group in enumerate(resource_groups):
                self.add_resource_group(walk, writer, position, resource_group)
        finally:
            self.give_scratch(writer)
            walk.report()

    cdef int add_resource_group(self, Walk walk, otlp_writer *writer, Py_ssize_t position, object group) except -1:
        cdef Request request
        try:
            resource, scope_groups = group.resource, list(group.scope_metrics)
        except Exception as error:
            return walk.note("metrics_dropped", f"resource_metrics[{position}]", reason_of(error))
        # A variable holds the request while its code runs: another thread may finish it meanwhile.
        request = self.request
        request.list_resource(walk, resource)
        for inner, scope_group in enumerate(scope_groups):
            try:
                scope, metrics = scope_group.scope, list(scope_group.metrics)
            except Exception as error:
                path = f"resource_metrics[{position}].scope_metrics[{inner}]"
                walk.note("metrics_dropped", path, reason_of(error))
                continue
            request = self.request
            request.list_scope(walk, resource, scope)
            try:
                read = read_metrics(metrics)
            except Exception:
                read = None
            for place, metric in enumerate(metrics):
                self.add_metric(walk, writer, resource, scope, metric, None if read is None else read[place])
                walk.index += 1
                walk.metric_name = None
        return 0

    cdef int add_metric(
        self, Walk walk, otlp_writer *scratch, object resource, object scope, object metric, tuple fields
    ) except -1:
        """Adds a metric, whose fields were read already where that was possible for all of its scope."""
        global data_points_encoded
        cdef Request request
        cdef Py_ssize_t points
        try:
            if fields is None:
                walk.metric_name = metric.name
                fields = read_metrics((metric,))[0]
            walk.metric_name = field(fields, METRIC_NAME)
            kind = metric_kind(field(fields, METRIC_DATA))
            data_points = list(field(fields, METRIC_POINTS))
            if self.is_private:
                request = self.request
                points = request.add_metric(walk, resource, scope, fields, kind, data_points)
            else:
                points = write_metric(walk, scratch, fields, kind, data_points)
                self.join(walk, OTLP_NUMBER_POINT, scratch, resource, scope, points)
        except MemoryError:
            raise
        except Exception as error:
            walk.part = -1
            return walk.note("metrics_dropped", walk.place(OTLP_NUMBER_POINT), reason_of(error))
        finally:
            otlp_writer_clear(scratch)
        data_points_encoded += <uint64_t>points
        return 0
