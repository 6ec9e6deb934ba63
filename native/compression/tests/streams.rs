//! Streams of all three encodings, each tested by the same body; the whole-body functions are the oracle.

use lz4_flex::frame::{BlockMode, BlockSize, FrameEncoder, FrameInfo};
use otlp_compression::CompressionError::{Corrupt, Level, Truncated};
use otlp_compression::stream::{Compressor, Decompressor, Step};
use otlp_compression::{CompressionError, Encoding, compress, decompress};
use proptest::prelude::*;
use std::io::Write;

const ENCODINGS: [Encoding; 3] = [Encoding::Gzip, Encoding::Zstd, Encoding::Lz4];

/// Bytes that look like telemetry: repeated with small changes.
fn sample(length: usize) -> Vec<u8> {
    (0..length).map(|at| if at % 61 == 0 { (at / 61 * 31) as u8 } else { b"http.request.method"[at % 19] }).collect()
}

/// Reads a stream that comes in pieces of `piece_len` bytes, with room for `room_len` bytes at a time.
fn read(data: &[u8], encoding: Encoding, piece_len: usize, room_len: usize) -> Result<Vec<u8>, CompressionError> {
    let mut reader = Decompressor::new(encoding)?;
    let mut read = Vec::new();
    let mut room = vec![0; room_len];
    for piece in data.chunks(piece_len) {
        let mut rest = piece;
        loop {
            let Step { consumed, written } = reader.step(rest, &mut room)?;
            rest = &rest[consumed..];
            read.extend_from_slice(&room[..written]);
            // With input and room left, it stopped in front of damage, which the next step tells.
            if written < room_len && rest.is_empty() {
                break;
            }
            assert!(consumed + written > 0, "{encoding}: stands still");
        }
    }
    reader.finish().map(|()| read)
}

fn write(data: &[u8], encoding: Encoding, level: Option<i32>, piece_len: usize) -> Result<Vec<u8>, CompressionError> {
    let mut writer = Compressor::new(encoding, level)?;
    let mut written = Vec::new();
    for piece in data.chunks(piece_len) {
        written.extend(writer.compress(piece)?);
    }
    written.extend(writer.finish()?);
    Ok(written)
}

#[test]
fn streams_are_written_at_every_level_and_others_are_refused() {
    let data = sample(300_000);
    for encoding in ENCODINGS {
        for level in encoding.levels() {
            let written = write(&data, encoding, Some(level), 70_000).unwrap();
            assert!(written.len() < data.len() / 4, "{encoding} {level}");
            assert_eq!(decompress(&written, encoding, data.len()), Ok(data.clone()), "{encoding} {level}");
        }
        for level in [encoding.levels().start() - 1, encoding.levels().end() + 1] {
            assert_eq!(Compressor::new(encoding, Some(level)).err(), Some(Level), "{encoding} {level}");
        }
        assert_eq!(decompress(&write(b"", encoding, None, 1).unwrap(), encoding, 0), Ok(Vec::new()), "{encoding}");
    }
}

#[test]
fn compressor_holds_no_more_than_a_block_back() {
    for encoding in ENCODINGS {
        let mut writer = Compressor::new(encoding, None).unwrap();
        // Hardly compressible, so that what is held back shows.
        let data: Vec<u8> =
            (0..300_000u64).flat_map(|n| (n.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 16).to_le_bytes()).collect();
        let ready: usize = data.chunks(100_000).map(|piece| writer.compress(piece).unwrap().len()).sum();
        let held = writer.finish().unwrap().len();
        assert!(ready > 0 && held <= (1 << 20) + 64, "{encoding}: {ready} ready, {held} held");
    }
}

#[test]
fn every_cut_is_noticed_but_between_frames() {
    for encoding in ENCODINGS {
        let first = compress(&sample(500), encoding, None).unwrap();
        let whole = [first.clone(), compress(&sample(300), encoding, None).unwrap()].concat();
        for cut in 0..whole.len() {
            let expected = if cut == first.len() { Ok(sample(500)) } else { Err(Truncated) };
            assert_eq!(read(&whole[..cut], encoding, 7, 100), expected, "{encoding}, cut at {cut}");
        }
    }
}

#[test]
fn what_came_before_damage_is_given_out() {
    let data = sample(2 << 20);
    for encoding in ENCODINGS {
        let mut whole = write(&data, encoding, Some(1), data.len()).unwrap();
        let middle = whole.len() - whole.len() / 8;
        whole.truncate(middle);
        let mut reader = Decompressor::new(encoding).unwrap();
        let mut room = vec![0; data.len()];
        let Step { written, .. } = reader.step(&whole, &mut room).unwrap();
        assert!(written >= 1 << 19 && room[..written] == data[..written], "{encoding}: {written}");
        assert_eq!(reader.finish(), Err(Truncated));
    }
}

#[test]
fn damage_is_told_once_everything_before_it_was_given_out() {
    let first = sample(100_000);
    for encoding in ENCODINGS {
        let whole = [&compress(&first, encoding, None).unwrap()[..], b"<html>"].concat();
        let mut reader = Decompressor::new(encoding).unwrap();
        let mut room = vec![0; 200_000];
        let end = whole.len() - 6;
        let mut step = reader.step(&whole[..end], &mut room).unwrap();
        assert_eq!(step.written, first.len(), "{encoding}");
        if encoding != Encoding::Zstd {
            // The damage comes in the same step as what is in front of it.
            reader = Decompressor::new(encoding).unwrap();
            step = reader.step(&whole, &mut room).unwrap();
            assert_eq!(step.written, first.len(), "{encoding}");
        }
        assert_eq!(reader.step(b"<html>", &mut room), Err(Corrupt), "{encoding}");
        assert_eq!((reader.step(b"", &mut room), reader.finish()), (Err(Corrupt), Err(Corrupt)), "{encoding}");
    }
}

#[test]
fn bomb_is_read_no_further_than_asked() {
    let zeros = vec![0; 8 << 20];
    for encoding in ENCODINGS {
        let compressed = compress(&zeros, encoding, None).unwrap();
        let mut reader = Decompressor::new(encoding).unwrap();
        let mut room = vec![1; 1000];
        let Step { consumed, written } = reader.step(&compressed, &mut room).unwrap();
        assert_eq!(written, 1000, "{encoding}");
        // It can go on from there, without more input.
        assert_eq!(reader.step(&compressed[consumed..], &mut room).unwrap().written, 1000, "{encoding}");
    }
}

#[test]
fn repeated_empty_steps_change_nothing() {
    for encoding in ENCODINGS {
        let compressed = compress(&sample(100), encoding, None).unwrap();
        let (head, tail) = compressed.split_at(compressed.len() / 2);
        let mut reader = Decompressor::new(encoding).unwrap();
        let mut room = [0; 200];
        let mut written = 0;
        for piece in [&b""[..], head, b"", tail, b""] {
            for _ in 0..100 {
                written += reader.step(if written > 100 { b"" } else { piece }, &mut room).unwrap().written;
                if !piece.is_empty() {
                    break;
                }
            }
        }
        assert_eq!((written, reader.finish()), (100, Ok(())), "{encoding}");
    }
}

#[test]
fn window_of_a_zstd_stream_may_be_128_mebibytes() {
    // Magic number, a descriptor without length or checksum, a window of 128 or 256 MiB, the last block, empty and stored.
    let frame = |window_descriptor| [0x28, 0xb5, 0x2f, 0xfd, 0x00, window_descriptor, 0x01, 0x00, 0x00];
    assert_eq!(read(&frame(17 << 3), Encoding::Zstd, 100, 100), Ok(Vec::new()));
    assert_eq!(read(&frame(18 << 3), Encoding::Zstd, 100, 100), Err(Corrupt));
}

#[test]
fn lz4_frames_of_every_form_are_read() {
    let data = sample(700_000);
    for mode in [BlockMode::Linked, BlockMode::Independent] {
        for (block_checksums, content_checksum, content_size) in
            [(false, false, None), (true, true, Some(data.len() as u64)), (true, false, None)]
        {
            let form = FrameInfo::new()
                .block_mode(mode)
                .block_size(BlockSize::Max64KB)
                .block_checksums(block_checksums)
                .content_checksum(content_checksum)
                .content_size(content_size);
            let mut encoder = FrameEncoder::with_frame_info(form, b"\x5f\x2a\x4d\x18\x03\0\0\0abc".to_vec());
            encoder.write_all(&data).unwrap();
            let frame = encoder.finish().unwrap();
            assert!(read(&frame, Encoding::Lz4, 1000, 5000) == Ok(data.clone()), "{mode:?} {block_checksums}");
        }
    }
    assert_eq!(read(b"\x50\x2a\x4d\x18\0\0\0\0", Encoding::Lz4, 100, 100), Ok(Vec::new()));
}

#[test]
fn bytes_behind_the_end_are_an_error() {
    for encoding in ENCODINGS {
        let compressed = [&compress(b"telemetry", encoding, None).unwrap()[..], b"<html>an error page</html>"].concat();
        assert_eq!(read(&compressed, encoding, 1000, 1000), Err(Corrupt), "{encoding}");
    }
}

proptest! {
    #[test]
    fn any_pieces_are_written_and_read_back(
        pieces in proptest::collection::vec((any::<Vec<u8>>(), 0usize..300), 0..4),
        piece_len in 1usize..5000,
        room_len in 1usize..5000,
    ) {
        let data: Vec<u8> = pieces.iter().flat_map(|(piece, times)| piece.repeat(*times)).collect();
        for encoding in ENCODINGS {
            let written = write(&data, encoding, None, piece_len).unwrap_or_default();
            prop_assert_eq!(decompress(&written, encoding, data.len()), Ok(data.clone()));
            prop_assert_eq!(read(&written, encoding, piece_len, room_len), Ok(data.clone()));
            let twice = [&compress(&data, encoding, None).unwrap_or_default()[..], &written].concat();
            prop_assert_eq!(read(&twice, encoding, piece_len, room_len), Ok(data.repeat(2)));
        }
    }

    #[test]
    fn any_change_of_a_byte_is_noticed_or_changes_nothing(
        length in 1usize..3000, at in any::<proptest::sample::Index>(), change in 1u8.., piece_len in 1usize..300,
    ) {
        let data = sample(length);
        for encoding in ENCODINGS {
            let mut compressed = compress(&data, encoding, None).unwrap_or_default();
            let at = at.index(compressed.len());
            compressed[at] ^= change;
            let streamed = read(&compressed, encoding, piece_len, 100);
            if let Ok(whole) = decompress(&compressed, encoding, 1 << 20) {
                prop_assert_eq!(&streamed, &Ok(whole), "{} at {}", encoding, at);
            }
            if let Ok(streamed) = streamed {
                prop_assert!(streamed == data || streamed.is_empty(), "{} at {}", encoding, at);
            }
        }
    }

    #[test]
    fn any_bytes_are_read_or_refused(garbage in proptest::collection::vec(any::<u8>(), 0..300), piece_len in 1usize..50) {
        for (encoding, magic) in [
            (Encoding::Gzip, &b"\x1f\x8b\x08"[..]),
            (Encoding::Zstd, b"\x28\xb5\x2f\xfd"),
            (Encoding::Lz4, b"\x04\x22\x4d\x18"),
        ] {
            for input in [garbage.clone(), [magic, &garbage].concat()] {
                let streamed = read(&input, encoding, piece_len, 1000);
                if let Ok(whole) = decompress(&input, encoding, 1 << 20) {
                    prop_assert_eq!(&streamed, &Ok(whole), "{}", encoding);
                }
            }
        }
    }
}
