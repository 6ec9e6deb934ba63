//! Makes buffa's types of OTLP from the descriptors that come with opentelemetry-proto: no protoc, no copy of the `.proto` files.

use std::error::Error;
use std::path::PathBuf;

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
    buffa_build::Config::new()
        .descriptor_set(descriptors)
        .files(&FILES)
        .preserve_unknown_fields(false)
        .include_file("otlp.rs")
        .compile()
}
