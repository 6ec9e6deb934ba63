//! Captured requests: beside the checkout, or where `OTLP_FAST_CORPORA` says.

use otlp_schema::signal::Signal;
use std::path::PathBuf;

/// The corpora, each with the signal that it is of.
pub(crate) const CORPORA: [(&str, Signal); 4] = [
    ("astronomy-traces", Signal::Traces),
    ("otel-demo-logs", Signal::Logs),
    ("hostandcollector-metrics", Signal::Metrics),
    ("metrics-exponential-histogram", Signal::Metrics),
];

/// The requests of a corpus; `None`, told by its name, where it is not here.
pub(crate) fn requests(name: &str) -> Option<Vec<Vec<u8>>> {
    let beside = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpora");
    let folder = std::env::var_os("OTLP_FAST_CORPORA").map_or(beside, PathBuf::from);
    let path = folder.join(format!("{name}.otlp.zst"));
    let Ok(packed) = std::fs::read(&path) else {
        eprintln!("skipped: {} is not here", path.display());
        return None;
    };
    let archive = zstd::decode_all(packed.as_slice()).expect("a zstd file");
    let mut requests = Vec::new();
    // Each request stands behind its length, big-endian, in four bytes.
    let mut at = 0;
    while let Some(length) = archive[at..].first_chunk() {
        let end = at + 4 + u32::from_be_bytes(*length) as usize;
        requests.push(archive[at + 4..end].to_vec());
        at = end;
    }
    Some(requests)
}
