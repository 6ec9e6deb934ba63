//! Which bytes of a register of lanes are part of the text, as `pshufb` patterns, computed at compile time.
//!
//! A character stands in a lane of fixed width and takes part of it; what it does not take has to go. For one register
//! the lengths of its characters make a key of eight bits, so a table has 256 patterns of sixteen bytes, 4 KiB, next to
//! the length of what is left. A text uses few keys, so few cache lines of it are live.

/// Patterns and lengths by key.
#[repr(align(16))]
pub(super) struct Table {
    /// For each place in the output the index of the byte that comes there; 0x80, which `pshufb` reads as zero, past
    /// the end.
    pub(super) patterns: [[u8; 16]; 256],
    /// How many bytes are left.
    pub(super) lengths: [u8; 256],
}

/// Eight lanes of two bytes. Bit n of the key is set where lane n keeps only its first byte.
pub(super) static TWO_BYTE_LANES: Table = {
    let mut table = Table { patterns: [[0x80; 16]; 256], lengths: [0; 256] };
    let mut key = 0;
    while key < 256 {
        let mut length = 0;
        let mut index = 0;
        while index < 16 {
            let lane = index / 2;
            if index % 2 == 0 || key >> lane & 1 == 0 {
                table.patterns[key][length] = index as u8;
                length += 1;
            }
            index += 1;
        }
        table.lengths[key] = length as u8;
        key += 1;
    }
    table
};

/// Four lanes of four bytes, of which the last one to four are kept. Bits n and n + 4 of the key tell how many lane n
/// keeps: both set 1, only the upper one 2, none 3, only the lower one 4. That is the order in which the comparisons of
/// the kernels come out, without further arithmetic on them.
pub(super) static FOUR_BYTE_LANES: Table = {
    let mut table = Table { patterns: [[0x80; 16]; 256], lengths: [0; 256] };
    let mut key = 0;
    while key < 256 {
        let mut length = 0;
        let mut index = 0;
        while index < 16 {
            let lane = index / 4;
            let kept = match (key >> lane & 1, key >> (lane + 4) & 1) {
                (1, 1) => 1,
                (0, 1) => 2,
                (0, 0) => 3,
                _ => 4,
            };
            if index % 4 >= 4 - kept {
                table.patterns[key][length] = index as u8;
                length += 1;
            }
            index += 1;
        }
        table.lengths[key] = length as u8;
        key += 1;
    }
    table
};
