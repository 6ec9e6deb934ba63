//! How fast a file of requests becomes columns: `cargo run --release --example decode_speed -- FILE traces|logs|metrics
//! ROUNDS`.
//!
//! The file holds records of a big-endian length of four bytes and a request, as the test corpora do when they are
//! unpacked. The answer is checked by its size: the rows of all requests and the memory of their columns are printed
//! beside the rate.

use otlp_columns::decode::{AttributeIndex, Columns, Limits};
use otlp_columns::table::Column;
use otlp_schema::signal::Signal;
use std::error::Error;
use std::time::Instant;

fn records(mut rest: &[u8]) -> Vec<&[u8]> {
    let mut records = Vec::new();
    while let Some((length, behind)) = rest.split_first_chunk() {
        let (record, next) = behind.split_at(u32::from_be_bytes(*length) as usize);
        records.push(record);
        rest = next;
    }
    records
}

/// The bytes that a column has taken, with what it has not used.
fn memory(column: &Column) -> usize {
    match column {
        Column::U8(values) => values.capacity(),
        Column::I32(values) => 4 * values.capacity(),
        Column::U32(values) | Column::Offsets(values) => 4 * values.capacity(),
        Column::I64(values) => 8 * values.capacity(),
        Column::U64(values) => 8 * values.capacity(),
        Column::F64(values) => 8 * values.capacity(),
        Column::SpanIds(values) => 8 * values.capacity(),
        Column::TraceIds(values) => 16 * values.capacity(),
        Column::Text(text) => {
            4 * (text.codes.capacity() + text.dictionary.offsets.capacity()) + text.dictionary.data.capacity()
        }
        Column::Bytes(bytes) => 4 * bytes.offsets.capacity() + bytes.data.capacity(),
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let usage = "FILE traces|logs|metrics ROUNDS";
    let file = std::fs::read(arguments.next().ok_or(usage)?)?;
    let signal: Signal = arguments.next().ok_or(usage)?.parse()?;
    let rounds: usize = arguments.next().ok_or(usage)?.parse()?;
    let records = records(&file);
    let bytes: usize = records.iter().map(|record| record.len()).sum();
    let (mut rows, mut taken) = (0, 0);
    for record in &records {
        let columns = Columns::decode(record, signal, Limits::default())?;
        rows += columns.items().rows;
        for name in ["resources", "scopes", "metrics", "spans", "log_records", "points"] {
            let Some(core) = columns.core(name) else { continue };
            taken += core.table.columns.iter().map(|(_, column)| memory(column)).sum::<usize>();
            taken += 8 * core.rows.positions.len();
            taken += core.attributes.as_ref().map_or(0, AttributeIndex::memory);
        }
    }
    let mut seconds: Vec<f64> = (0..rounds)
        .map(|_| {
            let start = Instant::now();
            for record in &records {
                std::hint::black_box(Columns::decode(record, signal, Limits::default()).is_ok());
            }
            start.elapsed().as_secs_f64()
        })
        .collect();
    seconds.sort_by(f64::total_cmp);
    let rate = |seconds: f64| bytes as f64 / seconds / 1e6;
    println!("{rows} rows, memory {:.3} of the input", taken as f64 / bytes as f64);
    println!("{:.0} MB/s median, {:.0} MB/s best", rate(seconds[rounds / 2]), rate(seconds[0]));
    Ok(())
}
