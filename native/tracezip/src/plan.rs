//! What is done with each field of each message: the one place that knows OTLP.
//!
//! A *node* is a message with a shape of its own: a span, an event, a point. What its fields become is its [`Plan`]. Fields that
//! take few values are part of the shape ([`Role::Constant`]); those that differ each time are *holes* in it; nested messages are
//! either part of the shape, with holes of their own ([`Role::Inline`]), or nodes ([`Role::Nodes`]).

use otlp_schema::fields;
use otlp_schema::signal::Signal;
use otlp_wire::WireType;

/// What becomes of a field.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Role {
    /// There is no such field: a request that has it travels as it is.
    Unknown,
    /// Its value is part of the shape.
    Constant,
    /// The key of an attribute: part of the shape, and what the attribute's values are filed under.
    Key,
    /// Its value is a hole.
    Hole(Hole),
    /// A message that is part of the shape, with holes.
    Inline(&'static Plan),
    /// A run of messages that have shapes of their own.
    Nodes(&'static Plan),
    /// Eight-byte numbers one behind the other, each a hole.
    PackedFixed64,
}

/// What a hole holds, which decides how it is predicted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hole {
    /// A string or bytes.
    Text,
    /// A varint that may recur: the value of an attribute.
    Varint,
    /// A varint that counts.
    Count,
    /// An eight-byte integer that counts.
    Fixed64,
    /// An eight-byte floating-point number.
    Double,
    /// A time in ns since the epoch, by what it is the time of.
    Time(Clock),
    /// A trace id of 16 bytes.
    TraceId,
    /// A span id of eight bytes.
    SpanId,
    /// The span id of a span's parent.
    ParentId,
    /// How many nodes stand in a run.
    Nodes,
    /// Varints one behind the other.
    Varints,
    /// A run of decimal digits in a text.
    Digits,
    /// So many hexadecimal digits in a text.
    Hex(u8),
}

/// What a time is the time of. Each has a latest value in the stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Clock {
    /// A span's start.
    Start,
    /// A span's end.
    End,
    /// An event of a span.
    Event,
    /// A log record.
    Record,
    /// When a log record was observed.
    Observed,
    /// The start of a point's interval.
    PointStart,
    /// A point.
    Point,
    /// An exemplar.
    Exemplar,
}

impl Clock {
    pub(crate) const COUNT: usize = 8;
}

/// The highest number of a field.
const MAX_NUMBER: usize = 16;

/// What becomes of the fields of a message.
#[derive(Debug)]
pub(crate) struct Plan {
    /// Its number, for tables by kind of node.
    pub(crate) kind: Kind,
    /// Whether its shapes are known by where they stand: a point's series is its own in each metric of each resource.
    pub(crate) is_within_parent: bool,
    fields: [(Option<WireType>, Role); MAX_NUMBER + 1],
}

/// The kinds of nodes, and of what is inline in them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Kind {
    /// The request.
    Request,
    /// `ResourceSpans` and its siblings.
    ResourceGroup,
    /// `ScopeSpans` and its siblings.
    ScopeGroup,
    /// A span, a log record or a metric.
    Item,
    /// A data point.
    Point,
    /// An event of a span, an exemplar of a point, or a quantile of a summary.
    Event,
    /// A link of a span.
    Link,
    /// The text of a string, between its variables.
    Template,
    /// Part of a node.
    Inline,
}

impl Kind {
    /// How many kinds have shapes.
    pub(crate) const COUNT: usize = 8;
}

impl Plan {
    const fn new(kind: Kind, is_within_parent: bool, fields: &[(u32, Role)]) -> Self {
        let mut table = [(None, Role::Unknown); MAX_NUMBER + 1];
        let mut at = 0;
        while at < fields.len() {
            let (tag, role) = fields[at];
            table[(tag >> 3) as usize] = (WireType::from_tag(tag), role);
            at += 1;
        }
        Self { kind, is_within_parent, fields: table }
    }

    /// What becomes of the field with this tag.
    #[inline]
    pub(crate) fn role(&self, tag: u32) -> Role {
        match self.fields.get((tag >> 3) as usize) {
            Some((wire_type, role)) if *wire_type == WireType::from_tag(tag) => *role,
            _ => Role::Unknown,
        }
    }
}

/// The plan of a signal's request.
pub(crate) fn request(signal: Signal) -> &'static Plan {
    match signal {
        Signal::Traces => &TRACES,
        Signal::Logs => &LOGS,
        Signal::Metrics => &METRICS,
    }
}

/// The table of a plan: `tag => role`.
macro_rules! plan {
    ($name:ident, $kind:ident, $within:literal, { $($tag:expr => $role:expr,)* }) => {
        #[allow(clippy::cast_lossless)]
        static $name: Plan = Plan::new(Kind::$kind, $within, &[$(($tag as u32, $role)),*]);
    };
}

use Role::{Constant, Inline, Key, Nodes, PackedFixed64};
const TEXT: Role = Role::Hole(Hole::Text);
const VARINT: Role = Role::Hole(Hole::Varint);
const COUNT: Role = Role::Hole(Hole::Count);
const FIXED64: Role = Role::Hole(Hole::Fixed64);
const DOUBLE: Role = Role::Hole(Hole::Double);
const TRACE_ID: Role = Role::Hole(Hole::TraceId);
const SPAN_ID: Role = Role::Hole(Hole::SpanId);
const PARENT_ID: Role = Role::Hole(Hole::ParentId);

const fn time(clock: Clock) -> Role {
    Role::Hole(Hole::Time(clock))
}

/// The three requests, which differ only in their items.
macro_rules! envelope {
    ($request:ident, $resource_group:ident, $scope_group:ident, $item:ident, $within:literal) => {
        plan!($request, Request, false, { fields::envelope::RESOURCE_GROUPS => Nodes(&$resource_group), });
        plan!($resource_group, ResourceGroup, false, {
            fields::envelope::RESOURCE => Constant,
            fields::envelope::SCOPE_GROUPS => Nodes(&$scope_group),
            fields::envelope::SCHEMA_URL => Constant,
        });
        plan!($scope_group, ScopeGroup, $within, {
            fields::envelope::SCOPE => Constant,
            fields::envelope::ITEMS => Nodes(&$item),
            fields::envelope::SCHEMA_URL => Constant,
        });
    };
}

envelope!(TRACES, RESOURCE_SPANS, SCOPE_SPANS, SPAN, false);
envelope!(LOGS, RESOURCE_LOGS, SCOPE_LOGS, LOG_RECORD, false);
envelope!(METRICS, RESOURCE_METRICS, SCOPE_METRICS, METRIC, true);

plan!(ATTRIBUTE, Inline, false, {
    fields::key_value::KEY => Key,
    fields::key_value::VALUE => Inline(&ANY_VALUE),
});
plan!(ANY_VALUE, Inline, false, {
    fields::any_value::STRING_VALUE => TEXT,
    fields::any_value::BOOL_VALUE => VARINT,
    fields::any_value::INT_VALUE => VARINT,
    fields::any_value::DOUBLE_VALUE => DOUBLE,
    fields::any_value::ARRAY_VALUE => Inline(&ARRAY_VALUE),
    fields::any_value::KVLIST_VALUE => Inline(&KEY_VALUE_LIST),
    fields::any_value::BYTES_VALUE => TEXT,
});
plan!(ARRAY_VALUE, Inline, false, { fields::array_value::VALUES => Inline(&ANY_VALUE), });
plan!(KEY_VALUE_LIST, Inline, false, { fields::key_value_list::VALUES => Inline(&ATTRIBUTE), });

plan!(SPAN, Item, false, {
    fields::span::TRACE_ID => TRACE_ID,
    fields::span::SPAN_ID => SPAN_ID,
    fields::span::TRACE_STATE => TEXT,
    fields::span::PARENT_SPAN_ID => PARENT_ID,
    fields::span::NAME => Constant,
    fields::span::KIND => Constant,
    fields::span::START_TIME_UNIX_NANO => time(Clock::Start),
    fields::span::END_TIME_UNIX_NANO => time(Clock::End),
    fields::span::ATTRIBUTES => Inline(&ATTRIBUTE),
    fields::span::DROPPED_ATTRIBUTES_COUNT => Constant,
    fields::span::EVENTS => Nodes(&EVENT),
    fields::span::DROPPED_EVENTS_COUNT => Constant,
    fields::span::LINKS => Nodes(&LINK),
    fields::span::DROPPED_LINKS_COUNT => Constant,
    fields::span::STATUS => Inline(&STATUS),
    fields::span::FLAGS => Constant,
});
plan!(STATUS, Inline, false, {
    fields::status::MESSAGE => TEXT,
    fields::status::CODE => Constant,
});
plan!(EVENT, Event, false, {
    fields::event::TIME_UNIX_NANO => time(Clock::Event),
    fields::event::NAME => Constant,
    fields::event::ATTRIBUTES => Inline(&ATTRIBUTE),
    fields::event::DROPPED_ATTRIBUTES_COUNT => Constant,
});
plan!(LINK, Link, false, {
    fields::link::TRACE_ID => TRACE_ID,
    fields::link::SPAN_ID => SPAN_ID,
    fields::link::TRACE_STATE => TEXT,
    fields::link::ATTRIBUTES => Inline(&ATTRIBUTE),
    fields::link::DROPPED_ATTRIBUTES_COUNT => Constant,
    fields::link::FLAGS => Constant,
});

plan!(LOG_RECORD, Item, false, {
    fields::log_record::TIME_UNIX_NANO => time(Clock::Record),
    fields::log_record::SEVERITY_NUMBER => Constant,
    fields::log_record::SEVERITY_TEXT => Constant,
    fields::log_record::BODY => Inline(&ANY_VALUE),
    fields::log_record::ATTRIBUTES => Inline(&ATTRIBUTE),
    fields::log_record::DROPPED_ATTRIBUTES_COUNT => Constant,
    fields::log_record::FLAGS => Constant,
    fields::log_record::TRACE_ID => TRACE_ID,
    fields::log_record::SPAN_ID => SPAN_ID,
    fields::log_record::OBSERVED_TIME_UNIX_NANO => time(Clock::Observed),
    fields::log_record::EVENT_NAME => Constant,
});

plan!(METRIC, Item, true, {
    fields::metric::NAME => Constant,
    fields::metric::DESCRIPTION => Constant,
    fields::metric::UNIT => Constant,
    fields::metric::GAUGE => Inline(&NUMBERS),
    fields::metric::SUM => Inline(&NUMBERS),
    fields::metric::HISTOGRAM => Inline(&HISTOGRAM),
    fields::metric::EXPONENTIAL_HISTOGRAM => Inline(&EXPONENTIAL_HISTOGRAM),
    fields::metric::SUMMARY => Inline(&SUMMARY),
    fields::metric::METADATA => Constant,
});

/// The data of a metric, which differs only in its points.
macro_rules! metric_data {
    ($name:ident, $point:ident) => {
        plan!($name, Inline, false, {
            fields::metric_data::DATA_POINTS => Nodes(&$point),
            fields::metric_data::AGGREGATION_TEMPORALITY => Constant,
            fields::metric_data::IS_MONOTONIC => Constant,
        });
    };
}
metric_data!(NUMBERS, NUMBER_POINT);
metric_data!(HISTOGRAM, HISTOGRAM_POINT);
metric_data!(EXPONENTIAL_HISTOGRAM, EXPONENTIAL_HISTOGRAM_POINT);
metric_data!(SUMMARY, SUMMARY_POINT);

plan!(NUMBER_POINT, Point, true, {
    fields::number_data_point::START_TIME_UNIX_NANO => time(Clock::PointStart),
    fields::number_data_point::TIME_UNIX_NANO => time(Clock::Point),
    fields::number_data_point::AS_DOUBLE => DOUBLE,
    fields::number_data_point::EXEMPLARS => Nodes(&EXEMPLAR),
    fields::number_data_point::AS_INT => FIXED64,
    fields::number_data_point::ATTRIBUTES => Constant,
    fields::number_data_point::FLAGS => Constant,
});
plan!(HISTOGRAM_POINT, Point, true, {
    fields::histogram_data_point::START_TIME_UNIX_NANO => time(Clock::PointStart),
    fields::histogram_data_point::TIME_UNIX_NANO => time(Clock::Point),
    fields::histogram_data_point::COUNT => FIXED64,
    fields::histogram_data_point::SUM => DOUBLE,
    fields::histogram_data_point::BUCKET_COUNTS => PackedFixed64,
    fields::histogram_data_point::EXPLICIT_BOUNDS => Constant,
    fields::histogram_data_point::EXEMPLARS => Nodes(&EXEMPLAR),
    fields::histogram_data_point::ATTRIBUTES => Constant,
    fields::histogram_data_point::FLAGS => Constant,
    fields::histogram_data_point::MIN => DOUBLE,
    fields::histogram_data_point::MAX => DOUBLE,
});
plan!(EXPONENTIAL_HISTOGRAM_POINT, Point, true, {
    fields::exponential_histogram_data_point::ATTRIBUTES => Constant,
    fields::exponential_histogram_data_point::START_TIME_UNIX_NANO => time(Clock::PointStart),
    fields::exponential_histogram_data_point::TIME_UNIX_NANO => time(Clock::Point),
    fields::exponential_histogram_data_point::COUNT => FIXED64,
    fields::exponential_histogram_data_point::SUM => DOUBLE,
    fields::exponential_histogram_data_point::SCALE => Constant,
    fields::exponential_histogram_data_point::ZERO_COUNT => FIXED64,
    fields::exponential_histogram_data_point::POSITIVE => Inline(&BUCKETS),
    fields::exponential_histogram_data_point::NEGATIVE => Inline(&BUCKETS),
    fields::exponential_histogram_data_point::FLAGS => Constant,
    fields::exponential_histogram_data_point::EXEMPLARS => Nodes(&EXEMPLAR),
    fields::exponential_histogram_data_point::MIN => DOUBLE,
    fields::exponential_histogram_data_point::MAX => DOUBLE,
    fields::exponential_histogram_data_point::ZERO_THRESHOLD => Constant,
});
plan!(BUCKETS, Inline, false, {
    fields::buckets::OFFSET => COUNT,
    fields::buckets::BUCKET_COUNTS => Role::Hole(Hole::Varints),
});
plan!(SUMMARY_POINT, Point, true, {
    fields::summary_data_point::START_TIME_UNIX_NANO => time(Clock::PointStart),
    fields::summary_data_point::TIME_UNIX_NANO => time(Clock::Point),
    fields::summary_data_point::COUNT => FIXED64,
    fields::summary_data_point::SUM => DOUBLE,
    fields::summary_data_point::QUANTILE_VALUES => Nodes(&QUANTILE),
    fields::summary_data_point::ATTRIBUTES => Constant,
    fields::summary_data_point::FLAGS => Constant,
});
plan!(QUANTILE, Event, true, {
    fields::value_at_quantile::QUANTILE => Constant,
    fields::value_at_quantile::VALUE => DOUBLE,
});
plan!(EXEMPLAR, Event, false, {
    fields::exemplar::FILTERED_ATTRIBUTES => Inline(&ATTRIBUTE),
    fields::exemplar::TIME_UNIX_NANO => time(Clock::Exemplar),
    fields::exemplar::AS_DOUBLE => DOUBLE,
    fields::exemplar::AS_INT => FIXED64,
    fields::exemplar::SPAN_ID => SPAN_ID,
    fields::exemplar::TRACE_ID => TRACE_ID,
});
