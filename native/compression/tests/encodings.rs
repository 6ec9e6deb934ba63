//! What all three encodings promise, each tested by the same body. Foreign readers and writers: tests/unit/test_compression.py.

use otlp_compression::CompressionError::{Corrupt, Level, TooLarge, Truncated};
use otlp_compression::{Encoding, compress, decompress};
use proptest::prelude::*;

const ENCODINGS: [Encoding; 3] = [Encoding::Gzip, Encoding::Zstd, Encoding::Lz4];

/// Bytes that look like telemetry: repeated with small changes.
fn sample(length: usize) -> Vec<u8> {
    (0..length).map(|at| if at % 61 == 0 { (at / 61 * 31) as u8 } else { b"http.request.method"[at % 19] }).collect()
}

#[test]
fn gzip_chooses_its_level_by_what_repeats_itself_at_length() {
    let varied: String = (0..20_000u64).map(|n| format!("{:016x}", n.wrapping_mul(0x9e37_79b9_7f4a_7c15))).collect();
    let line = "  File \"/usr/lib/python3/site-packages/shop/checkout.py\", line 17, in pay\n".repeat(9);
    let repetitive: String = (0..2_000).map(|number| format!("{line}{number}")).collect();
    let gzip = |data: &str, level| compress(data.as_bytes(), Encoding::Gzip, level).unwrap();
    for (data, level) in [(&varied[..], 6), (&repetitive, 9), (&varied[..5_000], 6), (&repetitive[..5_000], 9)] {
        assert!(gzip(data, None) == gzip(data, Some(level)), "{} bytes, level {level}", data.len());
    }
    assert!(
        gzip(&varied, Some(6)) != gzip(&varied, Some(9)) && gzip(&repetitive, Some(6)) != gzip(&repetitive, Some(9))
    );
}

#[test]
fn every_level_is_read_back_and_others_are_refused() {
    let data = sample(300_000);
    for encoding in ENCODINGS {
        for level in encoding.levels() {
            let compressed = compress(&data, encoding, Some(level)).unwrap();
            assert!(compressed.len() < data.len() / 4, "{encoding} {level}");
            assert_eq!(decompress(&compressed, encoding, data.len()), Ok(data.clone()), "{encoding} {level}");
        }
        for level in [encoding.levels().start() - 1, encoding.levels().end() + 1, i32::MIN, i32::MAX] {
            assert_eq!(compress(&data, encoding, Some(level)), Err(Level), "{encoding} {level}");
        }
    }
}

#[test]
fn every_size_class_of_blocks_is_read_back() {
    for length in [0, 1, 65_536, 65_537, 262_145, 1 << 20, (1 << 20) + 1, (4 << 20) + 1] {
        let data = sample(length);
        let compressed = compress(&data, Encoding::Lz4, None).unwrap();
        assert_eq!(decompress(&compressed, Encoding::Lz4, length), Ok(data), "{length}");
    }
}

#[test]
fn limit_is_exact() {
    for encoding in ENCODINGS {
        for length in [1, 1000, 65_536, 300_000] {
            let compressed = compress(&sample(length), encoding, None).unwrap();
            let unlimited = decompress(&compressed, encoding, usize::MAX);
            assert_eq!(decompress(&compressed, encoding, length), unlimited, "{encoding} {length}");
            assert_eq!(decompress(&compressed, encoding, length - 1), Err(TooLarge), "{encoding} {length}");
        }
        assert_eq!(decompress(&compress(b"", encoding, None).unwrap(), encoding, 0), Ok(Vec::new()), "{encoding}");
    }
}

#[test]
fn members_and_frames_one_behind_the_other_are_one() {
    for encoding in ENCODINGS {
        let parts = [sample(70_000), Vec::new(), sample(10), sample(300_000)];
        let compressed: Vec<u8> = parts.iter().flat_map(|part| compress(part, encoding, None).unwrap()).collect();
        let whole = parts.concat();
        assert_eq!(decompress(&compressed, encoding, whole.len()), Ok(whole.clone()), "{encoding}");
        assert_eq!(decompress(&compressed, encoding, whole.len() - 1), Err(TooLarge), "{encoding}");
    }
}

#[test]
fn end_that_is_cut_off_is_an_error_wherever_it_is_cut() {
    for encoding in ENCODINGS {
        let first = compress(&sample(500), encoding, None).unwrap();
        let whole = [first.clone(), compress(&sample(300), encoding, None).unwrap()].concat();
        for cut in 0..whole.len() {
            if cut != first.len() {
                assert_eq!(decompress(&whole[..cut], encoding, 1000), Err(Truncated), "{encoding}, cut at {cut}");
            }
        }
    }
}

#[test]
fn context_is_as_new_after_an_error() {
    for encoding in ENCODINGS {
        let data = sample(200_000);
        let whole = compress(&data, encoding, None).unwrap();
        for _ in 0..10 {
            assert_eq!(decompress(&whole[..whole.len() / 2], encoding, data.len()), Err(Truncated), "{encoding}");
            assert_eq!(decompress(&whole, encoding, data.len() / 2), Err(TooLarge), "{encoding}");
            assert_eq!(decompress(&whole, encoding, data.len()).as_ref(), Ok(&data), "{encoding}");
        }
    }
}

#[test]
fn length_in_an_lz4_header_must_be_that_of_the_content() {
    let mut frame = compress(b"telemetry", Encoding::Lz4, None).unwrap();
    // Magic number, flags and block size, eight bytes of length, the check byte over all but the magic number.
    assert_eq!(frame[6..14], 9u64.to_le_bytes());
    for (length, expected) in [(9u8, Ok(b"telemetry".to_vec())), (8, Err(Corrupt)), (10, Err(Corrupt))] {
        frame[6] = length;
        frame[14] = (twox_hash::XxHash32::oneshot(0, &frame[4..14]) >> 8) as u8;
        assert_eq!(decompress(&frame, Encoding::Lz4, 100), expected);
    }
}

#[test]
fn bytes_behind_the_end_are_an_error() {
    for encoding in ENCODINGS {
        for garbage in [&b"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"[..], b"<html>a receiver's error page</html>"] {
            let compressed = [&compress(b"telemetry", encoding, None).unwrap(), garbage].concat();
            assert_eq!(decompress(&compressed, encoding, 1000), Err(Corrupt), "{encoding}");
        }
    }
}

#[test]
fn data_of_another_encoding_is_corrupt() {
    for encoding in ENCODINGS {
        for other in ENCODINGS.into_iter().filter(|&other| other != encoding) {
            let compressed = compress(&sample(100), other, None).unwrap();
            assert_eq!(decompress(&compressed, encoding, 1000), Err(Corrupt), "{other} as {encoding}");
        }
    }
}

#[test]
fn bomb_ends_at_the_limit() {
    let zeros = vec![0; 8 << 20];
    for encoding in ENCODINGS {
        let compressed = compress(&zeros, encoding, None).unwrap();
        assert_eq!(decompress(&compressed, encoding, 1 << 20), Err(TooLarge), "{encoding}");
    }
}

#[test]
fn zstd_window_above_eight_mebibytes_is_refused() {
    // Magic number, a descriptor without length or checksum, a window of 8 or 16 MiB, the last block, empty and stored.
    let frame = |window_descriptor| [0x28, 0xb5, 0x2f, 0xfd, 0x00, window_descriptor, 0x01, 0x00, 0x00];
    assert_eq!(decompress(&frame(13 << 3), Encoding::Zstd, 100), Ok(Vec::new()));
    assert_eq!(decompress(&frame(14 << 3), Encoding::Zstd, 100), Err(Corrupt));
}

#[test]
fn skippable_lz4_frames_are_skipped() {
    let frame = compress(b"telemetry", Encoding::Lz4, None).unwrap();
    let skippable = b"\x5a\x2a\x4d\x18\x03\0\0\0abc";
    let whole = [skippable, &frame[..], skippable].concat();
    assert_eq!(decompress(&whole, Encoding::Lz4, 100), Ok(b"telemetry".to_vec()));
    assert_eq!(decompress(&skippable[..9], Encoding::Lz4, 100), Err(Truncated));
}

proptest! {
    #[test]
    fn any_bytes_are_read_back_and_compressed_alike_by_any_context(
        pieces in proptest::collection::vec((any::<Vec<u8>>(), 0usize..100), 0..4),
    ) {
        let data: Vec<u8> = pieces.iter().flat_map(|(piece, times)| piece.repeat(*times)).collect();
        for encoding in ENCODINGS {
            let compressed = compress(&data, encoding, None);
            prop_assert_eq!(decompress(compressed.as_deref().unwrap_or_default(), encoding, data.len()), Ok(data.clone()));
            let between = compress(&sample(5_000), encoding, None);
            prop_assert!(between.is_ok());
            prop_assert_eq!(compress(&data, encoding, None), compressed);
        }
    }

    #[test]
    fn any_change_of_a_byte_is_noticed_or_changes_nothing(
        length in 1usize..3000, at in any::<proptest::sample::Index>(), change in 1u8..,
    ) {
        let data = sample(length);
        for encoding in ENCODINGS {
            let mut compressed = compress(&data, encoding, None).unwrap_or_default();
            let at = at.index(compressed.len());
            compressed[at] ^= change;
            if let Ok(read) = decompress(&compressed, encoding, 1 << 20) {
                prop_assert!(read == data || read.is_empty(), "{} at {}", encoding, at);
            }
        }
    }

    #[test]
    fn any_bytes_are_read_or_refused(garbage in proptest::collection::vec(any::<u8>(), 0..300)) {
        for (encoding, magic) in [
            (Encoding::Gzip, &b"\x1f\x8b\x08"[..]),
            (Encoding::Zstd, b"\x28\xb5\x2f\xfd"),
            (Encoding::Lz4, b"\x04\x22\x4d\x18"),
        ] {
            for input in [garbage.clone(), [magic, &garbage].concat()] {
                if let Ok(read) = decompress(&input, encoding, 10_000) {
                    prop_assert!(read.len() <= 10_000);
                }
            }
        }
    }
}
