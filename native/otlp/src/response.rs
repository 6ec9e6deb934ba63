//! What a receiver answers: `Export*ServiceResponse` after success, `google.rpc.Status` after an error.
//!
//! Both come from outside, so they are read with the checked reader. Unknown fields are passed over; where a field
//! stands twice the last one counts, and a message that stands twice is merged, as protobuf has it.

use crate::fields::{response, rpc_status};
use otlp_wire::{ReadError, Reader, WireType};

/// An error with the field that it was found in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ResponseError {
    /// What is wrong, and at which offset.
    pub error: ReadError,
    /// The field, dotted from the message down.
    pub path: &'static str,
}

/// How much of a request a receiver took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ExportResponse<'a> {
    /// Items that it refused for good: they must not be sent again.
    pub rejected: i64,
    /// Why; or, when nothing was rejected, a warning.
    pub error_message: &'a str,
}

fn at(path: &'static str) -> impl Fn(ReadError) -> ResponseError {
    move |error| ResponseError { error, path }
}

/// Reads `ExportTraceServiceResponse`, `ExportLogsServiceResponse` or `ExportMetricsServiceResponse`.
pub fn read_export_response(body: &[u8]) -> Result<ExportResponse<'_>, ResponseError> {
    let mut answer = ExportResponse::default();
    let mut message = Reader::new(body);
    while let Some(tag) = message.read_tag().map_err(at(""))? {
        if tag.field != response::PARTIAL_SUCCESS {
            message.skip(tag).map_err(at(""))?;
            continue;
        }
        message.require_type(tag, WireType::Len).map_err(at("partial_success"))?;
        let mut partial = message.nested().map_err(at("partial_success"))?;
        while let Some(tag) = partial.read_tag().map_err(at("partial_success"))? {
            match tag.field {
                response::REJECTED => {
                    let path = "partial_success.rejected";
                    partial.require_type(tag, WireType::Varint).map_err(at(path))?;
                    answer.rejected = partial.read_varint().map_err(at(path))? as i64;
                }
                response::ERROR_MESSAGE => {
                    let path = "partial_success.error_message";
                    partial.require_type(tag, WireType::Len).map_err(at(path))?;
                    answer.error_message = partial.read_str().map_err(at(path))?;
                }
                _ => partial.skip(tag).map_err(at("partial_success"))?,
            }
        }
    }
    Ok(answer)
}

/// Reads the message of a `google.rpc.Status`.
pub fn read_status_message(body: &[u8]) -> Result<&str, ResponseError> {
    let mut text = "";
    let mut status = Reader::new(body);
    while let Some(tag) = status.read_tag().map_err(at(""))? {
        match tag.field {
            rpc_status::CODE => {
                status.require_type(tag, WireType::Varint).map_err(at("code"))?;
                status.read_varint().map_err(at("code"))?;
            }
            rpc_status::MESSAGE => {
                status.require_type(tag, WireType::Len).map_err(at("message"))?;
                text = status.read_str().map_err(at("message"))?;
            }
            _ => status.skip(tag).map_err(at(""))?,
        }
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use otlp_wire::ErrorKind;
    use proptest::prelude::*;

    #[test]
    fn partial_success_is_read() {
        let body = b"\x0a\x0b\x08\x03\x12\x07too old";
        assert_eq!(read_export_response(body), Ok(ExportResponse { rejected: 3, error_message: "too old" }));
        assert_eq!(read_export_response(b""), Ok(ExportResponse::default()));
        assert_eq!(read_export_response(b"\x0a\0"), Ok(ExportResponse::default()));
    }

    #[test]
    fn unknown_fields_are_passed_over() {
        let body = b"\x78\x05\x0a\x07\x7a\x01x\x08\x01\x50\x02\x0a\x04\x12\x02ok";
        assert_eq!(read_export_response(body), Ok(ExportResponse { rejected: 1, error_message: "ok" }));
    }

    #[test]
    fn malformed_answers_are_refused_with_field_and_offset() {
        let cases: [(&[u8], &str, ErrorKind, usize); 5] = [
            (b"\x08\x01", "partial_success", ErrorKind::WrongWireType, 0),
            (b"\x0a\x05\x08", "partial_success", ErrorKind::LengthPastEnd, 1),
            (b"\x0a\x02\x08\x80", "partial_success.rejected", ErrorKind::Truncated, 3),
            (b"\x0a\x03\x12\x01\xff", "partial_success.error_message", ErrorKind::InvalidUtf8, 3),
            (b"<html>", "", ErrorKind::UnmatchedGroup, 0),
        ];
        for (body, path, kind, offset) in cases {
            let error = read_export_response(body).unwrap_err();
            assert_eq!((error.path, error.error.kind, error.error.offset), (path, kind, offset));
        }
    }

    #[test]
    fn status_message_is_read() {
        assert_eq!(read_status_message(b"\x08\x03\x12\x09bad token"), Ok("bad token"));
        let error = read_status_message(b"\x08\x03\x12\x09bad").unwrap_err();
        assert_eq!((error.path, error.error.kind), ("message", ErrorKind::LengthPastEnd));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(body in proptest::collection::vec(any::<u8>(), 0..100)) {
            let _ = read_export_response(&body);
            let _ = read_status_message(&body);
        }
    }
}
