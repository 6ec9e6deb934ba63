//! Requests to begin with: captured ones, cut small, and ones that the schema makes up.

use fastrand::Rng;
use otlp_compression::Encoding;
use otlp_schema::schema::{FieldSchema, Kind, MessageSchema};
use otlp_schema::signal::Signal;
use otlp_schema::split::{Limits, split};
use otlp_wire::varint::{MAX_VARINT_LEN, encode_varint, zigzag};
use otlp_wire::{WireType, tag};
use std::fs;
use std::path::Path;

/// The longest seed that is aimed at, in bytes: short ones are mutated faster and reach as much code.
const SEED_BYTES: usize = 2_000;

/// The most seeds of one captured file.
const SEEDS_PER_FILE: usize = 3_000;

/// The longest file that is read when decompressed.
const MAX_FILE_BYTES: usize = 1 << 30;

/// Requests of one signal.
pub struct Seeds {
    /// What signal that is.
    pub signal: Signal,
    /// The requests.
    pub requests: Vec<Vec<u8>>,
}

/// Seeds of all three signals: what `folder` holds and, for each signal, as many that are made up as `generated` says.
pub fn collect(folder: Option<&Path>, generated: usize, random: &mut Rng) -> Result<Vec<Seeds>, String> {
    let mut all = Vec::new();
    for signal in [Signal::Traces, Signal::Logs, Signal::Metrics] {
        let mut requests: Vec<_> = (0..generated).map(|_| message(signal.request(), 0, random)).collect();
        if let Some(folder) = folder {
            requests.extend(captured(folder, signal)?);
        }
        all.push(Seeds { signal, requests });
    }
    Ok(all)
}

/// The requests in the files of a folder whose names end in `-traces.otlp.zst` and the like, cut small.
fn captured(folder: &Path, signal: Signal) -> Result<Vec<Vec<u8>>, String> {
    let named = match signal {
        Signal::Traces => "traces",
        Signal::Logs => "logs",
        Signal::Metrics => "metrics",
    };
    let told = |error: &dyn std::fmt::Display| format!("{}: {error}", folder.display());
    let mut seeds = Vec::new();
    for entry in fs::read_dir(folder).map_err(|error| told(&error))? {
        let path = entry.map_err(|error| told(&error))?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if !name.ends_with(".otlp.zst") || !name.contains(named) {
            continue;
        }
        let packed = fs::read(&path).map_err(|error| told(&error))?;
        let archive = otlp_compression::decompress(&packed, Encoding::Zstd, MAX_FILE_BYTES)
            .map_err(|error| format!("{name}: {error}"))?;
        let mut parts = Vec::new();
        for record in records(&archive) {
            let limits = Limits { max_bytes: SEED_BYTES, max_items: 0 };
            let cut = split(record, signal, limits).map_err(|error| format!("{name}: {error}"))?;
            parts.extend(cut.into_iter().map(|part| part.bytes.into_owned()));
        }
        let step = parts.len().div_ceil(SEEDS_PER_FILE).max(1);
        seeds.extend(parts.into_iter().step_by(step));
    }
    Ok(seeds)
}

/// The records of an archive: a big-endian length of four bytes, and as many bytes.
fn records(mut archive: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        let (length, rest) = archive.split_first_chunk()?;
        let (record, rest) = rest.split_at_checked(u32::from_be_bytes(*length) as usize)?;
        archive = rest;
        Some(record)
    })
}

/// A valid message with some of its fields.
fn message(schema: &'static MessageSchema, depth: usize, random: &mut Rng) -> Vec<u8> {
    let mut bytes = Vec::new();
    for field in schema.fields {
        // Deep down there are fewer messages, so that a request ends.
        let wanted = match field.kind {
            Kind::Message(_) => random.usize(..depth + 2) < 2,
            _ => random.u8(..3) != 0,
        };
        if !wanted || depth > 30 {
            continue;
        }
        let times = if field.is_repeated { random.usize(1..4) } else { 1 };
        for _ in 0..times {
            bytes.extend(value(field, depth, random));
        }
        if field.has_presence && !field.is_repeated && is_oneof(schema) {
            break;
        }
    }
    bytes
}

/// Whether a message with a second one of its messages set would be refused.
fn is_oneof(schema: &MessageSchema) -> bool {
    schema.name == "AnyValue"
}

fn value(field: &FieldSchema, depth: usize, random: &mut Rng) -> Vec<u8> {
    let with = |wire_type, content: Vec<u8>| [varint(u64::from(tag(field.number, wire_type))), content].concat();
    let delimited = |content: Vec<u8>| with(WireType::Len, [varint(content.len() as u64), content].concat());
    let number = random.u64(..) >> random.u32(..64);
    match field.kind {
        Kind::Text => {
            let texts = ["", "a", "service.name", "http.route", "größer", "東京", "😀"];
            delimited(texts[random.usize(..texts.len())].as_bytes().to_vec())
        }
        Kind::Bytes => delimited(vec![random.u8(..); random.usize(..20)]),
        Kind::Id(length) => delimited(vec![random.u8(..); length]),
        Kind::Bool => with(WireType::Varint, varint(u64::from(random.bool()))),
        Kind::Int32 | Kind::Uint32 => with(WireType::Varint, varint(number & 0x7fff_ffff)),
        Kind::Sint32 => with(WireType::Varint, varint(zigzag(i64::from(number as i32)))),
        Kind::Int64 => with(WireType::Varint, varint(number)),
        Kind::Fixed32 => with(WireType::Fixed32, (number as u32).to_le_bytes().to_vec()),
        Kind::Uint64 => delimited((0..random.usize(..9)).flat_map(|_| varint(number >> random.u32(..64))).collect()),
        Kind::Double | Kind::Fixed64 | Kind::Sfixed64 if field.is_repeated => {
            delimited((0..random.usize(..9)).flat_map(|_| number.to_le_bytes()).collect())
        }
        Kind::Double | Kind::Fixed64 | Kind::Sfixed64 => with(WireType::Fixed64, number.to_le_bytes().to_vec()),
        Kind::Message(inner) => delimited(message(inner, depth + 1, random)),
    }
}

fn varint(value: u64) -> Vec<u8> {
    let mut encoded = [0; MAX_VARINT_LEN];
    let length = encode_varint(value, &mut encoded);
    encoded[..length].to_vec()
}
