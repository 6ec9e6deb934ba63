//! How fast one attribute of a file of traces becomes a column: `cargo run --release --example attribute_speed -- FILE KEY ROUNDS`.
//!
//! Once for requests that were decoded just before, whose bytes are near, and once for a file of requests that were all decoded
//! first. The file is as for `decode_speed`. The answer is checked by its size: how many spans have the attribute.

use otlp_columns::attributes::column;
use otlp_columns::decode::{Columns, Limits};
use otlp_columns::table::Column;
use otlp_columns::values::ABSENT;
use otlp_schema::signal::Signal;
use std::error::Error;
use std::time::{Duration, Instant};

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
    for is_fresh in [true, false] {
        let mut nanoseconds = Vec::new();
        let mut present = 0;
        for _ in 0..rounds {
            let mut elapsed = Duration::ZERO;
            present = 0;
            for (request, columns) in &requests {
                let decoded =
                    if is_fresh { &Columns::decode(request, Signal::Traces, Limits::default())? } else { columns };
                let start = Instant::now();
                let table = column(decoded, request, "spans", &key)?.ok_or("no spans")?;
                elapsed += start.elapsed();
                if let Some(Column::U8(types)) = table.column("type") {
                    present += types.iter().filter(|&&kind| kind != ABSENT).count();
                }
            }
            nanoseconds.push(elapsed.as_nanos() as f64 / spans as f64);
        }
        nanoseconds.sort_by(f64::total_cmp);
        let when = if is_fresh { "just decoded" } else { "decoded long ago" };
        let (median, best) = (nanoseconds[rounds / 2], nanoseconds[0]);
        println!("{present} of {spans} spans have it; {when}: {median:.1} ns a span median, {best:.1} best");
    }
    Ok(())
}
