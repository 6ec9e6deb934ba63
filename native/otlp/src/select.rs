//! Some of the items of a request, on its bytes.
//!
//! A filter knows which items it wants; what they say it need not know. As in [`crate::split`], the messages are read down to
//! the items, whose inside is never looked at: items that are wanted are copied as they are, and so are the fields of
//! the messages around them, known or not, in their order. A message that is left without items (a resource, a scope, a
//! metric) is left out. Lengths of what was written anew are minimal.

use crate::signal::{Level, Signal};
use crate::split::{Field, SplitError};
use otlp_wire::{ErrorKind, ReadError, Reader, Writer};

/// The request with only those items whose place in `keep` is true. Items past its end are left out.
///
/// # Errors
/// [`SplitError::Malformed`] for what is no such request, or has a metric with data in more than one field;
/// [`SplitError::OutOfMemory`].
pub fn select(data: &[u8], signal: Signal, keep: &[bool]) -> Result<Vec<u8>, SplitError> {
    let mut selection = Selection { data, keep: keep.iter(), out: Writer::new() };
    selection.copy_fields(Reader::new(data), signal.levels())?;
    if selection.out.failed() {
        return Err(SplitError::OutOfMemory);
    }
    Ok(selection.out.take())
}

struct Selection<'a> {
    data: &'a [u8],
    /// Whether to keep the items that come next.
    keep: std::slice::Iter<'a, bool>,
    out: Writer,
}

impl<'a> Selection<'a> {
    /// Copies the fields of a message, those that lead down without the items that are not wanted; gives how many do so still.
    /// `levels` begins with the message's own.
    fn copy_fields(&mut self, mut message: Reader<'a>, levels: &[Level]) -> Result<usize, SplitError> {
        let Some((level, below)) = levels.split_first() else { return Ok(0) };
        let (mut seen, mut kept) = (0, 0);
        while let Some(field) = level.next_field(self.data, &mut message)? {
            let (tag, bytes, content) = match field {
                Field::Other(bytes) => {
                    self.out.put_slice(bytes);
                    continue;
                }
                Field::Child(tag, bytes, content) => (tag, bytes, content),
            };
            seen += 1;
            if level.children.len() > 1 && seen > 1 {
                let error = ReadError { kind: ErrorKind::RepeatedMessage, offset: message.offset() - bytes.len() };
                return Err(SplitError::Malformed { error, path: level.path });
            }
            if below.is_empty() {
                if *self.keep.next().unwrap_or(&false) {
                    self.out.put_slice(bytes);
                    kept += 1;
                }
                continue;
            }
            let start = self.out.len();
            let mark = self.out.open(tag, bytes.len());
            if self.copy_fields(content, below)? == 0 {
                self.out.truncate(start);
            } else {
                self.out.close(mark);
                kept += 1;
            }
        }
        Ok(kept)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fields::{envelope, metric, metric_data};
    use crate::split::count_items;

    fn field(tag: u8, content: &[u8]) -> Vec<u8> {
        let mut writer = Writer::new();
        writer.bytes_field(tag, content);
        writer.as_slice().to_vec()
    }

    /// A resource group of scope groups of items, with a schema URL behind and an unknown field in front.
    fn group(name: &[u8], scopes: &[&[&[u8]]]) -> Vec<u8> {
        let scopes = scopes.iter().flat_map(|items| {
            let items: Vec<u8> = items.iter().flat_map(|item| field(envelope::ITEMS, item)).collect();
            field(envelope::SCOPE_GROUPS, &[&b"\x78\x05"[..], &field(envelope::SCOPE, name), &items].concat())
        });
        let content = [field(envelope::RESOURCE, name), scopes.collect(), field(envelope::SCHEMA_URL, b"url")].concat();
        field(envelope::RESOURCE_GROUPS, &content)
    }

    #[test]
    fn only_wanted_items_are_left_and_only_what_holds_them() {
        let long = [b'x'; 200];
        let whole = [group(b"a", &[&[b"1", &long], &[b"3"]]), group(b"b", &[&[], &[b"4"]])].concat();
        let selected = |keep: [bool; 4]| select(&whole, Signal::Traces, &keep).unwrap();
        assert_eq!(selected([false, true, false, true]), [group(b"a", &[&[&long]]), group(b"b", &[&[b"4"]])].concat());
        assert_eq!(selected([true, false, true, false]), group(b"a", &[&[b"1"], &[b"3"]]));
        assert_eq!(selected([false; 4]), b"");
        assert_eq!(select(&whole, Signal::Logs, &[true]).unwrap(), group(b"a", &[&[b"1"]]), "past the end of `keep`");
    }

    #[test]
    fn metrics_keep_their_names_and_lose_points() {
        let metric = |points: &[&[u8]]| {
            let points: Vec<u8> = points.iter().flat_map(|point| field(metric_data::DATA_POINTS, point)).collect();
            let data = field(metric::SUM, &[&points[..], b"\x10\x02\x18\x01"].concat());
            [&b"\x0a\x04name"[..], &data, b"\x62\x01m"].concat()
        };
        let whole = group(b"r", &[&[&metric(&[b"a", b"b"]), &metric(&[b"c"])]]);
        let selected = select(&whole, Signal::Metrics, &[false, true, false]).unwrap();
        assert_eq!(selected, group(b"r", &[&[&metric(&[b"b"])]]));
        assert_eq!(count_items(&selected, Signal::Metrics), Ok(1));
    }

    #[test]
    fn what_cannot_be_selected_from_is_refused_with_its_place() {
        let refused = |data: &[u8], path, kind, offset| {
            let error = ReadError { kind, offset };
            assert_eq!(select(data, Signal::Metrics, &[true; 9]), Err(SplitError::Malformed { error, path }));
        };
        refused(b"\x08\x01", "", ErrorKind::WrongWireType, 0);
        refused(b"\x0a\x02\x12\x01", "resource_metrics", ErrorKind::LengthPastEnd, 3);
        let twice = group(b"", &[&[&[field(metric::SUM, b""), field(metric::GAUGE, b"")].concat()]]);
        let offset = twice.windows(2).position(|pair| pair == [metric::GAUGE, 0]).unwrap();
        refused(&twice, "resource_metrics.scope_metrics.metrics", ErrorKind::RepeatedMessage, offset);
    }
}
