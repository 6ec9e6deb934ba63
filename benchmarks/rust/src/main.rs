//! The Rust core beside prost and buffa on the requests of a file, without Python in the way.
//!
//! `otlp-rivals FILE traces|logs|metrics`, where the file holds records of a big-endian length of four bytes and a request.
//! benchmarks/rivals drives it, and its like in Go: one command a line, one answer a line.
//!
//! | command | answer |
//! |---|---|
//! | `engines` | their names, with tabs between them |
//! | `sums` | the sum over all fields of all requests, by messages of prost and by views |
//! | `write FILE ENGINE` | writes what the engine makes of the requests, as records, and tells how many; 0 where the sums say it |
//! | `run REPETITIONS ENGINE` | goes through all requests so often, after one time that does not count: CPU time of the process and wall time, in ns |
//!
//! All use the allocator that Rust has by default.

mod builder;
mod engines;
mod messages;
mod seen;
mod views;

/// What buffa-build made.
#[allow(warnings, clippy::all)]
mod generated {
    include!(concat!(env!("OUT_DIR"), "/otlp.rs"));
}

use engines::{Engine, Engines};
use rustix::time::{ClockId, clock_gettime};
use std::error::Error;
use std::fs::File;
use std::io::{BufRead, BufWriter, Write};
use std::time::Instant;

fn records(mut rest: &[u8]) -> Vec<Vec<u8>> {
    let mut records = Vec::new();
    while let Some((length, behind)) = rest.split_first_chunk() {
        let (record, next) = behind.split_at(u32::from_be_bytes(*length) as usize);
        records.push(record.to_vec());
        rest = next;
    }
    records
}

fn write(path: &str, engine: &mut Engine) -> Result<usize, Box<dyn Error>> {
    let records = engine.answer.as_mut().map_or_else(Vec::new, |answer| answer());
    let mut file = BufWriter::new(File::create(path)?);
    for record in &records {
        file.write_all(&u32::try_from(record.len())?.to_be_bytes())?;
        file.write_all(record)?;
    }
    file.flush()?;
    Ok(records.len())
}

/// CPU time of the process, all threads, in ns.
fn cpu_nanoseconds() -> i64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    time.tv_sec * 1_000_000_000 + time.tv_nsec
}

fn run(repetitions: usize, engine: &mut Engine) -> String {
    (engine.run)();
    let wall = Instant::now();
    let cpu = cpu_nanoseconds();
    for _ in 0..repetitions {
        (engine.run)();
    }
    format!("{} {}", cpu_nanoseconds() - cpu, wall.elapsed().as_nanos())
}

fn named<'a>(engines: &'a mut [Engine], name: &str) -> Result<&'a mut Engine, String> {
    engines.iter_mut().find(|engine| engine.name == name).ok_or_else(|| format!("no such engine: {name}"))
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [path, signal] = &arguments[..] else { return Err("expected: FILE traces|logs|metrics".into()) };
    let Engines { mut engines, sums } = Engines::of(records(&std::fs::read(path)?), signal.parse()?)?;
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        let mut words = line.splitn(3, ' ');
        let command = (words.next(), words.next(), words.next());
        let answer = match command {
            (Some("engines"), None, None) => engines.iter().map(|engine| engine.name).collect::<Vec<_>>().join("\t"),
            (Some("sums"), None, None) => format!("{:016x} {:016x}", sums[0], sums[1]),
            (Some("write"), Some(path), Some(name)) => write(path, named(&mut engines, name)?)?.to_string(),
            (Some("run"), Some(repetitions), Some(name)) => run(repetitions.parse()?, named(&mut engines, name)?),
            _ => return Err(format!("no such command: {line}").into()),
        };
        println!("{answer}");
    }
    Ok(())
}
