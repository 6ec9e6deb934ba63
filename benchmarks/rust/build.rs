//! Makes buffa's types of OTLP from the descriptors that come with opentelemetry-proto: no protoc, no `.proto` files.

use std::error::Error;
use std::fs::File;
use std::path::PathBuf;
use std::time::SystemTime;

const FILES: [&str; 8] = [
    "opentelemetry/proto/common/v1/common.proto",
    "opentelemetry/proto/resource/v1/resource.proto",
    "opentelemetry/proto/trace/v1/trace.proto",
    "opentelemetry/proto/logs/v1/logs.proto",
    "opentelemetry/proto/metrics/v1/metrics.proto",
    "opentelemetry/proto/collector/trace/v1/trace_service.proto",
    "opentelemetry/proto/collector/logs/v1/logs_service.proto",
    "opentelemetry/proto/collector/metrics/v1/metrics_service.proto",
];

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    let descriptors = PathBuf::from(std::env::var("OUT_DIR")?).join("otlp.descriptors");
    std::fs::write(&descriptors, opentelemetry_proto::DESCRIPTORS)?;
    // buffa-build has cargo watch the file, which is newer than the run that writes it: every build would be a new one.
    File::open(&descriptors)?.set_modified(SystemTime::UNIX_EPOCH)?;
    buffa_build::Config::new()
        .descriptor_set(descriptors)
        .files(&FILES)
        .preserve_unknown_fields(false)
        .include_file("otlp.rs")
        .compile()
}
