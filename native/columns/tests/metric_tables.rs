//! Metrics as columns, against what the requests were made of.

mod requests;

use otlp_columns::decode::{Columns, Limits, Tags};
use otlp_schema::signal::Signal;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use requests::naive::assert_attributes;
use requests::{Message, assert_column, attributes, bytes, fixed64, number, text, varint};

const NONE: u32 = 0;
const GAUGE: u32 = 5;
const SUM: u32 = 7;
const HISTOGRAM: u32 = 9;
const EXPONENTIAL: u32 = 10;
const SUMMARY: u32 = 11;

/// The type of a value, as the column `value_type` tells it, and the bits of the value.
type Value = (u8, u64);

#[derive(Clone, Debug)]
struct Metric {
    texts: [String; 3],
    kind: u32,
    temporality: i32,
    is_monotonic: bool,
    metadata: Vec<Vec<u8>>,
    points: Vec<Point>,
    twice: bool,
    seed: u64,
}

/// What points of all kinds hold; each kind writes its part. Doubles are bits.
#[derive(Clone, Debug)]
struct Point {
    times: (u64, u64),
    flags: u32,
    value: Value,
    attributes: Vec<Vec<u8>>,
    exemplars: Vec<Exemplar>,
    count: u64,
    sum: Option<u64>,
    min: Option<u64>,
    max: Option<u64>,
    bucket_counts: Vec<u64>,
    bounds: Vec<u64>,
    scale: i32,
    zero: (u64, u64),
    positive: Option<(i32, Vec<u64>)>,
    negative: Option<(i32, Vec<u64>)>,
    quantiles: Vec<(u64, u64)>,
    twice: bool,
    seed: u64,
}

#[derive(Clone, Debug)]
struct Exemplar {
    time: u64,
    value: Value,
    ids: (Option<[u8; 16]>, Option<[u8; 8]>),
    attributes: Vec<Vec<u8>>,
    seed: u64,
}

/// A `sint32` field.
fn zigzag(field: u32, value: i32) -> Vec<u8> {
    number(field, u64::from((value << 1 ^ value >> 31) as u32))
}

/// A value of a oneof, behind another member of it which does not count.
fn one_of(message: Message, (kind, bits): Value, double: u32, int: u32) -> Message {
    match kind {
        1 => message.field(double, fixed64(int, 99)).field(double, fixed64(double, bits)),
        2 => message.field(double, fixed64(double, 99)).field(double, fixed64(int, bits)),
        _ => message,
    }
}

fn optional(message: Message, field: u32, twice: bool, bits: Option<u64>) -> Message {
    match bits {
        Some(bits) => message.scalar(field, twice, fixed64(field, 99), fixed64(field, bits)),
        None => message,
    }
}

/// Repeated numbers in their order: packed, then one by one, then packed again.
fn runs(message: Message, field: u32, wire_type: u32, elements: &[Vec<u8>]) -> Message {
    let (front, rest) = elements.split_at(elements.len() / 3);
    let (middle, back) = rest.split_at(rest.len() / 2);
    let singles = middle.iter().flat_map(|element| [varint(u64::from(field << 3 | wire_type)), element.clone()]);
    message
        .field(field, bytes(field, front.concat()))
        .field(field, singles.collect::<Vec<_>>().concat())
        .field(field, bytes(field, back.concat()))
}

fn fixed64_runs(message: Message, field: u32, elements: &[u64]) -> Message {
    runs(message, field, 1, &elements.iter().map(|element| element.to_le_bytes().to_vec()).collect::<Vec<_>>())
}

fn buckets(message: Message, field: u32, side: Option<&(i32, Vec<u64>)>, seed: u64) -> Message {
    let Some((offset, counts)) = side else { return message };
    let inner = Message::default().field(1, zigzag(1, *offset));
    let inner = runs(inner, 2, 0, &counts.iter().map(|count| varint(*count)).collect::<Vec<_>>());
    message.field(field, bytes(field, inner.encode(seed)))
}

impl Exemplar {
    fn encode(&self) -> Vec<u8> {
        let message = one_of(Message::default().field(2, fixed64(2, self.time)), self.value, 3, 6);
        let span_id = self.ids.1.map_or(Vec::new(), |id| bytes(4, id));
        let trace_id = self.ids.0.map_or(bytes(5, ""), |id| bytes(5, id));
        message.field(4, span_id).field(5, trace_id).repeated(7, &self.attributes).encode(self.seed)
    }
}

/// The numbers of attributes, exemplars and flags in the points of a kind.
fn numbers(kind: u32) -> (u32, u32, u32) {
    match kind {
        HISTOGRAM => (9, 8, 10),
        EXPONENTIAL => (1, 11, 10),
        _ => (7, 5, 8),
    }
}

impl Point {
    /// The exemplars, which summaries do not have.
    fn exemplars(&self, kind: u32) -> &[Exemplar] {
        if kind == SUMMARY { &[] } else { &self.exemplars }
    }

    fn value(&self, kind: u32) -> Value {
        if matches!(kind, GAUGE | SUM) { self.value } else { (0, 0) }
    }

    fn encode(&self, kind: u32) -> Vec<u8> {
        let (attributes, exemplars, flags) = numbers(kind);
        let twice = self.twice;
        let encoded: Vec<Vec<u8>> = self.exemplars(kind).iter().map(Exemplar::encode).collect();
        let mut message = Message::default()
            .scalar(2, twice, fixed64(2, 99), fixed64(2, self.times.0))
            .scalar(3, twice, fixed64(3, 99), fixed64(3, self.times.1))
            .scalar(flags, twice, number(flags, 99), number(flags, self.flags.into()))
            .repeated(attributes, &self.attributes)
            .repeated(exemplars, &encoded);
        if matches!(kind, GAUGE | SUM) {
            return one_of(message, self.value, 4, 6).encode(self.seed);
        }
        message = message.scalar(4, twice, fixed64(4, 99), fixed64(4, self.count));
        message = optional(message, 5, twice, self.sum);
        match kind {
            HISTOGRAM => {
                message = optional(optional(message, 11, twice, self.min), 12, twice, self.max);
                message = fixed64_runs(fixed64_runs(message, 6, &self.bucket_counts), 7, &self.bounds);
            }
            EXPONENTIAL => {
                message = optional(optional(message, 12, twice, self.min), 13, twice, self.max)
                    .scalar(6, twice, zigzag(6, 99), zigzag(6, self.scale))
                    .field(7, fixed64(7, self.zero.0))
                    .field(14, fixed64(14, self.zero.1));
                message = buckets(message, 8, self.positive.as_ref(), self.seed);
                message = buckets(message, 9, self.negative.as_ref(), self.seed);
            }
            _ => {
                let quantile = |pair: &(u64, u64)| [fixed64(2, pair.1), fixed64(1, pair.0)].concat();
                message = message.repeated(6, &self.quantiles.iter().map(quantile).collect::<Vec<_>>());
            }
        }
        message.encode(self.seed)
    }

    fn presence(&self) -> u8 {
        u8::from(self.sum.is_some()) | u8::from(self.min.is_some()) << 1 | u8::from(self.max.is_some()) << 2
    }
}

impl Metric {
    /// The points, which a metric without data does not have.
    fn points(&self) -> &[Point] {
        if self.kind == NONE { &[] } else { &self.points }
    }

    fn temporality(&self) -> i32 {
        if matches!(self.kind, SUM | HISTOGRAM | EXPONENTIAL) { self.temporality } else { 0 }
    }

    fn is_monotonic(&self) -> bool {
        self.kind == SUM && self.is_monotonic
    }

    fn encode(&self) -> Vec<u8> {
        let twice = self.twice;
        let mut message = Message::default().repeated(12, &self.metadata);
        for (field, text) in (1..).zip(&self.texts) {
            message = message.scalar(field, twice, bytes(field, "decoy"), bytes(field, text));
        }
        if self.kind != NONE {
            let points: Vec<Vec<u8>> = self.points.iter().map(|point| point.encode(self.kind)).collect();
            let temporality = number(2, i64::from(self.temporality()) as u64);
            // In the data of other kinds these are unknown fields.
            let data = Message::default().repeated(1, &points).scalar(2, twice, number(2, 99), temporality).scalar(
                3,
                twice,
                number(3, 1),
                number(3, u64::from(self.is_monotonic)),
            );
            message = message.field(self.kind, bytes(self.kind, data.encode(self.seed)));
        }
        message.encode(self.seed)
    }
}

fn numeric() -> impl Strategy<Value = Value> {
    (0..3u8, any::<u64>()).prop_map(|(kind, bits)| (kind, if kind == 0 { 0 } else { bits }))
}

fn exemplars() -> impl Strategy<Value = Vec<Exemplar>> {
    let exemplar = (any::<u64>(), numeric(), any::<(Option<[u8; 16]>, Option<[u8; 8]>)>(), attributes(), any::<u64>());
    let exemplar =
        exemplar.prop_map(|(time, value, ids, attributes, seed)| Exemplar { time, value, ids, attributes, seed });
    vec(exemplar, 0..3)
}

fn points() -> impl Strategy<Value = Vec<Point>> {
    let common = (any::<(u64, u64)>(), any::<u32>(), numeric(), attributes(), exemplars(), any::<(bool, u64)>());
    let summary = (any::<u64>(), any::<(Option<u64>, Option<u64>, Option<u64>)>());
    // Counts of every length as a varint.
    let counts = || vec((any::<u64>(), 0..64u32).prop_map(|(count, shift)| count >> shift), 0..8);
    let histogram = (counts(), vec(any::<u64>(), 0..8), vec(any::<(u64, u64)>(), 0..4));
    let side = || option::of((any::<i32>(), counts()));
    let exponential = (any::<i32>(), any::<(u64, u64)>(), side(), side());
    let point = (common, summary, histogram, exponential).prop_map(|(common, summary, histogram, exponential)| {
        let (times, flags, value, attributes, exemplars, (twice, seed)) = common;
        let (count, (sum, min, max)) = summary;
        let (bucket_counts, bounds, quantiles) = histogram;
        let (scale, zero, positive, negative) = exponential;
        Point {
            times,
            flags,
            value,
            attributes,
            exemplars,
            count,
            sum,
            min,
            max,
            bucket_counts,
            bounds,
            scale,
            zero,
            positive,
            negative,
            quantiles,
            twice,
            seed,
        }
    });
    vec(point, 0..4)
}

fn metrics() -> impl Strategy<Value = Vec<Metric>> {
    let kind = select(&[NONE, GAUGE, SUM, HISTOGRAM, EXPONENTIAL, SUMMARY][..]);
    let scalars = (kind, any::<i32>(), any::<(bool, bool, u64)>());
    let metric = ([text(), text(), text()], scalars, attributes(), points());
    let metric = metric.prop_map(|(texts, (kind, temporality, (is_monotonic, twice, seed)), metadata, points)| {
        Metric { texts, kind, temporality, is_monotonic, metadata, points, twice, seed }
    });
    vec(metric, 0..4)
}

fn check(scopes: &[Vec<Metric>]) {
    let in_scope = |metrics: &[Metric]| metrics.iter().flat_map(|it| bytes(2, it.encode())).collect::<Vec<u8>>();
    let data = bytes(1, scopes.iter().flat_map(|metrics| bytes(2, in_scope(metrics))).collect::<Vec<u8>>());
    let columns = Columns::decode(&data, Signal::Metrics, Limits::default()).expect("a request");
    let table = |name: &str| columns.table(&data, name).expect("the same request").expect("a table").into_owned();
    // The messages of a table's rows.
    let contents = |name: &str| {
        let rows = columns.rows(&data, name).expect("the same request").expect("a table of messages");
        let content = |place: &otlp_columns::decode::Position| place.content(&data).expect("a place").to_vec();
        (rows.positions.iter().map(content).collect::<Vec<_>>(), rows.tags)
    };

    let metrics: Vec<(usize, &Metric)> =
        scopes.iter().enumerate().flat_map(|(row, metrics)| metrics.iter().map(move |it| (row, it))).collect();
    let all = || metrics.iter().map(|(_, metric)| *metric);
    let made = table("metrics");
    assert_column(&made, "scope", metrics.iter().map(|(scope, _)| scope));
    assert_column(&made, "name", all().map(|it| &it.texts[0]));
    assert_column(&made, "description", all().map(|it| &it.texts[1]));
    assert_column(&made, "unit", all().map(|it| &it.texts[2]));
    assert_column(&made, "kind", all().map(|it| it.kind));
    assert_column(&made, "aggregation_temporality", all().map(Metric::temporality));
    assert_column(&made, "is_monotonic", all().map(|it| u8::from(it.is_monotonic())));
    assert_eq!(contents("metrics").0, all().map(Metric::encode).collect::<Vec<_>>());
    let further = columns.further(&data, "metrics").expect("the same request").expect("metadata");
    assert_column(&further, "metadata", all().map(|it| it.metadata.len()));
    assert_attributes(&columns, &data, "metrics", all().map(|it| &it.metadata));

    let points: Vec<(usize, u32, &Point)> =
        all().enumerate().flat_map(|(row, it)| it.points().iter().map(move |point| (row, it.kind, point))).collect();
    let of_kind = |kind| points.iter().enumerate().filter(move |(_, it)| it.1 == kind).map(|(row, it)| (row, it.2));
    let made = table("points");
    assert_column(&made, "metric", points.iter().map(|it| it.0));
    assert_column(&made, "start_time_unix_nano", points.iter().map(|it| it.2.times.0));
    assert_column(&made, "time_unix_nano", points.iter().map(|it| it.2.times.1));
    assert_column(&made, "flags", points.iter().map(|it| it.2.flags));
    let values = || points.iter().map(|it| it.2.value(it.1));
    assert_column(&made, "value_type", values().map(|it| it.0));
    assert_column(&made, "double", values().map(|(kind, bits)| if kind == 1 { bits } else { 0 }));
    assert_column(&made, "int", values().map(|(kind, bits)| if kind == 2 { bits as i64 } else { 0 }));
    assert_column(&made, "attributes", points.iter().map(|it| it.2.attributes.len()));
    assert_column(&made, "exemplars", points.iter().map(|it| it.2.exemplars(it.1).len()));
    let tags: Vec<u8> = points.iter().map(|it| (numbers(it.1).0 << 3 | 2) as u8).collect();
    assert_eq!(contents("points"), (points.iter().map(|it| it.2.encode(it.1)).collect(), Tags::ByRow(tags.into())));
    assert_attributes(&columns, &data, "points", points.iter().map(|it| &it.2.attributes));

    let exemplars = || points.iter().flat_map(|it| it.2.exemplars(it.1));
    let made = table("exemplars");
    assert_column(&made, "time_unix_nano", exemplars().map(|it| it.time));
    assert_column(&made, "value_type", exemplars().map(|it| it.value.0));
    assert_column(&made, "double", exemplars().map(|it| if it.value.0 == 1 { it.value.1 } else { 0 }));
    assert_column(&made, "int", exemplars().map(|it| if it.value.0 == 2 { it.value.1 as i64 } else { 0 }));
    assert_column(&made, "trace_id", exemplars().map(|it| it.ids.0.unwrap_or_default()));
    assert_column(&made, "span_id", exemplars().map(|it| it.ids.1.unwrap_or_default()));
    assert_column(&made, "attributes", exemplars().map(|it| it.attributes.len()));
    assert_eq!(contents("exemplars"), (exemplars().map(Exemplar::encode).collect(), Tags::Same(7 << 3 | 2)));
    assert_attributes(&columns, &data, "exemplars", exemplars().map(|it| &it.attributes));

    for (name, kind) in [("histograms", HISTOGRAM), ("exponential_histograms", EXPONENTIAL)] {
        let made = table(name);
        assert_column(&made, "point", of_kind(kind).map(|it| it.0));
        assert_column(&made, "count", of_kind(kind).map(|it| it.1.count));
        assert_column(&made, "presence", of_kind(kind).map(|it| it.1.presence()));
        assert_column(&made, "sum", of_kind(kind).map(|it| it.1.sum.unwrap_or(0)));
        assert_column(&made, "min", of_kind(kind).map(|it| it.1.min.unwrap_or(0)));
        assert_column(&made, "max", of_kind(kind).map(|it| it.1.max.unwrap_or(0)));
    }
    let histograms = || of_kind(HISTOGRAM).map(|it| it.1);
    let made = table("histograms");
    assert_column(&made, "bucket_counts", histograms().map(|it| it.bucket_counts.len()));
    assert_column(&made, "explicit_bounds", histograms().map(|it| it.bounds.len()));
    assert_column(&table("bucket_counts"), "count", histograms().flat_map(|it| &it.bucket_counts));
    assert_column(&table("explicit_bounds"), "bound", histograms().flat_map(|it| &it.bounds));

    let exponential = || of_kind(EXPONENTIAL).map(|it| it.1);
    let made = table("exponential_histograms");
    assert_column(&made, "scale", exponential().map(|it| it.scale));
    assert_column(&made, "zero_count", exponential().map(|it| it.zero.0));
    assert_column(&made, "zero_threshold", exponential().map(|it| it.zero.1));
    let none = (0, Vec::new());
    let sides = [("positive", "positive_offset"), ("negative", "negative_offset")];
    for (place, (name, offset)) in sides.into_iter().enumerate() {
        let side = |it: &'_ Point| [&it.positive, &it.negative][place].clone().unwrap_or(none.clone());
        assert_column(&made, offset, exponential().map(|it| side(it).0));
        assert_column(&made, name, exponential().map(|it| side(it).1.len()));
        assert_column(&table(name), "count", exponential().flat_map(|it| side(it).1));
    }

    let summaries = || of_kind(SUMMARY).map(|it| it.1);
    let made = table("summaries");
    assert_column(&made, "point", of_kind(SUMMARY).map(|it| it.0));
    assert_column(&made, "count", summaries().map(|it| it.count));
    assert_column(&made, "sum", summaries().map(|it| it.sum.unwrap_or(0)));
    assert_column(&made, "quantiles", summaries().map(|it| it.quantiles.len()));
    let made = table("quantiles");
    assert_column(&made, "quantile", summaries().flat_map(|it| &it.quantiles).map(|it| it.0));
    assert_column(&made, "value", summaries().flat_map(|it| &it.quantiles).map(|it| it.1));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]
    #[test]
    fn tables_hold_what_the_request_was_made_of(scopes in vec(metrics(), 0..3)) {
        check(&scopes);
    }
}

#[test]
fn tables_that_metrics_do_not_have_are_none() {
    let columns = Columns::decode(&[], Signal::Metrics, Limits::default()).expect("an empty request");
    assert_eq!(columns.items().rows, 0);
    for name in ["", "spans", "log_records", "events", "gauges", "points.attributes"] {
        assert_eq!(columns.table(&[], name), Ok(None), "{name}");
        assert_eq!(columns.rows(&[], name), Ok(None), "{name}");
    }
    for name in ["histograms", "bucket_counts", "positive", "summaries", "quantiles"] {
        assert_eq!(columns.rows(&[], name), Ok(None), "{name} has no attributes");
        assert_eq!(columns.table(&[], name).expect("the same request").expect("a table").rows, 0, "{name}");
    }
}
