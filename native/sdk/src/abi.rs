//! The C ABI that the walker writes through. `abi.h` is the same thing in C.
//!
//! Each function takes what Cython has in hand (numbers, borrowed text, places in a writer) and calls the safe function
//! of the same name in `otlp-schema`. Nothing is decided here. Duties that all callers meet, as `_sdk.pyx` is the only one:
//!
//! - **Pointers**: a `Writer`, `RequestBuilder` or `PooledBytes` pointer came from the `_new` or `_finish` function of its
//!   kind and was not freed; text and bytes are readable for the length in their meta word and stay so during the call,
//!   because the walker holds a reference to the Python object that owns them; out pointers point to locals.
//! - **Aliasing**: the walker holds the GIL, so no two calls run at the same time, and it never passes a writer twice.
//! - **Unwinding**: a panic that leaves `extern "C"` aborts the process, so each body runs under [`guarded`]: a panic
//!   marks the writer as failed or gives the failure value, and the item at hand is refused.

use otlp_schema::common::{self, ARRAY_ELEMENT_TAG, Container, KEY_VALUE_LIST_TAG, OpenContainer, Scalar};
use otlp_schema::fields::{
    event, exemplar, exponential_histogram_data_point as exponential, histogram_data_point as histogram, link,
    log_record, number_data_point as number, resource, scope, span,
};
use otlp_schema::logs::{self, LogHead, LogTail};
use otlp_schema::metrics::{self, Exemplar, Kind, Number, Summary, Times};
use otlp_schema::request::{OpenItem, RequestBuilder, ResourceId, ScopeId};
use otlp_schema::trace::{self, SpanHead, SpanTail, Status};
use otlp_wire::{Mark, PooledBytes, Text, Writer};
use std::ffi::{c_int, c_void};
use std::panic::{AssertUnwindSafe, catch_unwind};

const FORM_BITS: u32 = 4;
const FORM_MASK: usize = (1 << FORM_BITS) - 1;
const LATIN1: usize = 1;
const UCS2: usize = 2;
const UCS4: usize = 4;
const NONE: usize = 8;
const BOOL: usize = 9;
const INT: usize = 10;
const DOUBLE: usize = 11;
const BYTES: usize = 12;

/// `OTLP_SPAN` … `OTLP_KEY_VALUE_LIST`: the tag of an attribute by what it belongs to.
const ATTRIBUTE_TAGS: [u8; 11] = [
    span::ATTRIBUTES,
    event::ATTRIBUTES,
    link::ATTRIBUTES,
    resource::ATTRIBUTES,
    scope::ATTRIBUTES,
    log_record::ATTRIBUTES,
    number::ATTRIBUTES,
    histogram::ATTRIBUTES,
    exponential::ATTRIBUTES,
    exemplar::FILTERED_ATTRIBUTES,
    KEY_VALUE_LIST_TAG,
];

/// `OTLP_NUMBER_POINT`, and the tag of an exemplar in it and in the two kinds of points behind it.
const NUMBER_POINT: u32 = 6;
const EXEMPLAR_TAGS: [u8; 3] = [number::EXEMPLARS, histogram::EXEMPLARS, exponential::EXEMPLARS];

/// `OTLP_ELEMENT`, `OTLP_BODY`.
const VALUE_TAGS: [u8; 2] = [ARRAY_ELEMENT_TAG, log_record::BODY];

/// `OTLP_BUCKET_COUNTS`, `OTLP_EXPLICIT_BOUNDS`.
const HISTOGRAM_ARRAY_TAGS: [u8; 2] = [histogram::BUCKET_COUNTS, histogram::EXPLICIT_BOUNDS];

/// `OTLP_GAUGE` … `OTLP_EXPONENTIAL_HISTOGRAM`.
const METRIC_KINDS: [Kind; 4] = [Kind::Gauge, Kind::Sum, Kind::Histogram, Kind::ExponentialHistogram];

/// `OTLP_SPAN_DROPPED_ATTRIBUTES` … `OTLP_LOG_DROPPED_ATTRIBUTES`.
const DROPPED_TAGS: [u8; 6] = [
    span::DROPPED_ATTRIBUTES_COUNT,
    span::DROPPED_EVENTS_COUNT,
    span::DROPPED_LINKS_COUNT,
    event::DROPPED_ATTRIBUTES_COUNT,
    link::DROPPED_ATTRIBUTES_COUNT,
    log_record::DROPPED_ATTRIBUTES_COUNT,
];

/// `OTLP_SCOPE_NAME`, `OTLP_SCOPE_VERSION`.
const SCOPE_TEXT_TAGS: [u8; 2] = [scope::NAME, scope::VERSION];

const NO_GROUP: u32 = u32::MAX;

/// The most memory that a writer keeps for the next item: few items are larger, and an encoder lives as long as its process.
const KEPT_LEN: usize = 1 << 20;

/// A borrowed string with its form: `otlp_text`.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct RawText {
    data: *const c_void,
    meta: usize,
}

/// A value without parts: `otlp_scalar`.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct RawScalar {
    bits: u64,
    meta: usize,
}

/// `otlp_pair`
#[derive(Clone, Copy)]
#[repr(C)]
pub struct RawPair {
    key: RawText,
    value: RawScalar,
}

/// `otlp_span_head`
#[repr(C)]
pub struct RawSpanHead {
    trace_state: RawText,
    name: RawText,
    start_time_unix_nano: u64,
    end_time_unix_nano: u64,
    kind: u32,
    has_trace_id: u8,
    has_span_id: u8,
    has_parent_span_id: u8,
    trace_id: [u8; 16],
    span_id: [u8; 8],
    parent_span_id: [u8; 8],
}

/// `otlp_span_tail`
#[repr(C)]
pub struct RawSpanTail {
    message: RawText,
    code: i32,
    flags: u32,
    has_status: u8,
}

/// `otlp_log_head`
#[repr(C)]
pub struct RawLogHead {
    severity_text: RawText,
    time_unix_nano: u64,
    severity_number: i32,
}

/// `otlp_log_tail`
#[repr(C)]
pub struct RawLogTail {
    event_name: RawText,
    observed_time_unix_nano: u64,
    flags: u32,
    has_trace_id: u8,
    has_span_id: u8,
    trace_id: [u8; 16],
    span_id: [u8; 8],
}

/// `otlp_number`
#[derive(Clone, Copy)]
#[repr(C)]
pub struct RawNumber {
    bits: u64,
    is_int: u8,
}

impl RawNumber {
    #[inline]
    fn number(self) -> Number {
        if self.is_int != 0 { Number::Int(self.bits as i64) } else { Number::Double(f64::from_bits(self.bits)) }
    }
}

/// `otlp_times`
#[derive(Clone, Copy)]
#[repr(C)]
pub struct RawTimes {
    start_time_unix_nano: u64,
    time_unix_nano: u64,
}

impl RawTimes {
    #[inline]
    fn times(self) -> Times {
        Times { start_time_unix_nano: self.start_time_unix_nano, time_unix_nano: self.time_unix_nano }
    }
}

/// `otlp_summary`
#[repr(C)]
pub struct RawSummary {
    count: u64,
    sum: f64,
    min: f64,
    max: f64,
    has_sum: u8,
    has_min: u8,
    has_max: u8,
}

impl RawSummary {
    #[inline]
    fn summary(&self) -> Summary {
        Summary {
            count: self.count,
            sum: (self.has_sum != 0).then_some(self.sum),
            min: (self.has_min != 0).then_some(self.min),
            max: (self.has_max != 0).then_some(self.max),
        }
    }
}

/// `otlp_exemplar`
#[repr(C)]
pub struct RawExemplar {
    time_unix_nano: u64,
    value: RawNumber,
    has_span_id: u8,
    has_trace_id: u8,
    span_id: [u8; 8],
    trace_id: [u8; 16],
}

/// Room that the walker keeps for a value that only Rust reads.
macro_rules! place {
    ($name:ident, $holds:ty, $words:literal, $c_name:literal) => {
        #[doc = concat!("`", $c_name, "`: room for one value that only Rust reads.")]
        #[repr(C)]
        pub struct $name([usize; $words]);

        const _: () = assert!(size_of::<$holds>() <= size_of::<$name>() && align_of::<$holds>() <= align_of::<$name>());

        impl $name {
            fn set(&mut self, value: $holds) {
                // SAFETY: the assertion above says that the value fits, in size and alignment.
                unsafe { self.0.as_mut_ptr().cast::<$holds>().write(value) }
            }

            /// # Safety
            /// `set` was called on this place before.
            unsafe fn get(&self) -> $holds {
                // SAFETY: the caller vouches that a value was set; it is `Copy`, so reading it takes nothing away.
                unsafe { self.0.as_ptr().cast::<$holds>().read() }
            }
        }
    };
}

place!(RawMark, Mark, 2, "otlp_mark");
place!(RawItem, OpenItem, 3, "otlp_item");
place!(RawContainer, OpenContainer, 8, "otlp_container");

/// Runs `body`; gives `failure` where it panics.
#[inline(always)]
fn guarded<T>(failure: T, body: impl FnOnce() -> T) -> T {
    catch_unwind(AssertUnwindSafe(body)).unwrap_or(failure)
}

/// Runs `body` on a writer; where it panics, the writer is marked as failed and the item that it belongs to is refused.
///
/// # Safety
/// `writer` is a live writer that nothing else uses during the call.
#[inline(always)]
unsafe fn writing(writer: *mut Writer, body: impl FnOnce(&mut Writer)) {
    // SAFETY: the caller vouches for the pointer and that it is not aliased.
    let writer = unsafe { &mut *writer };
    if catch_unwind(AssertUnwindSafe(|| body(writer))).is_err() {
        writer.fail();
    }
}

impl RawText {
    /// # Safety
    /// `data` is readable for the length and form in `meta`, aligned for the form, and stays so for `'a`.
    #[inline(always)]
    unsafe fn text<'a>(self) -> Text<'a> {
        let len = self.meta >> FORM_BITS;
        // SAFETY: the caller vouches for address, length, alignment and lifetime; CPython's string data is so aligned.
        unsafe {
            match self.meta & FORM_MASK {
                LATIN1 => Text::Latin1(bytes_at(self.data, len)),
                UCS2 if len > 0 => Text::Ucs2(std::slice::from_raw_parts(self.data.cast(), len)),
                UCS4 if len > 0 => Text::Ucs4(std::slice::from_raw_parts(self.data.cast(), len)),
                _ => Text::Utf8(bytes_at(self.data, len)),
            }
        }
    }
}

impl RawScalar {
    /// # Safety
    /// As [`RawText::text`] where the form is one of text or bytes.
    #[inline(always)]
    unsafe fn scalar<'a>(self) -> Scalar<'a> {
        let data = self.bits as usize as *const c_void;
        match self.meta & FORM_MASK {
            NONE => Scalar::None,
            BOOL => Scalar::Bool(self.bits != 0),
            INT => Scalar::Int(self.bits as i64),
            DOUBLE => Scalar::Double(f64::from_bits(self.bits)),
            // SAFETY: the caller vouches for address, length and lifetime.
            BYTES => Scalar::Bytes(unsafe { bytes_at(data, self.meta >> FORM_BITS) }),
            // SAFETY: the caller vouches for address, length, alignment and lifetime.
            _ => Scalar::Text(unsafe { RawText { data, meta: self.meta }.text() }),
        }
    }
}

/// # Safety
/// `data` is readable for `len` bytes and stays so for `'a`, or `len` is 0.
#[inline(always)]
unsafe fn bytes_at<'a>(data: *const c_void, len: usize) -> &'a [u8] {
    if len == 0 {
        return &[];
    }
    // SAFETY: the caller vouches for address, length and lifetime; bytes have no alignment.
    unsafe { std::slice::from_raw_parts(data.cast(), len) }
}

/// # Safety
/// `words` is readable for `count` numbers and stays so for `'a`, or `count` is 0.
#[inline(always)]
unsafe fn words_at<'a>(words: *const u64, count: usize) -> &'a [u64] {
    if count == 0 {
        return &[];
    }
    // SAFETY: the caller vouches for address, length and lifetime; the walker's memory is aligned by malloc.
    unsafe { std::slice::from_raw_parts(words, count) }
}

fn container_kind(kind: u32) -> Container {
    if kind == 0 { Container::Array } else { Container::KeyValueList }
}

/// The functions of the ABI. What each must be given stands at the head of this file, once for all.
#[allow(clippy::missing_safety_doc, missing_docs)]
mod functions {
    use super::*;

    #[unsafe(no_mangle)]
    pub extern "C" fn otlp_writer_new() -> *mut Writer {
        guarded(std::ptr::null_mut(), || Box::into_raw(Box::new(Writer::new())))
    }

    #[unsafe(no_mangle)]
    pub unsafe extern "C" fn otlp_writer_free(writer: *mut Writer) {
        if !writer.is_null() {
            // SAFETY: see the head of the file: the pointer came from `otlp_writer_new` and is given up here.
            guarded((), || drop(unsafe { Box::from_raw(writer) }));
        }
    }

    #[unsafe(no_mangle)]
    pub unsafe extern "C" fn otlp_writer_len(writer: *const Writer) -> usize {
        // SAFETY: see the head of the file: a live writer.
        unsafe { &*writer }.len()
    }

    #[unsafe(no_mangle)]
    pub unsafe extern "C" fn otlp_writer_truncate(writer: *mut Writer, len: usize) {
        // SAFETY: see the head of the file: a live writer, not aliased.
        unsafe { writing(writer, |writer| writer.truncate(len)) }
    }

    #[unsafe(no_mangle)]
    pub unsafe extern "C" fn otlp_writer_clear(writer: *mut Writer) {
        // SAFETY: see the head of the file: a live writer, not aliased.
        unsafe {
            writing(writer, |writer| {
                writer.clear(KEPT_LEN);
                writer.take_replaced();
            });
        }
    }

    #[unsafe(no_mangle)]
    pub unsafe extern "C" fn otlp_writer_take_replaced(writer: *mut Writer) -> usize {
        // SAFETY: see the head of the file: a live writer, not aliased.
        unsafe { &mut *writer }.take_replaced()
    }

    #[unsafe(no_mangle)]
    pub unsafe extern "C" fn otlp_writer_put_text(writer: *mut Writer, text: RawText) {
        // SAFETY: see the head of the file: a live writer and readable text.
        unsafe { writing(writer, |writer| writer.put_text(text.text())) }
    }

    #[unsafe(no_mangle)]
    pub unsafe extern "C" fn otlp_attribute(writer: *mut Writer, owner: u32, key: RawText, value: RawScalar) {
        // SAFETY: see the head of the file: a live writer, readable text.
        unsafe {
            writing(writer, |writer| {
                common::attribute(writer, ATTRIBUTE_TAGS[owner as usize], key.text(), value.scalar());
            });
        }
    }

    #[unsafe(no_mangle)]
    pub unsafe extern "C" fn otlp_attributes(writer: *mut Writer, owner: u32, pairs: *const RawPair, count: usize) {
        // SAFETY: see the head of the file: a live writer, and `count` readable pairs of readable text.
        unsafe {
            writing(writer, |writer| {
                let tag = ATTRIBUTE_TAGS[owner as usize];
                for pair in std::slice::from_raw_parts(pairs, count) {
                    common::attribute(writer, tag, pair.key.text(), pair.value.scalar());
                }
            });
        }
    }

    #[unsafe(no_mangle)]
    pub unsafe extern "C" fn otlp_value(writer: *mut Writer, field: u32, value: RawScalar) {
        // SAFETY: see the head of the file: a live writer, readable text.
        unsafe { writing(writer, |writer| common::value(writer, VALUE_TAGS[field as usize], value.scalar())) }
    }

    #[unsafe(no_mangle)]
    pub unsafe extern "C" fn otlp_open_attribute(
        writer: *mut Writer,
        owner: u32,
        key: RawText,
        kind: u32,
        out: &mut RawContainer,
    ) {
        // SAFETY: see the head of the file: a live writer, readable text.
        unsafe {
            writing(writer, |writer| {
                let tag = ATTRIBUTE_TAGS[owner as usize];
                out.set(common::open_attribute(writer, tag, key.text(), container_kind(kind)));
            });
        }
    }

    #[unsafe(no_mangle)]
    pub unsafe extern "C" fn otlp_open_value(writer: *mut Writer, field: u32, kind: u32, out: &mut RawContainer) {
        // SAFETY: see the head of the file: a live writer.
        unsafe {
            writing(writer, |writer| {
                out.set(common::open_value(writer, VALUE_TAGS[field as usize], container_kind(kind)));
            });
        }
    }

    #[unsafe(no_mangle)]
    pub unsafe extern "C" fn otlp_close_container(writer: *mut Writer, container: &RawContainer) {
        // SAFETY: see the head of the file: a live writer, and the container was opened on it.
        unsafe { writing(writer, |writer| common::close(writer, container.get())) }
    }

    #[unsafe(no_mangle)]
    pub unsafe extern "C" fn otlp_scope_text(writer: *mut Writer, field: u32, text: RawText) {
        // SAFETY: see the head of the file: a live writer, readable text.
        unsafe {
            writing(writer, |writer| {
                let text = text.text();
                if !text.is_empty() {
                    writer.text_field(SCOPE_TEXT_TAGS[field as usize], text);
                }
            });
        }
    }

    #[unsafe(no_mangle)]
    pub unsafe extern "C" fn otlp_dropped_count(writer: *mut Writer, field: u32, count: u32) {
        // SAFETY: see the head of the file: a live writer.
        unsafe {
            writing(writer, |writer| {
                if count != 0 {
                    writer.varint_field(DROPPED_TAGS[field as usize], u64::from(count));
                }
            });
        }
    }

    #[unsafe(no_mangle)]
    pub unsafe extern "C" fn otlp_begin_span(writer: *mut Writer, head: &RawSpanHead) {
        // SAFETY: see the head of the file: a live writer, readable text.
        unsafe {
            writing(writer, |writer| {
                let head = SpanHead {
                    trace_id: (head.has_trace_id != 0).then_some(head.trace_id),
                    span_id: (head.has_span_id != 0).then_some(head.span_id),
                    trace_state: head.trace_state.text(),
                    parent_span_id: (head.has_parent_span_id != 0).then_some(head.parent_span_id),
                    name: head.name.text(),
                    kind: head.kind as i32,
                    start_time_unix_nano: head.start_time_unix_nano,
                    end_time_unix_nano: head.end_time_unix_nano,
                };
                trace::begin_span(writer, &head);
            });
        }
    }

    #[unsafe(no_mangle)]
    pub unsafe extern "C" fn otlp_end_span(writer: *mut Writer, tail: &RawSpanTail) {
        // SAFETY: see the head of the file: a live writer, readable text.
        unsafe {
            writing(writer, |writer| {
                let status = Status { code: tail.code, message: tail.message.text() };
                trace::end_span(
                    writer,
                    &SpanTail { status: (tail.has_status != 0).then_some(status), flags: tail.flags },
                );
            });
        }
    }

    #[unsafe(no_mangle)]
    pub unsafe extern "C" fn otlp_open_event(
        writer: *mut Writer,
        time_unix_nano: u64,
        name: RawText,
        out: &mut RawMark,
    ) {
        // SAFETY: see the head of the file: a live writer, readable text.
        unsafe { writing(writer, |writer| out.set(trace::open_event(writer, time_unix_nano, name.text()))) }
    }

    #[unsafe(no_mangle)]
    pub unsafe extern "C" fn otlp_close_message(writer: *mut Writer, mark: &RawMark) {
        // SAFETY: see the head of the file: a live writer, and the mark was made on it.
        unsafe { writing(writer, |writer| writer.close(mark.get())) }
    }

    #[unsafe(no_mangle)]
    pub unsafe extern "C" fn otlp_open_link(
        writer: *mut Writer,
        trace_id: Option<&[u8; 16]>,
        span_id: Option<&[u8; 8]>,
        out: &mut RawMark,
    ) {
        // SAFETY: see the head of the file: a live writer.
        unsafe { writing(writer, |writer| out.set(trace::open_link(writer, trace_id.copied(), span_id.copied()))) }
    }

    #[unsafe(no_mangle)]
    pub unsafe extern "C" fn otlp_close_link(writer: *mut Writer, mark: &RawMark, flags: u32) {
        // SAFETY: see the head of the file: a live writer, and the mark was made on it.
        unsafe { writing(writer, |writer| trace::close_link(writer, mark.get(), flags)) }
    }

    #[unsafe(no_mangle)]
    pub unsafe extern "C" fn otlp_begin_log_record(writer: *mut Writer, head: &RawLogHead) {
        // SAFETY: see the head of the file: a live writer, readable text.
        unsafe {
            writing(writer, |writer| {
                let head = LogHead {
                    time_unix_nano: head.time_unix_nano,
                    severity_number: head.severity_number,
                    severity_text: head.severity_text.text(),
                };
                logs::begin_log_record(writer, &head);
            });
        }
    }

    #[unsafe(no_mangle)]
    pub unsafe extern "C" fn otlp_end_log_record(writer: *mut Writer, tail: &RawLogTail) {
        // SAFETY: see the head of the file: a live writer, readable text.
        unsafe {
            writing(writer, |writer| {
                let tail = LogTail {
                    flags: tail.flags,
                    trace_id: (tail.has_trace_id != 0).then_some(tail.trace_id),
                    span_id: (tail.has_span_id != 0).then_some(tail.span_id),
                    observed_time_unix_nano: tail.observed_time_unix_nano,
                    event_name: tail.event_name.text(),
                };
                logs::end_log_record(writer, &tail);
            });
        }
    }

    #[unsafe(no_mangle)]
    pub unsafe extern "C" fn otlp_begin_metric(
        writer: *mut Writer,
        name: RawText,
        description: RawText,
        unit: RawText,
    ) {
        // SAFETY: see the head of the file: a live writer, readable text.
        unsafe {
            writing(writer, |writer| metrics::begin_metric(writer, name.text(), description.text(), unit.text()));
        }
    }

    #[unsafe(no_mangle)]
    pub unsafe extern "C" fn otlp_open_data(writer: *mut Writer, kind: u32, expected_len: usize, out: &mut RawMark) {
        // SAFETY: see the head of the file: a live writer.
        unsafe {
            writing(writer, |writer| out.set(metrics::open_data(writer, METRIC_KINDS[kind as usize], expected_len)));
        }
    }

    #[unsafe(no_mangle)]
    pub unsafe extern "C" fn otlp_close_data(writer: *mut Writer, mark: &RawMark, temporality: i32, is_monotonic: u8) {
        // SAFETY: see the head of the file: a live writer, and the mark was made on it.
        unsafe {
            writing(writer, |writer| metrics::close_data(writer, mark.get(), temporality, is_monotonic != 0));
        }
    }

    #[unsafe(no_mangle)]
    pub unsafe extern "C" fn otlp_open_number_point(
        writer: *mut Writer,
        expected_len: usize,
        times: &RawTimes,
        value: &RawNumber,
        out: &mut RawMark,
    ) {
        // SAFETY: see the head of the file: a live writer.
        unsafe {
            writing(writer, |writer| {
                out.set(metrics::open_number_point(writer, expected_len, times.times(), value.number()));
            });
        }
    }

    #[unsafe(no_mangle)]
    pub unsafe extern "C" fn otlp_number_point_value(writer: *mut Writer, value: &RawNumber) {
        // SAFETY: see the head of the file: a live writer.
        unsafe { writing(writer, |writer| metrics::number_point_value(writer, value.number())) }
    }

    #[unsafe(no_mangle)]
    pub unsafe extern "C" fn otlp_open_histogram_point(
        writer: *mut Writer,
        times: &RawTimes,
        summary: &RawSummary,
        out: &mut RawMark,
    ) {
        // SAFETY: see the head of the file: a live writer.
        unsafe {
            writing(writer, |writer| {
                out.set(metrics::open_histogram_point(writer, times.times(), &summary.summary()));
            });
        }
    }

    #[unsafe(no_mangle)]
    pub unsafe extern "C" fn otlp_histogram_array(writer: *mut Writer, array: u32, words: *const u64, count: usize) {
        // SAFETY: see the head of the file: a live writer, and `words` is readable for `count` numbers.
        unsafe {
            writing(writer, |writer| {
                writer.packed_fixed64_field(HISTOGRAM_ARRAY_TAGS[array as usize], words_at(words, count));
            });
        }
    }

    #[unsafe(no_mangle)]
    pub unsafe extern "C" fn otlp_close_histogram_point(writer: *mut Writer, mark: &RawMark, summary: &RawSummary) {
        // SAFETY: see the head of the file: a live writer, and the mark was made on it.
        unsafe {
            writing(writer, |writer| metrics::close_histogram_point(writer, mark.get(), &summary.summary()));
        }
    }

    #[unsafe(no_mangle)]
    pub unsafe extern "C" fn otlp_open_exponential_point(writer: *mut Writer, out: &mut RawMark) {
        // SAFETY: see the head of the file: a live writer.
        unsafe { writing(writer, |writer| out.set(metrics::open_exponential_point(writer))) }
    }

    #[unsafe(no_mangle)]
    pub unsafe extern "C" fn otlp_exponential_point_fields(
        writer: *mut Writer,
        times: &RawTimes,
        summary: &RawSummary,
        scale: i32,
        zero_count: u64,
    ) {
        // SAFETY: see the head of the file: a live writer.
        unsafe {
            writing(writer, |writer| {
                metrics::exponential_point_fields(writer, times.times(), &summary.summary(), scale, zero_count);
            });
        }
    }

    #[unsafe(no_mangle)]
    pub unsafe extern "C" fn otlp_exponential_buckets(
        writer: *mut Writer,
        is_negative: u8,
        offset: i32,
        counts: *const u64,
        count: usize,
    ) {
        // SAFETY: see the head of the file: a live writer, and `counts` is readable for `count` numbers.
        unsafe {
            writing(writer, |writer| {
                metrics::exponential_buckets(writer, is_negative != 0, offset, words_at(counts, count));
            });
        }
    }

    #[unsafe(no_mangle)]
    pub unsafe extern "C" fn otlp_small_exponential_buckets(
        writer: *mut Writer,
        is_negative: u8,
        offset: i32,
        counts: *const u8,
        count: usize,
    ) {
        // SAFETY: see the head of the file: a live writer, and `counts` is readable for `count` bytes.
        unsafe {
            writing(writer, |writer| {
                metrics::small_exponential_buckets(writer, is_negative != 0, offset, bytes_at(counts.cast(), count));
            });
        }
    }

    #[unsafe(no_mangle)]
    pub unsafe extern "C" fn otlp_exponential_point_flags(writer: *mut Writer, flags: u32) {
        // SAFETY: see the head of the file: a live writer.
        unsafe { writing(writer, |writer| metrics::exponential_point_flags(writer, flags)) }
    }

    #[unsafe(no_mangle)]
    pub unsafe extern "C" fn otlp_close_exponential_point(writer: *mut Writer, mark: &RawMark, summary: &RawSummary) {
        // SAFETY: see the head of the file: a live writer, and the mark was made on it.
        unsafe {
            writing(writer, |writer| metrics::close_exponential_point(writer, mark.get(), &summary.summary(), 0.0));
        }
    }

    #[unsafe(no_mangle)]
    pub unsafe extern "C" fn otlp_open_exemplar(
        writer: *mut Writer,
        owner: u32,
        exemplar: &RawExemplar,
        out: &mut RawMark,
    ) {
        // SAFETY: see the head of the file: a live writer.
        unsafe {
            writing(writer, |writer| {
                let tag = EXEMPLAR_TAGS[(owner - NUMBER_POINT) as usize];
                let exemplar = Exemplar {
                    time_unix_nano: exemplar.time_unix_nano,
                    value: exemplar.value.number(),
                    span_id: (exemplar.has_span_id != 0).then_some(exemplar.span_id),
                    trace_id: (exemplar.has_trace_id != 0).then_some(exemplar.trace_id),
                };
                out.set(metrics::open_exemplar(writer, tag, &exemplar));
            });
        }
    }

    #[unsafe(no_mangle)]
    pub extern "C" fn otlp_request_new(expected_len: usize) -> *mut RequestBuilder {
        guarded(std::ptr::null_mut(), || Box::into_raw(Box::new(RequestBuilder::new(expected_len))))
    }

    #[unsafe(no_mangle)]
    pub unsafe extern "C" fn otlp_request_free(request: *mut RequestBuilder) {
        if !request.is_null() {
            // SAFETY: see the head of the file: the pointer came from `otlp_request_new` and is given up here.
            guarded((), || drop(unsafe { Box::from_raw(request) }));
        }
    }

    #[unsafe(no_mangle)]
    pub unsafe extern "C" fn otlp_request_writer(request: &mut RequestBuilder) -> *mut Writer {
        request.writer()
    }

    #[unsafe(no_mangle)]
    pub extern "C" fn otlp_request_byte_count(request: &RequestBuilder) -> usize {
        guarded(0, || request.byte_count())
    }

    #[unsafe(no_mangle)]
    pub extern "C" fn otlp_request_list_resource(request: &mut RequestBuilder, resource: u32) {
        guarded((), || {
            if let Some(resource) = request.resource_id(resource) {
                request.list_resource(resource);
            }
        });
    }

    #[unsafe(no_mangle)]
    pub extern "C" fn otlp_request_list_scope(request: &mut RequestBuilder, scope: u32) {
        guarded((), || {
            if let Some(scope) = request.scope_id(scope) {
                request.list_scope(scope);
            }
        });
    }

    /// The parts of a group, if there was memory for all of them.
    fn written<'a>(content: &'a Writer, schema_url: &'a Writer) -> Option<(&'a [u8], &'a [u8])> {
        let failed = content.failed() || schema_url.failed();
        (!failed).then(|| (content.as_slice(), schema_url.as_slice()))
    }

    #[unsafe(no_mangle)]
    pub extern "C" fn otlp_request_add_resource(
        request: &mut RequestBuilder,
        content: &Writer,
        schema_url: &Writer,
    ) -> u32 {
        guarded(NO_GROUP, || match written(content, schema_url) {
            Some((content, schema_url)) => {
                request.add_resource(content, schema_url).map_or(NO_GROUP, ResourceId::number)
            }
            None => NO_GROUP,
        })
    }

    #[unsafe(no_mangle)]
    pub extern "C" fn otlp_request_add_scope(
        request: &mut RequestBuilder,
        resource: u32,
        content: &Writer,
        schema_url: &Writer,
    ) -> u32 {
        guarded(NO_GROUP, || match (request.resource_id(resource), written(content, schema_url)) {
            (Some(resource), Some((content, schema_url))) => {
                request.add_scope(resource, content, schema_url).map_or(NO_GROUP, ScopeId::number)
            }
            _ => NO_GROUP,
        })
    }

    #[unsafe(no_mangle)]
    pub extern "C" fn otlp_request_open_item(
        request: &mut RequestBuilder,
        scope: u32,
        expected_len: usize,
        out: &mut RawItem,
    ) -> c_int {
        guarded(-1, || match request.scope_id(scope) {
            Some(scope) => {
                out.set(request.open_item(scope, expected_len));
                0
            }
            None => -1,
        })
    }

    #[unsafe(no_mangle)]
    pub unsafe extern "C" fn otlp_request_close_item(
        request: &mut RequestBuilder,
        scope: u32,
        item: &RawItem,
    ) -> c_int {
        guarded(-1, || {
            // SAFETY: see the head of the file: the item was opened on this request.
            let item = unsafe { item.get() };
            let closed = request.scope_id(scope).map(|scope| request.close_item(scope, item));
            if closed == Some(Ok(())) { 0 } else { -1 }
        })
    }

    #[unsafe(no_mangle)]
    pub unsafe extern "C" fn otlp_request_abandon_item(request: &mut RequestBuilder, item: &RawItem) {
        // SAFETY: see the head of the file: the item was opened on this request.
        guarded((), || request.abandon_item(unsafe { item.get() }));
    }

    #[unsafe(no_mangle)]
    pub extern "C" fn otlp_request_add_item(request: &mut RequestBuilder, scope: u32, content: &Writer) -> isize {
        guarded(-1, || match request.scope_id(scope) {
            Some(scope) if !content.failed() && request.add_item(scope, content.as_slice()).is_ok() => {
                request.written_len() as isize
            }
            _ => -1,
        })
    }

    #[unsafe(no_mangle)]
    pub unsafe extern "C" fn otlp_request_copy(request: &RequestBuilder, out: *mut u8, len: usize) -> c_int {
        guarded(-1, || {
            let mut written = 0;
            request.for_each_piece(|piece| {
                assert!(piece.len() <= len - written, "the request is longer than its own byte count");
                // SAFETY: the caller vouches for `len` writable bytes at `out`, and the assertion keeps within them.
                unsafe { std::ptr::copy_nonoverlapping(piece.as_ptr(), out.add(written), piece.len()) };
                written += piece.len();
            });
            if written == len { 0 } else { -1 }
        })
    }

    #[unsafe(no_mangle)]
    pub extern "C" fn otlp_request_finish(request: &mut RequestBuilder) -> *mut PooledBytes {
        guarded(std::ptr::null_mut(), || match request.finish() {
            Ok(bytes) => Box::into_raw(Box::new(bytes)),
            Err(_) => std::ptr::null_mut(),
        })
    }

    #[unsafe(no_mangle)]
    pub unsafe extern "C" fn otlp_bytes_free(bytes: *mut PooledBytes) {
        if !bytes.is_null() {
            // SAFETY: see the head of the file: the pointer came from `otlp_request_finish` and is given up here.
            guarded((), || drop(unsafe { Box::from_raw(bytes) }));
        }
    }

    unsafe extern "C" {
        fn otlp_fast_pyinit_sdk() -> *mut c_void;
    }

    /// The init function of `otlp_fast._sdk`, under the name that Python looks for.
    #[unsafe(no_mangle)]
    pub unsafe extern "C" fn PyInit__sdk() -> *mut c_void {
        // SAFETY: Python calls this once per import, holding the GIL, which is all that Cython's function asks for.
        unsafe { otlp_fast_pyinit_sdk() }
    }
}

pub use functions::*;
