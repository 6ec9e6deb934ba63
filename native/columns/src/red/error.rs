//! Why spans are not counted.

use otlp_wire::ReadError;
use std::fmt;

/// Why spans are not counted, or results not merged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RedError {
    /// There are more groups than were allowed.
    TooManyGroups {
        /// How many were.
        max_groups: usize,
    },
    /// Spans have no such key.
    UnknownKey(String),
    /// The key is there twice.
    RepeatedKey(String),
    /// Results that were grouped by different keys cannot be merged.
    DifferentKeys,
    /// The request is none of traces.
    NotTraces,
    /// The request is not the one that was decoded.
    Read(ReadError),
}

impl From<ReadError> for RedError {
    fn from(error: ReadError) -> Self {
        Self::Read(error)
    }
}

impl fmt::Display for RedError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooManyGroups { max_groups } => {
                write!(out, "the spans fall into more groups than max_groups allows, {max_groups}")
            }
            Self::UnknownKey(key) => write!(
                out,
                "spans have no key {key:?}: expected \"name\", \"kind\", \"status_code\", \"scope.name\", \
                 \"scope.version\", or an attribute, as in \"resource.service.name\", \"scope.attributes.key\" and \
                 \"attributes.http.route\""
            ),
            Self::RepeatedKey(key) => write!(out, "the key {key:?} is there twice"),
            Self::DifferentKeys => out.write_str("results that were grouped by different keys cannot be merged"),
            Self::NotTraces => {
                out.write_str("only spans have rate, errors and duration: the request must be one of traces")
            }
            Self::Read(error) => error.fmt(out),
        }
    }
}

impl std::error::Error for RedError {}
