//! OTLP on top of `otlp-wire`: field numbers, the parts that all signals share, the builder of export requests, and
//! the reader of export responses.
//!
//! Source of every rule here: <https://github.com/open-telemetry/opentelemetry-proto> 1.11. No number of a field stands
//! anywhere but in [`fields`]. What a Python object is, this crate does not know.
//!
//! | module | holds |
//! |---|---|
//! | [`fields`] | field numbers and tags |
//! | [`common`] | `KeyValue`, `AnyValue`, resources and scopes |
//! | [`trace`] | `Span`, `Span.Event`, `Span.Link`, `Status` |
//! | [`logs`] | `LogRecord` |
//! | [`metrics`] | `Metric`, its data, data points and exemplars |
//! | [`request`] | `Export*ServiceRequest`: items grouped by resource and scope |
//! | [`signal`], [`split`], [`select`], [`merge`] | the three signals; a request in parts, some of its items, several as one |
//! | [`detect`] | which of the signals a request is of |
//! | [`view`] | borrowed views of every message |
//! | [`schema`], [`locate`] | the same messages as tables; the path of an offset |
//! | [`json`] | OTLP/JSON, both ways |
//! | [`response`] | `Export*ServiceResponse` and `google.rpc.Status` |
#![forbid(unsafe_code)]

pub mod common;
pub mod detect;
pub mod fields;
pub mod json;
pub mod locate;
pub mod logs;
pub mod merge;
pub mod metrics;
pub mod request;
pub mod response;
pub mod schema;
pub mod select;
pub mod signal;
pub mod split;
pub mod trace;
pub mod view;
