//! The hashes by which the two ends know that they have the same.

use twox_hash::XxHash3_64;

/// XXH3 of a request.
pub(crate) fn content_hash(request: &[u8]) -> u64 {
    XxHash3_64::oneshot(request)
}

/// The hash of a state behind a frame: XXH3, seeded with the one in front of it, of the columns' plaintext.
pub(crate) fn next_hash(base: u64, raw_block: &[u8], text: &[u8]) -> u64 {
    let raw = XxHash3_64::oneshot_with_seed(base, raw_block);
    XxHash3_64::oneshot_with_seed(raw, text)
}
