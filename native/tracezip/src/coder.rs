//! Decisions to bytes and back: a binary range coder with adaptive probabilities, and the plain bits, bytes and text beside it.
//!
//! Everything that a frame says is a sequence of *decisions* (is this the same as last time? which entry of the table?), each
//! with a probability that both ends learn as they go, and of *content* that nothing predicts: low bits of numbers, new ids,
//! new text. Decisions go through the range coder, which spends `-log2(probability)` bits on each; content is put into columns
//! of its own.
//!
//! [`Coder`] is one interface for both directions: [`Writing`] is given each value and writes it, [`Reading`] ignores what it is
//! given and gives the value that was written. The models on top of it are written once, and cannot differ between the ends.
//!
//! Why not bytes through an entropy coder behind it, as in the sketch of the format: measured, see docs/tracezip-format.md.

/// A probability that learns: how likely the decision is to be `true`, in 1/65536 (high half), and how often it was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Bit(u32);

/// A decision that was never taken.
impl Default for Bit {
    fn default() -> Self {
        Self(0x8000 << 16)
    }
}

/// The number of times after which a probability adapts no slower.
const MAX_COUNT: u32 = 30;

/// By how much a probability moves towards what happened, in 1/65536, by how often it was taken before: 1 / (count + 1.5).
const RATES: [u32; 32] = {
    let mut rates = [0; 32];
    let mut count = 0;
    while count <= MAX_COUNT as usize {
        rates[count] = 131_072 / (2 * count as u32 + 3);
        count += 1;
    }
    rates
};

impl Bit {
    const fn probability(self) -> u32 {
        self.0 >> 16
    }

    /// Neither end is ever certain of anything: what is taken off a probability is less than it.
    #[inline(always)]
    fn learn(&mut self, taken: bool) {
        let probability = self.0 >> 16;
        let count = self.0 & 0xffff;
        let rate = RATES[(count & 31) as usize];
        let probability = if taken {
            probability.wrapping_add((65_535_u32.wrapping_sub(probability)).wrapping_mul(rate) >> 16)
        } else {
            probability.wrapping_sub(probability.wrapping_mul(rate) >> 16)
        };
        self.0 = probability << 16 | (count + u32::from(count < MAX_COUNT));
    }
}

/// One of the two ends of a frame's content.
pub(crate) trait Coder {
    /// Whether values are given by the caller (and not read).
    const IS_WRITING: bool;
    /// A decision.
    fn bit(&mut self, model: &mut Bit, value: bool) -> bool;
    /// The low `width` bits of a number, 0 to 64, that nothing predicts.
    fn bits(&mut self, width: u32, value: u64) -> u64;
    /// Bytes that nothing predicts.
    fn bytes<const N: usize>(&mut self, value: [u8; N]) -> [u8; N];
    /// Text of `len` bytes; appended to `out` when it is read.
    fn text(&mut self, len: u64, value: &[u8], out: &mut Vec<u8>);
}

/// The columns of a frame, by their numbers in the directory.
#[derive(Debug)]
pub(crate) struct Columns {
    /// What the range coder made of the decisions.
    pub(crate) decisions: Vec<u8>,
    /// Plain bits, from the lowest of each byte on.
    pub(crate) bits: Vec<u8>,
    /// Plain bytes.
    pub(crate) bytes: Vec<u8>,
    /// Text: what zstd compresses.
    pub(crate) text: Vec<u8>,
}

impl Columns {
    /// Empty columns, with room for what a request of so many bytes mostly becomes.
    pub(crate) fn for_request(len: usize) -> Self {
        let room = || Vec::with_capacity(len / 64);
        Self { decisions: room(), bits: room(), bytes: Vec::with_capacity(len / 32), text: Vec::new() }
    }

    /// How many bytes they have together.
    pub(crate) fn len(&self) -> usize {
        self.decisions.len() + self.bits.len() + self.bytes.len() + self.text.len()
    }
}

/// The writing end.
#[derive(Debug)]
pub(crate) struct Writing {
    columns: Columns,
    /// The interval that the decisions so far have left, both ends included.
    low: u32,
    high: u32,
    /// Plain bits that fill no byte yet.
    waiting: u64,
    waiting_len: u32,
}

impl Writing {
    pub(crate) fn new(columns: Columns) -> Self {
        Self { columns, low: 0, high: u32::MAX, waiting: 0, waiting_len: 0 }
    }

    /// Writes the bytes that are certain.
    #[inline(never)]
    fn shift(&mut self) {
        while (self.low ^ self.high) >> 24 == 0 {
            self.columns.decisions.push((self.high >> 24) as u8);
            self.low <<= 8;
            self.high = self.high << 8 | 0xff;
        }
    }

    /// The columns, complete.
    pub(crate) fn finish(mut self) -> Columns {
        if self.low > 0 || self.high < u32::MAX {
            // The shortest number inside the interval; the reader puts zeros behind it.
            let mut len = 1;
            while len < 4 {
                let mask = u32::MAX >> (8 * len);
                if self.low <= u32::MAX - mask && (self.low + mask) & !mask <= self.high {
                    break;
                }
                len += 1;
            }
            let mask = if len == 4 { 0 } else { u32::MAX >> (8 * len) };
            let number = (self.low + mask) & !mask;
            self.columns.decisions.extend_from_slice(&number.to_be_bytes()[..len]);
            while self.columns.decisions.last() == Some(&0) {
                self.columns.decisions.pop();
            }
        }
        while self.waiting_len > 0 {
            self.columns.bits.push(self.waiting as u8);
            self.waiting >>= 8;
            self.waiting_len = self.waiting_len.saturating_sub(8);
        }
        self.columns
    }
}

/// Where the interval is cut: the part up to here is `true`.
#[inline]
fn cut(low: u32, high: u32, model: Bit) -> u32 {
    let part = (u64::from(high.wrapping_sub(low)) * u64::from(model.probability())) >> 16;
    low.wrapping_add(part as u32)
}

impl Coder for Writing {
    const IS_WRITING: bool = true;

    #[inline(always)]
    fn bit(&mut self, model: &mut Bit, value: bool) -> bool {
        let cut = cut(self.low, self.high, *model);
        (self.low, self.high) = if value { (self.low, cut) } else { (cut.wrapping_add(1), self.high) };
        model.learn(value);
        if (self.low ^ self.high) >> 24 == 0 {
            self.shift();
        }
        value
    }

    #[inline]
    fn bits(&mut self, width: u32, value: u64) -> u64 {
        // Less than 32 bits are waiting, so that as many again always fit.
        if width > 32 {
            self.bits(32, value & 0xffff_ffff);
            self.bits(width - 32, value >> 32);
            return value;
        }
        self.waiting |= value << self.waiting_len;
        self.waiting_len += width;
        if self.waiting_len >= 32 {
            self.columns.bits.extend_from_slice(&(self.waiting as u32).to_le_bytes());
            self.waiting >>= 32;
            self.waiting_len -= 32;
        }
        value
    }

    fn bytes<const N: usize>(&mut self, value: [u8; N]) -> [u8; N] {
        self.columns.bytes.extend_from_slice(&value);
        value
    }

    fn text(&mut self, _len: u64, value: &[u8], _out: &mut Vec<u8>) {
        self.columns.text.extend_from_slice(value);
    }
}

/// The reading end.
#[derive(Debug)]
pub(crate) struct Reading<'a> {
    decisions: &'a [u8],
    low: u32,
    high: u32,
    /// Where in the interval the number is that was written.
    number: u32,
    bits: &'a [u8],
    /// How many plain bits were read.
    bits_read: usize,
    bytes: &'a [u8],
    text: &'a [u8],
    is_overrun: bool,
}

impl<'a> Reading<'a> {
    pub(crate) fn new(decisions: &'a [u8], bits: &'a [u8], bytes: &'a [u8], text: &'a [u8]) -> Self {
        let mut reading =
            Self { decisions, low: 0, high: u32::MAX, number: 0, bits, bits_read: 0, bytes, text, is_overrun: false };
        for _ in 0..4 {
            reading.number = reading.number << 8 | reading.next_decisions();
        }
        reading
    }

    /// Reads as many bytes as are certain.
    #[inline(never)]
    fn shift(&mut self) {
        while (self.low ^ self.high) >> 24 == 0 {
            self.low <<= 8;
            self.high = self.high << 8 | 0xff;
            self.number = self.number << 8 | self.next_decisions();
        }
    }

    /// The next byte of decisions, zeros behind their end.
    fn next_decisions(&mut self) -> u32 {
        match self.decisions.split_first() {
            Some((first, rest)) => {
                self.decisions = rest;
                u32::from(*first)
            }
            None => 0,
        }
    }

    /// The next `len` bytes of text.
    pub(crate) fn take_text(&mut self, len: u64) -> &'a [u8] {
        let parts = usize::try_from(len).ok().and_then(|len| self.text.split_at_checked(len));
        let Some((text, rest)) = parts else {
            self.is_overrun = true;
            return &[];
        };
        self.text = rest;
        text
    }

    /// Whether something was read that is not there.
    pub(crate) fn is_overrun(&self) -> bool {
        self.is_overrun
    }

    /// Whether everything was read, and nothing that is not there.
    pub(crate) fn is_complete(&self) -> bool {
        !self.is_overrun
            && self.decisions.is_empty()
            && self.bytes.is_empty()
            && self.text.is_empty()
            && self.bits_read.div_ceil(8) == self.bits.len()
    }
}

impl Coder for Reading<'_> {
    const IS_WRITING: bool = false;

    #[inline(always)]
    fn bit(&mut self, model: &mut Bit, _value: bool) -> bool {
        let cut = cut(self.low, self.high, *model);
        let value = self.number <= cut;
        (self.low, self.high) = if value { (self.low, cut) } else { (cut.wrapping_add(1), self.high) };
        model.learn(value);
        if (self.low ^ self.high) >> 24 == 0 {
            self.shift();
        }
        value
    }

    #[inline]
    fn bits(&mut self, width: u32, _value: u64) -> u64 {
        let (start, offset) = (self.bits_read / 8, (self.bits_read % 8) as u32);
        self.bits_read += width as usize;
        if self.bits_read > self.bits.len() * 8 {
            self.is_overrun = true;
            return 0;
        }
        // Up to 64 bits that begin inside a byte lie in nine.
        let mut bytes = [0; 16];
        let taken = &self.bits[start..self.bits.len().min(start + 9)];
        bytes[..taken.len()].copy_from_slice(taken);
        (u128::from_le_bytes(bytes) >> offset) as u64
            & (u64::MAX >> 1 >> (63 - width.min(63)) | u64::from(width == 64) << 63)
    }

    fn bytes<const N: usize>(&mut self, _value: [u8; N]) -> [u8; N] {
        let Some((bytes, rest)) = self.bytes.split_first_chunk::<N>() else {
            self.is_overrun = true;
            return [0; N];
        };
        self.bytes = rest;
        *bytes
    }

    fn text(&mut self, len: u64, _value: &[u8], out: &mut Vec<u8>) {
        out.extend_from_slice(self.take_text(len));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// One thing that is written.
    #[derive(Clone, Debug)]
    enum Said {
        Bit(usize, bool),
        Bits(u32, u64),
        Bytes([u8; 8]),
        Text(Vec<u8>),
    }

    fn said() -> impl Strategy<Value = Said> {
        prop_oneof![
            // Mostly the same decision, as a model that is nearly certain is the hardest.
            8 => (0..3usize, prop::bool::weighted(0.97)).prop_map(|(model, value)| Said::Bit(model, value)),
            1 => (0..=64u32, any::<u64>())
                .prop_map(|(width, value)| Said::Bits(width, value.checked_shr(64 - width).unwrap_or(0))),
            1 => any::<[u8; 8]>().prop_map(Said::Bytes),
            1 => prop::collection::vec(any::<u8>(), 0..20).prop_map(Said::Text),
        ]
    }

    /// Says everything to one end, and gives what that end made of it.
    fn say<C: Coder>(coder: &mut C, all: &[Said]) -> Vec<Said> {
        let mut models = [Bit::default(); 3];
        let heard = all.iter().map(|said| match said {
            Said::Bit(model, value) => Said::Bit(*model, coder.bit(&mut models[*model], C::IS_WRITING && *value)),
            Said::Bits(width, value) => Said::Bits(*width, coder.bits(*width, if C::IS_WRITING { *value } else { 0 })),
            Said::Bytes(bytes) => Said::Bytes(coder.bytes(if C::IS_WRITING { *bytes } else { [0; 8] })),
            Said::Text(text) => {
                let mut out = Vec::new();
                coder.text(text.len() as u64, if C::IS_WRITING { text } else { &[] }, &mut out);
                Said::Text(out)
            }
        });
        heard.collect()
    }

    proptest! {
        #[test]
        fn what_was_written_is_read(all in prop::collection::vec(said(), 0..400)) {
            let mut writing = Writing::new(Columns::for_request(0));
            say(&mut writing, &all);
            let columns = writing.finish();
            let mut reading = Reading::new(&columns.decisions, &columns.bits, &columns.bytes, &columns.text);
            prop_assert_eq!(format!("{:?}", say(&mut reading, &all)), format!("{all:?}"));
            prop_assert!(reading.is_complete());
        }

        #[test]
        fn reading_any_bytes_ends(
            decisions in prop::collection::vec(any::<u8>(), 0..20),
            all in prop::collection::vec(said(), 0..200),
        ) {
            let mut reading = Reading::new(&decisions, &[], &[], &[]);
            say(&mut reading, &all);
        }
    }

    #[test]
    fn certain_decisions_take_next_to_nothing() {
        let mut writing = Writing::new(Columns::for_request(0));
        let mut model = Bit::default();
        for _ in 0..10_000 {
            writing.bit(&mut model, true);
        }
        assert!(writing.finish().decisions.len() < 20);
    }
}
