//! The three signals, and how the messages of their export requests are nested.

use crate::fields::{envelope, metric, metric_data};
use std::fmt;
use std::str::FromStr;

/// A kind of telemetry, each with a request message of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// `ExportTraceServiceRequest`, whose items are spans.
    Traces,
    /// `ExportLogsServiceRequest`, whose items are log records.
    Logs,
    /// `ExportMetricsServiceRequest`, whose items are the data points.
    Metrics,
}

/// A name that is none of "traces", "logs" and "metrics".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownSignal;

impl fmt::Display for UnknownSignal {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("expected \"traces\", \"logs\" or \"metrics\"")
    }
}

impl std::error::Error for UnknownSignal {}

impl fmt::Display for Signal {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Traces => "traces",
            Self::Logs => "logs",
            Self::Metrics => "metrics",
        })
    }
}

impl FromStr for Signal {
    type Err = UnknownSignal;

    fn from_str(name: &str) -> Result<Self, UnknownSignal> {
        match name {
            "traces" => Ok(Self::Traces),
            "logs" => Ok(Self::Logs),
            "metrics" => Ok(Self::Metrics),
            _ => Err(UnknownSignal),
        }
    }
}

/// A message that holds other messages on the way from the request down to the items.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Level {
    /// Where it stands in the request, dotted, as errors name it.
    pub(crate) path: &'static str,
    /// Tags of the fields that lead further down. Where there are several, they are members of a oneof.
    pub(crate) children: &'static [u8],
}

impl Signal {
    /// All three.
    pub const ALL: [Self; 3] = [Self::Traces, Self::Logs, Self::Metrics];

    /// The messages from the request down to those that hold the items.
    pub(crate) const fn levels(self) -> &'static [Level] {
        match self {
            Self::Traces => &[
                Level { path: "", children: &[envelope::RESOURCE_GROUPS] },
                Level { path: "resource_spans", children: &[envelope::SCOPE_GROUPS] },
                Level { path: "resource_spans.scope_spans", children: &[envelope::ITEMS] },
            ],
            Self::Logs => &[
                Level { path: "", children: &[envelope::RESOURCE_GROUPS] },
                Level { path: "resource_logs", children: &[envelope::SCOPE_GROUPS] },
                Level { path: "resource_logs.scope_logs", children: &[envelope::ITEMS] },
            ],
            Self::Metrics => &[
                Level { path: "", children: &[envelope::RESOURCE_GROUPS] },
                Level { path: "resource_metrics", children: &[envelope::SCOPE_GROUPS] },
                Level { path: "resource_metrics.scope_metrics", children: &[envelope::ITEMS] },
                Level { path: "resource_metrics.scope_metrics.metrics", children: &metric::DATA },
                Level { path: "resource_metrics.scope_metrics.metrics.data", children: &[metric_data::DATA_POINTS] },
            ],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signals_are_known_by_their_names() {
        let named: Vec<_> = ["traces", "logs", "metrics"].iter().map(|name| name.parse::<Signal>()).collect();
        assert_eq!(named, Signal::ALL.map(Ok));
        assert_eq!(Signal::ALL.map(|signal| signal.to_string()), ["traces", "logs", "metrics"]);
        for name in ["", "Traces", "spans", "traces "] {
            assert_eq!(name.parse::<Signal>(), Err(UnknownSignal), "{name:?}");
        }
    }
}
