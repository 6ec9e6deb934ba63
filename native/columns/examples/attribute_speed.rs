//! How fast one attribute of a file of traces becomes a column: `cargo run --release --example attribute_speed -- FILE KEY ROUNDS`.
//!
//! The file is as for `decode_speed`. The answer is checked by its size: how many spans have the attribute.

use otlp_columns::attributes::column;
use otlp_columns::decode::{Columns, Limits};
use otlp_columns::table::Column;
use otlp_columns::values::ABSENT;
use otlp_schema::signal::Signal;
use std::error::Error;
use std::time::Instant;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let usage = "FILE KEY ROUNDS";
    let file = std::fs::read(arguments.next().ok_or(usage)?)?;
    let key = arguments.next().ok_or(usage)?;
    let rounds: usize = arguments.next().ok_or(usage)?.parse()?;
    let mut requests = Vec::new();
    let mut rest = &file[..];
    while let Some((length, behind)) = rest.split_first_chunk() {
        let (request, next) = behind.split_at(u32::from_be_bytes(*length) as usize);
        requests.push((request, Columns::decode(request, Signal::Traces, Limits::default())?));
        rest = next;
    }
    let spans: usize = requests.iter().map(|(_, columns)| columns.items().rows).sum();
    let mut nanoseconds = Vec::new();
    let mut present = 0;
    for _ in 0..rounds {
        let start = Instant::now();
        present = 0;
        for (request, columns) in &requests {
            let table = column(columns, request, "spans", &key)?.ok_or("no spans")?;
            if let Some(Column::U8(types)) = table.column("type") {
                present += types.iter().filter(|&&kind| kind != ABSENT).count();
            }
        }
        nanoseconds.push(start.elapsed().as_nanos() as f64 / spans as f64);
    }
    nanoseconds.sort_by(f64::total_cmp);
    println!(
        "{present} of {spans} spans have it; {:.1} ns a span median, {:.1} best",
        nanoseconds[rounds / 2],
        nanoseconds[0]
    );
    Ok(())
}
