//! What a receiver answers: `Export*ServiceResponse` after success, `google.rpc.Status` after an error.
//!
//! Both come from outside, so they are read with the checked reader. Unknown fields are passed over; where a field
//! stands twice the last one counts, and a message that stands twice is merged, as protobuf has it.

use crate::fields::{any, response, retry_info, rpc_status};
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

/// The type that [`read_retry_delay`] looks for in the details of a status.
const RETRY_INFO_TYPE: &str = "google.rpc.RetryInfo";

/// Reads how long a `google.rpc.Status` with `RetryInfo` among its details asks to wait, in seconds; `None` where it has
/// none. A negative delay is none to wait for: zero.
pub fn read_retry_delay(body: &[u8]) -> Result<Option<f64>, ResponseError> {
    let mut delay = None;
    let mut status = Reader::new(body);
    while let Some(tag) = status.read_tag().map_err(at(""))? {
        if tag.field != rpc_status::DETAILS {
            status.skip(tag).map_err(at(""))?;
            continue;
        }
        status.require_type(tag, WireType::Len).map_err(at("details"))?;
        let mut detail = status.nested().map_err(at("details"))?;
        let (mut type_url, mut value) = ("", None);
        while let Some(tag) = detail.read_tag().map_err(at("details"))? {
            match tag.field {
                any::TYPE_URL => {
                    detail.require_type(tag, WireType::Len).map_err(at("details.type_url"))?;
                    type_url = detail.read_str().map_err(at("details.type_url"))?;
                }
                any::VALUE => {
                    detail.require_type(tag, WireType::Len).map_err(at("details.value"))?;
                    value = Some(detail.nested().map_err(at("details.value"))?);
                }
                _ => detail.skip(tag).map_err(at("details"))?,
            }
        }
        if type_url.rsplit('/').next() == Some(RETRY_INFO_TYPE) {
            delay = Some(value.map_or(Ok(0.0), read_retry_info)?);
        }
    }
    Ok(delay)
}

fn read_retry_info(mut info: Reader<'_>) -> Result<f64, ResponseError> {
    let path = "details.value.retry_delay";
    let (mut seconds, mut nanos) = (0, 0);
    while let Some(tag) = info.read_tag().map_err(at(path))? {
        if tag.field != retry_info::RETRY_DELAY {
            info.skip(tag).map_err(at(path))?;
            continue;
        }
        info.require_type(tag, WireType::Len).map_err(at(path))?;
        let mut duration = info.nested().map_err(at(path))?;
        while let Some(tag) = duration.read_tag().map_err(at(path))? {
            match tag.field {
                retry_info::SECONDS | retry_info::NANOS => {
                    duration.require_type(tag, WireType::Varint).map_err(at(path))?;
                    let number = duration.read_varint().map_err(at(path))? as i64;
                    *(if tag.field == retry_info::SECONDS { &mut seconds } else { &mut nanos }) = number;
                }
                _ => duration.skip(tag).map_err(at(path))?,
            }
        }
    }
    Ok((seconds as f64 + nanos as f64 / 1e9).max(0.0))
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

    /// `code: 8, message: "slow", details: [Any { type_url: "type.googleapis.com/" + name, value }]`
    fn status_with_detail(name: &str, value: &[u8]) -> Vec<u8> {
        let type_url = format!("type.googleapis.com/{name}");
        let url_field = [&[0x0a, type_url.len() as u8], type_url.as_bytes()].concat();
        let value_field = [&[0x12, value.len() as u8], value].concat();
        let detail_len = (url_field.len() + value_field.len()) as u8;
        [b"\x08\x08\x12\x04slow\x1a".as_slice(), &[detail_len], &url_field, &value_field].concat()
    }

    #[test]
    fn retry_delay_is_read_from_the_details() {
        let delay = |value: &[u8]| read_retry_delay(&status_with_detail("google.rpc.RetryInfo", value));
        assert_eq!(delay(b"\x0a\x08\x08\x02\x10\x80\xca\xb5\xee\x01"), Ok(Some(2.5)));
        assert_eq!(delay(b"\x0a\0"), Ok(Some(0.0)));
        assert_eq!(delay(b""), Ok(Some(0.0)));
        assert_eq!(delay(b"\x0a\x0b\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), Ok(Some(0.0)));
        assert_eq!(read_retry_delay(&status_with_detail("google.rpc.DebugInfo", b"\x0a\x01x")), Ok(None));
        assert_eq!(read_retry_delay(b"\x08\x08"), Ok(None));
        let error = delay(b"\x0a\x05\x08").unwrap_err();
        assert_eq!((error.path, error.error.kind), ("details.value.retry_delay", ErrorKind::LengthPastEnd));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(body in proptest::collection::vec(any::<u8>(), 0..100)) {
            let _ = read_retry_delay(&body);
            let _ = read_export_response(&body);
            let _ = read_status_message(&body);
        }
    }
}
