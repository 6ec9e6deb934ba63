//! Random tables of a signal, made by the contract, as decoding would give them: strings numbered as they turn up, rows in the order
//! of what they belong to, zeros where a row has nothing.

use otlp_columns::contract::{self, ColumnType};
use otlp_columns::table::{BytesColumn, Column, Table, TextBuilder};
use otlp_columns::values::ABSENT;
use otlp_schema::common::{self, Scalar};
use otlp_schema::signal::Signal;
use otlp_wire::{Text, Writer};
use std::collections::BTreeMap;

/// Tables by their names.
pub(crate) type Tables = BTreeMap<&'static str, Table>;

/// Random numbers (splitmix64): all the randomness comes from one seed, which proptest chooses and reports.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub(crate) fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit.max(1) as u64) as usize
    }

    pub(crate) fn pick<T: Copy>(&mut self, among: &[T]) -> T {
        among[self.below(among.len())]
    }

    /// A number of any size, often 0.
    fn number(&mut self) -> u64 {
        let bits = self.pick(&[0, 0, 1, 7, 8, 32, 63, 64]);
        if bits == 0 { 0 } else { self.next() >> (64 - bits) }
    }

    fn double(&mut self) -> f64 {
        self.pick(&[0.0, 0.0, 1.5, -2.25, 1e300, f64::INFINITY, f64::MIN_POSITIVE])
    }

    fn text(&mut self) -> String {
        let letter = self.pick(&["", "a", "ü", "東", "b"]);
        let length = self.pick(&[1, 2, 7, 130]);
        letter.repeat(length)
    }

    fn id<const N: usize>(&mut self) -> [u8; N] {
        if self.below(3) == 0 { [0; N] } else { std::array::from_fn(|_| self.next() as u8) }
    }

    /// The content of an array, or, with pairs for elements, of a list of pairs: they have the same tag.
    fn container(&mut self, is_list: bool) -> Vec<u8> {
        let mut writer = Writer::new();
        for _ in 0..self.below(4) {
            let (text, number) = (self.text(), self.next() as i64);
            let value =
                if self.below(2) == 0 { Scalar::Int(number) } else { Scalar::Text(Text::Utf8(text.as_bytes())) };
            if is_list {
                common::attribute(&mut writer, common::KEY_VALUE_LIST_TAG, Text::Utf8(b"key"), value);
            } else {
                common::value(&mut writer, common::ARRAY_ELEMENT_TAG, value);
            }
        }
        writer.as_slice().to_vec()
    }

    /// Sorted row numbers among those allowed; none where none are.
    fn rows_of(&mut self, rows: usize, allowed: &[u32]) -> Vec<u32> {
        let rows = if allowed.is_empty() { 0 } else { rows };
        let mut numbers: Vec<u32> = (0..rows).map(|_| self.pick(allowed)).collect();
        numbers.sort_unstable();
        numbers
    }
}

/// The numbers of a column of bytes.
pub(crate) fn u8s<'a>(tables: &'a Tables, table: &str, column: &str) -> &'a [u8] {
    match tables[table].column(column) {
        Some(Column::U8(values)) => values,
        other => panic!("{table}.{column} is {other:?}"),
    }
}

/// The numbers of a column of row numbers.
pub(crate) fn u32s<'a>(tables: &'a Tables, table: &str, column: &str) -> &'a [u32] {
    match tables[table].column(column) {
        Some(Column::U32(values) | Column::Offsets(values)) => values,
        other => panic!("{table}.{column} is {other:?}"),
    }
}

/// The kinds of the metrics of all points.
pub(crate) fn kinds_of_points(tables: &Tables) -> Vec<u8> {
    let kinds = u8s(tables, "metrics", "kind");
    u32s(tables, "points", "metric").iter().map(|&metric| kinds[metric as usize]).collect()
}

/// All tables of a signal.
pub(crate) fn random_tables(signal: Signal, random: &mut Random) -> Tables {
    let mut tables = Tables::new();
    // The rows of tables that offsets refer to.
    let mut rows = BTreeMap::new();
    for kind in contract::tables(signal) {
        let parents = |name: &str| tables.get(name).map_or(0, |table: &Table| table.rows);
        let details = |wanted| {
            (0u32..).zip(kinds_of_points(&tables)).filter_map(move |(row, kind)| (kind == wanted).then_some(row))
        };
        let (count, belongs): (usize, Vec<u32>) = match kind.name {
            "resources" => (random.below(4), Vec::new()),
            "scopes" if parents("resources") > 0 => (random.below(5), (0..parents("resources") as u32).collect()),
            "spans" | "log_records" | "metrics" if parents("scopes") > 0 => {
                (random.below(9), (0..parents("scopes") as u32).collect())
            }
            "points" => {
                let able = (0u32..).zip(u8s(&tables, "metrics", "kind")).filter(|(_, kind)| **kind != 0);
                let able: Vec<u32> = able.map(|(row, _)| row).collect();
                (if able.is_empty() { 0 } else { random.below(12) }, able)
            }
            "histograms" => (details(9).count(), details(9).collect()),
            "exponential_histograms" => (details(10).count(), details(10).collect()),
            "summaries" => (details(11).count(), details(11).collect()),
            name => (rows.get(name).copied().unwrap_or(0), Vec::new()),
        };
        let belongs = if matches!(kind.columns[0].0, "point") { belongs } else { random.rows_of(count, &belongs) };
        let table = table_of(kind, count, &belongs, &tables, &mut rows, random);
        tables.insert(kind.name, table);
    }
    tables
}

fn table_of(
    kind: &contract::TableType,
    count: usize,
    belongs: &[u32],
    tables: &Tables,
    rows: &mut BTreeMap<&'static str, usize>,
    random: &mut Random,
) -> Table {
    let mut table = Table { rows: count, columns: Vec::new() };
    let metric_kinds = if kind.name == "points" {
        let kinds = u8s(tables, "metrics", "kind");
        belongs.iter().map(|&metric| kinds[metric as usize]).collect()
    } else {
        Vec::new()
    };
    // What says which columns of a row mean something, as far as it is made already.
    let types: Vec<u8> = match kind.name {
        "points" => metric_kinds.iter().map(|kind| if *kind < 9 { random.below(3) as u8 } else { 0 }).collect(),
        "exemplars" => (0..count).map(|_| random.below(3) as u8).collect(),
        "metrics" => (0..count).map(|_| random.pick(&[0, 5, 7, 9, 10, 11])).collect(),
        "log_records" => (0..count).map(|_| random.pick(&[0, 1, 2, 3, 4, 5, 6, 7, ABSENT])).collect(),
        _ => (0..count).map(|_| random.below(8) as u8).collect(),
    };
    for &(name, column) in kind.columns {
        let is_value = |row: usize| -> bool {
            let number = types[row];
            match (kind.name, name.trim_start_matches("body_")) {
                ("points" | "exemplars", "double") => number == 1,
                ("points" | "exemplars", "int") => number == 2,
                ("histograms" | "exponential_histograms", "sum") => number & 1 != 0,
                ("histograms" | "exponential_histograms", "min") => number & 2 != 0,
                ("histograms" | "exponential_histograms", "max") => number & 4 != 0,
                ("metrics", "aggregation_temporality") => matches!(number, 7 | 9 | 10),
                ("metrics", "is_monotonic") => number == 7,
                (_, "text") => number == 1,
                (_, "int") => matches!(number, 2 | 3),
                (_, "double") => number == 4,
                (_, "bytes") => matches!(number, 5..=7),
                ("points", "exemplars") => metric_kinds[row] != 11,
                _ => true,
            }
        };
        macro_rules! column {
            ($variant:ident, $value:expr) => {{
                let mut value = $value;
                Column::$variant(
                    (0..count).map(|row| if is_value(row) { value(row) } else { Default::default() }).collect(),
                )
            }};
        }
        let made = match column {
            ColumnType::U8 if name == "is_monotonic" => column!(U8, |_| random.below(2) as u8),
            ColumnType::U8 => Column::U8(types.clone()),
            ColumnType::I32 => column!(I32, |_| random.number() as i32),
            ColumnType::U32 => column!(U32, |_| random.number() as u32),
            ColumnType::I64 if matches!(kind.name, "points" | "exemplars") => column!(I64, |_| random.number() as i64),
            // Of values: truth values are 0 and 1.
            ColumnType::I64 => column!(I64, |row: usize| match types[row] {
                2 => random.below(2) as i64,
                _ => random.number() as i64,
            }),
            ColumnType::U64 => column!(U64, |_| random.number()),
            ColumnType::F64 => column!(F64, |_| random.double()),
            ColumnType::SpanId => column!(SpanIds, |_| random.id()),
            ColumnType::TraceId => column!(TraceIds, |_| random.id()),
            ColumnType::RowOf(_) => Column::U32(belongs.to_vec()),
            ColumnType::Text => {
                let texts: Vec<String> =
                    (0..count).map(|row| if is_value(row) { random.text() } else { String::new() }).collect();
                let mut builder = TextBuilder::default();
                texts.iter().for_each(|text| builder.push(text));
                Column::Text(builder.finish())
            }
            ColumnType::Bytes => {
                let mut bytes = BytesColumn::default();
                for number in &types {
                    match number {
                        5 => bytes.push(&random.container(false)),
                        6 => bytes.push(&random.container(true)),
                        7 => bytes.push(random.text().as_bytes()),
                        _ => bytes.push(b""),
                    }
                }
                Column::Bytes(bytes)
            }
            ColumnType::Offsets(child) => {
                let mut offsets = vec![0];
                for row in 0..count {
                    let more = if is_value(row) { random.pick(&[0, 0, 1, 2, 5]) } else { 0 };
                    offsets.push(offsets[row] + more);
                }
                rows.insert(child, offsets[count] as usize);
                Column::Offsets(offsets)
            }
        };
        table.columns.push((name, made));
    }
    table
}
