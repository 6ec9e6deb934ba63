//! The contract of tables: which each signal has, their columns, and the types of these.
//!
//! This is `docs/columns.md` as data (a test compares the two): what decoding gives, what the writer checks, and what a binding
//! makes arrays of. Columns stand in the order of their fields in the document.

use ColumnType::{Bytes, F64, I32, I64, Offsets, RowOf, SpanId, Text, TraceId, U8, U32, U64};
use otlp_schema::signal::Signal;
use std::fmt;

/// The type of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ColumnType {
    /// Truth values, enums that are ours, bit sets.
    U8,
    /// Enums of OTLP, and scales.
    I32,
    /// Counts and flags.
    U32,
    /// Signed integers.
    I64,
    /// Times and counts.
    U64,
    /// Doubles.
    F64,
    /// Eight bytes.
    SpanId,
    /// Sixteen bytes.
    TraceId,
    /// Codes into a dictionary of strings.
    Text,
    /// Byte strings.
    Bytes,
    /// The rows of the table of this name that belong to each row.
    Offsets(&'static str),
    /// The row of the table of this name that each row belongs to.
    RowOf(&'static str),
}

impl fmt::Display for ColumnType {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            U8 => "u8",
            I32 => "i32",
            U32 | RowOf(_) => "u32",
            I64 => "i64",
            U64 => "u64",
            F64 => "f64",
            SpanId => "id8",
            TraceId => "id16",
            Text => "text",
            Bytes => "bytes",
            Offsets(_) => "offsets",
        })
    }
}

/// A table: its name, and its columns with theirs.
#[derive(Clone, Copy, Debug)]
pub struct TableType {
    /// Its name.
    pub name: &'static str,
    /// Its columns.
    pub columns: &'static [(&'static str, ColumnType)],
}

impl TableType {
    /// The type of a column.
    pub fn column(&self, name: &str) -> Option<ColumnType> {
        self.columns.iter().find(|(known, _)| *known == name).map(|(_, kind)| *kind)
    }
}

/// The tables of a signal. Those that hold others stand in front of these.
pub fn tables(signal: Signal) -> impl Iterator<Item = &'static TableType> {
    let own = match signal {
        Signal::Traces => TRACES,
        Signal::Logs => LOGS,
        Signal::Metrics => METRICS,
    };
    GROUPS.iter().chain(own)
}

/// The table of a name.
pub fn table(signal: Signal, name: &str) -> Option<&'static TableType> {
    tables(signal).find(|table| table.name == name)
}

/// A table of attributes.
const fn attributes(name: &'static str) -> TableType {
    const COLUMNS: &[(&str, ColumnType)] =
        &[("key", Text), ("type", U8), ("text", Text), ("int", I64), ("double", F64), ("bytes", Bytes)];
    TableType { name, columns: COLUMNS }
}

const GROUPS: &[TableType] = &[
    TableType {
        name: "resources",
        columns: &[
            ("schema_url", Text),
            ("dropped_attributes_count", U32),
            ("attributes", Offsets("resources.attributes")),
        ],
    },
    attributes("resources.attributes"),
    TableType {
        name: "scopes",
        columns: &[
            ("resource", RowOf("resources")),
            ("name", Text),
            ("version", Text),
            ("schema_url", Text),
            ("dropped_attributes_count", U32),
            ("attributes", Offsets("scopes.attributes")),
        ],
    },
    attributes("scopes.attributes"),
];

const TRACES: &[TableType] = &[
    TableType {
        name: "spans",
        columns: &[
            ("scope", RowOf("scopes")),
            ("trace_id", TraceId),
            ("span_id", SpanId),
            ("parent_span_id", SpanId),
            ("name", Text),
            ("kind", I32),
            ("start_time_unix_nano", U64),
            ("end_time_unix_nano", U64),
            ("status_code", I32),
            ("flags", U32),
            ("attributes", Offsets("spans.attributes")),
            ("events", Offsets("events")),
            ("links", Offsets("links")),
            ("trace_state", Text),
            ("status_message", Text),
            ("dropped_attributes_count", U32),
            ("dropped_events_count", U32),
            ("dropped_links_count", U32),
        ],
    },
    attributes("spans.attributes"),
    TableType {
        name: "events",
        columns: &[
            ("time_unix_nano", U64),
            ("name", Text),
            ("dropped_attributes_count", U32),
            ("attributes", Offsets("events.attributes")),
        ],
    },
    attributes("events.attributes"),
    TableType {
        name: "links",
        columns: &[
            ("trace_id", TraceId),
            ("span_id", SpanId),
            ("trace_state", Text),
            ("dropped_attributes_count", U32),
            ("flags", U32),
            ("attributes", Offsets("links.attributes")),
        ],
    },
    attributes("links.attributes"),
];

const LOGS: &[TableType] = &[
    TableType {
        name: "log_records",
        columns: &[
            ("scope", RowOf("scopes")),
            ("time_unix_nano", U64),
            ("observed_time_unix_nano", U64),
            ("severity_number", I32),
            ("severity_text", Text),
            ("flags", U32),
            ("trace_id", TraceId),
            ("span_id", SpanId),
            ("event_name", Text),
            ("attributes", Offsets("log_records.attributes")),
            ("dropped_attributes_count", U32),
            ("body_type", U8),
            ("body_text", Text),
            ("body_int", I64),
            ("body_double", F64),
            ("body_bytes", Bytes),
        ],
    },
    attributes("log_records.attributes"),
];

const METRICS: &[TableType] = &[
    TableType {
        name: "metrics",
        columns: &[
            ("scope", RowOf("scopes")),
            ("name", Text),
            ("description", Text),
            ("unit", Text),
            ("kind", U8),
            ("aggregation_temporality", I32),
            ("is_monotonic", U8),
            ("metadata", Offsets("metrics.metadata")),
        ],
    },
    attributes("metrics.metadata"),
    TableType {
        name: "points",
        columns: &[
            ("metric", RowOf("metrics")),
            ("start_time_unix_nano", U64),
            ("time_unix_nano", U64),
            ("flags", U32),
            ("value_type", U8),
            ("double", F64),
            ("int", I64),
            ("attributes", Offsets("points.attributes")),
            ("exemplars", Offsets("exemplars")),
        ],
    },
    attributes("points.attributes"),
    TableType {
        name: "histograms",
        columns: &[
            ("point", RowOf("points")),
            ("count", U64),
            ("presence", U8),
            ("sum", F64),
            ("min", F64),
            ("max", F64),
            ("bucket_counts", Offsets("bucket_counts")),
            ("explicit_bounds", Offsets("explicit_bounds")),
        ],
    },
    TableType { name: "bucket_counts", columns: &[("count", U64)] },
    TableType { name: "explicit_bounds", columns: &[("bound", F64)] },
    TableType {
        name: "exponential_histograms",
        columns: &[
            ("point", RowOf("points")),
            ("count", U64),
            ("presence", U8),
            ("sum", F64),
            ("min", F64),
            ("max", F64),
            ("scale", I32),
            ("zero_count", U64),
            ("zero_threshold", F64),
            ("positive_offset", I32),
            ("positive", Offsets("positive")),
            ("negative_offset", I32),
            ("negative", Offsets("negative")),
        ],
    },
    TableType { name: "positive", columns: &[("count", U64)] },
    TableType { name: "negative", columns: &[("count", U64)] },
    TableType {
        name: "summaries",
        columns: &[("point", RowOf("points")), ("count", U64), ("sum", F64), ("quantiles", Offsets("quantiles"))],
    },
    TableType { name: "quantiles", columns: &[("quantile", F64), ("value", F64)] },
    TableType {
        name: "exemplars",
        columns: &[
            ("time_unix_nano", U64),
            ("value_type", U8),
            ("double", F64),
            ("int", I64),
            ("trace_id", TraceId),
            ("span_id", SpanId),
            ("attributes", Offsets("exemplars.attributes")),
        ],
    },
    attributes("exemplars.attributes"),
];

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    type Columns = Vec<(String, String)>;

    const SIGNALS: [Signal; 3] = [Signal::Traces, Signal::Logs, Signal::Metrics];

    /// The names in backticks, each with the first word behind it.
    fn names(cell: &str) -> Columns {
        let parts: Vec<&str> = cell.split('`').collect();
        let first_word = |text: &str| text.trim().split([' ', ',', ':', ';']).next().unwrap_or_default().to_owned();
        parts[1..]
            .chunks(2)
            .map(|pair| (pair[0].to_owned(), pair.get(1).map_or_else(String::new, |text| first_word(text))))
            .collect()
    }

    /// The tables of `docs/columns.md`, from the rows of its Markdown tables.
    fn documented() -> BTreeMap<String, Columns> {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/columns.md");
        let text = std::fs::read_to_string(path).unwrap();
        let mut tables = BTreeMap::new();
        // Below stands what is made of tables, which has tables of its own.
        let of_requests = text.split("\n## Writing tables").next().unwrap();
        for row in of_requests.lines().filter(|line| line.starts_with("| `")) {
            let cells: Vec<&str> = row.trim_matches('|').split('|').collect();
            let named = names(cells[0].split(':').next().unwrap());
            let columns = cells[1..].join(", ");
            // Where the tables of a row differ, a semicolon stands between their columns.
            let parts: Vec<&str> = columns.split(';').collect();
            for (place, (table, _)) in named.iter().enumerate() {
                tables.insert(table.clone(), names(parts[place.min(parts.len() - 1)]));
            }
        }
        tables
    }

    #[test]
    fn contract_is_what_the_document_says() {
        let documented = documented();
        let mut seen = std::collections::BTreeSet::new();
        for table in SIGNALS.into_iter().flat_map(tables) {
            let is_of_attributes = table.columns[0].0 == "key";
            let name = if is_of_attributes { "T.attributes" } else { table.name };
            let columns: Columns =
                table.columns.iter().map(|(name, kind)| ((*name).to_owned(), kind.to_string())).collect();
            let expected: Columns = if is_of_attributes {
                // The words behind `text` and the like say what is in the column.
                documented[name].iter().filter(|(column, _)| column != "T").cloned().collect()
            } else {
                documented[name].clone()
            };
            assert_eq!(columns, expected, "{}", table.name);
            seen.insert(name);
        }
        assert_eq!(seen, documented.keys().map(String::as_str).collect());
    }

    #[test]
    fn columns_refer_to_tables_that_there_are() {
        for signal in SIGNALS {
            for (column, kind) in tables(signal).flat_map(|table| table.columns) {
                if let Offsets(name) | RowOf(name) = kind {
                    assert!(table(signal, name).is_some(), "{signal:?} {column}");
                }
            }
            let mut names: Vec<&str> = tables(signal).map(|table| table.name).collect();
            names.sort_unstable();
            assert!(names.windows(2).all(|pair| pair[0] != pair[1]), "{names:?}");
        }
    }
}
