//! Inputs for a coverage-guided driver to begin with, in files.

use crate::oracles::Breach;
use crate::seeds::Seeds;
use crate::targets::Target;
use crate::tracezip::first_frame;
use fastrand::Rng;
use otlp_schema::json::to_json;
use otlp_schema::schema::{Kind, MessageSchema};
use otlp_schema::signal::Signal;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// The most inputs of one signal and target. More of the same reach no other code.
const INPUTS: usize = 200;

/// The longest request that becomes an input, in bytes: what is longer is not mutated as often.
const INPUT_BYTES: usize = 3_000;

/// Messages deeper than this are the same again.
const MAX_DEPTH: u32 = 200;

/// Writes a folder of inputs for each target, and the words of OTLP/JSON as `json.dict`.
pub fn write(folder: &Path, seeds: &[Seeds], random: &mut Rng) -> Result<(), Breach> {
    let told = |path: &Path, error: std::io::Error| format!("{}: {error}", path.display());
    for (name, target) in Target::ALL {
        let folder = folder.join(name);
        fs::create_dir_all(&folder).map_err(|error| told(&folder, error))?;
        for Seeds { signal, requests } in seeds {
            let short: Vec<_> = requests.iter().filter(|request| request.len() <= INPUT_BYTES).collect();
            for (number, request) in short.iter().step_by(short.len().div_ceil(INPUTS).max(1)).enumerate() {
                for (kind, input) in of(target, *signal, request, random)?.into_iter().enumerate() {
                    let path = folder.join(format!("{signal:?}-{number}-{kind}").to_lowercase());
                    fs::write(&path, input).map_err(|error| told(&path, error))?;
                }
            }
        }
    }
    let path = folder.join("json.dict");
    fs::write(&path, dictionary()).map_err(|error| told(&path, error))
}

/// The inputs of a target that a request gives.
pub fn of(target: Target, signal: Signal, request: &[u8], random: &mut Rng) -> Result<Vec<Vec<u8>>, Breach> {
    let plain = target.input(signal, false, request);
    Ok(match target {
        Target::Wire | Target::Views => vec![plain],
        Target::Json => match to_json(request, signal, MAX_DEPTH) {
            Ok(text) => vec![target.input(signal, false, text.as_slice())],
            Err(_) => Vec::new(),
        },
        Target::Tracezip => vec![plain, target.input(signal, true, &first_frame(signal, request, random)?)],
    })
}

/// The names of all fields as they stand in JSON, for libFuzzer to put in.
fn dictionary() -> String {
    let mut keys = BTreeSet::new();
    for signal in [Signal::Traces, Signal::Logs, Signal::Metrics] {
        collect(signal.request(), &mut keys);
    }
    keys.iter().map(|key| format!("\"{}\"\n", key.replace('"', "\\\""))).collect()
}

fn collect(message: &MessageSchema, keys: &mut BTreeSet<&'static str>) {
    for field in message.fields {
        if let (true, Kind::Message(inner)) = (keys.insert(field.json_key), field.kind) {
            collect(inner, keys);
        }
    }
}
