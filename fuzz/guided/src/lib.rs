//! What the four targets have in common.

/// The entry points that libFuzzer calls, for one target: what does not hold ends the process, and libFuzzer keeps the input.
#[macro_export]
macro_rules! guided {
    ($target:expr) => {
        libfuzzer_sys::fuzz_target!(|input: &[u8]| {
            if let Err(breach) = $target.check(input) {
                panic!("{breach}");
            }
        });

        libfuzzer_sys::fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
            match $target.mutate(&data[..size], seed) {
                Some(changed) if changed.len() <= max_size => {
                    data[..changed.len()].copy_from_slice(&changed);
                    changed.len()
                }
                _ => libfuzzer_sys::fuzzer_mutate(data, size, max_size),
            }
        });
    };
}
