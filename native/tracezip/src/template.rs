//! Text that has variables in it: a log's body, a URL. What stays is the *template*, a shape; the rest are its holes.
//!
//! Only runs of letters and digits (ASCII) can be variables:
//!
//! | run | hole | in the template |
//! |---|---|---|
//! | a UUID as they are written, 36 characters in lower case | text of the family of UUIDs | [`UUID`] |
//! | at least eight hexadecimal digits in lower case, decimal ones and letters | those digits | [`HEX`] and how many |
//! | at least six letters and digits of both kinds | text of the family of words | [`WORD`] |
//! | digits, also within shorter runs; at most 18 | a number, with its width where it is padded with zeros | [`DIGITS`] |

use crate::canonical::Value;
use crate::error::{TracezipError, damaged};
use crate::plan::Hole;
use crate::shape::{Form, Head, HoleOf, Shape, Step};

/// What stands in a template for each kind of variable. A text that has one of these characters has no template.
const DIGITS: u8 = 0;
const HEX: u8 = 1;
const WORD: u8 = 2;
const UUID: u8 = 3;

/// The longest text that is looked at.
const MAX_LEN: usize = 2_048;
/// The most variables of a template.
const MAX_HOLES: usize = 64;
const UUID_LEN: usize = 36;
const HEX_LEN: std::ops::RangeInclusive<usize> = 8..=64;
const MIN_WORD_LEN: usize = 6;
/// Eighteen digits always fit 64 bits.
const MAX_DIGITS: usize = 18;

/// The names of the families of variables.
pub(crate) const DIGITS_FAMILY: &[u8] = b"\0digits";
const WORD_FAMILY: &[u8] = b"\0word";
const UUID_FAMILY: &[u8] = b"\0uuid";

/// Where a UUID has its hyphens.
const HYPHENS: [usize; 4] = [8, 13, 18, 23];

/// Takes a text apart: the template to the end of one vector, the variables to the end of the other. `false`, with nothing
/// added, where it has no variables.
pub(crate) fn parse<'a>(text: &'a [u8], template: &mut Vec<u8>, values: &mut Vec<Value<'a>>) -> bool {
    let first = values.len();
    template.clear();
    let is_read = text.len() <= MAX_LEN && read_all(text, template, values).is_some();
    if is_read && (1..=MAX_HOLES).contains(&(values.len() - first)) {
        return true;
    }
    values.truncate(first);
    false
}

fn read_all<'a>(text: &'a [u8], template: &mut Vec<u8>, values: &mut Vec<Value<'a>>) -> Option<()> {
    let mut at = 0;
    while let Some(byte) = text.get(at) {
        if !byte.is_ascii_alphanumeric() {
            if *byte <= UUID {
                return None;
            }
            template.push(*byte);
            at += 1;
            continue;
        }
        let rest = &text[at..];
        if let Some(uuid) = rest.get(..UUID_LEN).filter(|text| parse_uuid(text).is_some())
            && rest.get(UUID_LEN).is_none_or(|behind| !behind.is_ascii_alphanumeric())
        {
            template.push(UUID);
            values.push(Value::Text(uuid));
            at += UUID_LEN;
            continue;
        }
        let len = rest.iter().take_while(|byte| byte.is_ascii_alphanumeric()).count();
        read_run(&rest[..len], template, values);
        at += len;
    }
    Some(())
}

/// A run of letters and digits.
fn read_run<'a>(run: &'a [u8], template: &mut Vec<u8>, values: &mut Vec<Value<'a>>) {
    let digits = run.iter().filter(|byte| byte.is_ascii_digit()).count();
    let is_mixed = digits > 0 && digits < run.len();
    let is_hex = || run.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    if is_mixed && HEX_LEN.contains(&run.len()) && is_hex() {
        template.extend_from_slice(&[HEX, run.len() as u8]);
        values.push(Value::Text(run));
    } else if is_mixed && run.len() >= MIN_WORD_LEN {
        template.push(WORD);
        values.push(Value::Text(run));
    } else {
        for part in run.chunk_by(|one, next| one.is_ascii_digit() == next.is_ascii_digit()) {
            if part[0].is_ascii_digit() && part.len() <= MAX_DIGITS {
                template.push(DIGITS);
                values.push(Value::Text(part));
            } else {
                template.extend_from_slice(part);
            }
        }
    }
}

/// Reads a template.
pub(crate) fn read(template: &[u8], mut family: impl FnMut(&[u8]) -> u16) -> Result<Shape, TracezipError> {
    let mut steps: Vec<Step> = Vec::new();
    let mut holes = Vec::new();
    let mut at = 0;
    while let Some(byte) = template.get(at) {
        let start = at as u32;
        at += 1;
        let (hole, name) = match *byte {
            DIGITS => (Hole::Digits, DIGITS_FAMILY),
            HEX => {
                let len = template.get(at).filter(|len| HEX_LEN.contains(&usize::from(**len)));
                let len = len.ok_or_else(|| damaged("a template that is none", at))?;
                at += 1;
                (Hole::Hex(*len), DIGITS_FAMILY)
            }
            WORD => (Hole::Text, WORD_FAMILY),
            UUID => (Hole::Text, UUID_FAMILY),
            _ => {
                match steps.last_mut() {
                    Some(Step::Copy(range)) => range.end = at as u32,
                    _ => steps.push(Step::Copy(start..at as u32)),
                }
                continue;
            }
        };
        steps.push(Step::Hole);
        holes.push(HoleOf { hole, form: Form::Text, family: family(name), nodes: None });
    }
    if holes.len() > MAX_HOLES {
        return Err(damaged("a template with too many variables", 0));
    }
    Ok(Shape { skeleton: template.into(), steps: steps.into(), holes: holes.into(), head: Head::default() })
}

/// The bytes of a UUID that is written as they all are: 36 characters, in lower case.
pub(crate) fn parse_uuid(text: &[u8]) -> Option<[u8; 16]> {
    let text: &[u8; UUID_LEN] = text.try_into().ok()?;
    let mut bytes = [0; 16];
    let mut digits = 0;
    for (at, character) in text.iter().enumerate() {
        let digit = match character {
            b'-' if HYPHENS.contains(&at) => continue,
            _ => hex_digit(*character)?,
        };
        *bytes.get_mut(digits / 2)? |= digit << (4 * (1 - digits % 2));
        digits += 1;
    }
    (digits == 32).then_some(bytes)
}

/// Writes a UUID.
pub(crate) fn write_uuid(bytes: [u8; 16], out: &mut Vec<u8>) {
    for (at, byte) in bytes.iter().enumerate() {
        if matches!(at, 4 | 6 | 8 | 10) {
            out.push(b'-');
        }
        out.extend_from_slice(&[digit_of(byte >> 4), digit_of(byte & 15)]);
    }
}

/// A hexadecimal digit in lower case.
pub(crate) fn hex_digit(character: u8) -> Option<u8> {
    match character {
        b'0'..=b'9' => Some(character - b'0'),
        b'a'..=b'f' => Some(character - b'a' + 10),
        _ => None,
    }
}

/// How a hexadecimal digit is written.
pub(crate) fn digit_of(value: u8) -> u8 {
    b"0123456789abcdef"[usize::from(value & 15)]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A text's template and variables.
    fn taken_apart(text: &str) -> Option<(Vec<u8>, Vec<String>)> {
        let (mut template, mut values) = (Vec::new(), Vec::new());
        let has_template = parse(text.as_bytes(), &mut template, &mut values);
        let variables = values.iter().map(|value| match value {
            Value::Text(text) => String::from_utf8_lossy(text).into_owned(),
            other => panic!("{other:?}"),
        });
        has_template.then(|| (template, variables.collect()))
    }

    #[test]
    fn variables_are_found() {
        let (template, variables) = taken_apart("GET /cart/0PUK6V6EV0?n=42 took 7ms (deadbeef01)").expect("a template");
        assert_eq!(template, b"GET /cart/\x02?n=\0 took \0ms (\x01\x0a)");
        assert_eq!(variables, ["0PUK6V6EV0", "42", "7", "deadbeef01"]);
    }

    #[test]
    fn uuid_is_one_variable_only_where_it_ends() {
        let uuid = "8b5eee14-adcc-4391-bff5-6800ff2de4f3";
        assert_eq!(taken_apart(uuid), Some((vec![UUID], vec![uuid.to_owned()])));
        let (template, _) = taken_apart(&format!("{uuid}0")).expect("a template");
        assert!(!template.contains(&UUID));
    }

    #[test]
    fn text_without_variables_has_no_template() {
        assert_eq!(taken_apart("no variable here"), None);
        assert_eq!(taken_apart("a control character\x01 and 42"), None);
        assert_eq!(taken_apart(&"4 ".repeat(MAX_HOLES + 1)), None);
        assert_eq!(taken_apart(&"1".repeat(MAX_DIGITS + 1)), None);
    }

    #[test]
    fn uuids_come_back() {
        let bytes = std::array::from_fn(|at| at as u8 * 17);
        let mut text = Vec::new();
        write_uuid(bytes, &mut text);
        assert_eq!(parse_uuid(&text), Some(bytes));
        assert_eq!(parse_uuid(&text.to_ascii_uppercase()), None);
    }
}
