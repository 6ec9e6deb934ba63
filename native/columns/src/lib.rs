//! OTLP requests as columns, and columns as OTLP requests.
//!
//! A request is a tree; columns are the same tree as tables, one for each kind of message, with a row for each message
//! in the order of the request. What belongs to a row of another table is found by an *offsets* column: the events of
//! span `i` are the rows `events[i]..events[i + 1]` of the table of events. What a row belongs to is a column of row
//! numbers: `scope` of a span, `resource` of a scope. Decoding gives these tables, the writer takes them, and both mean
//! the same by them: the tables and columns are listed in `docs/columns.md`.
//!
//! | module | holds |
//! |---|---|
//! | [`table`] | columns, tables, dictionaries of strings |
//! | [`contract`] | which tables and columns there are, and their types |
//! | [`decode`] | a request as tables |
//! | [`points`] | arrays of numbers as the points of one metric |
//! | [`attributes`] | attributes of a key, or all of a table |
//! | [`values`] | values of any type as columns |
//! | [`write`] | tables as a request |
//! | [`red`] | rate, errors and duration of spans by any of their keys |
#![forbid(unsafe_code)]

pub mod attributes;
pub mod contract;
pub mod decode;
pub mod points;
pub mod red;
pub mod table;
pub mod values;
pub mod write;
