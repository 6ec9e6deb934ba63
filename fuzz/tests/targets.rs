//! A few inputs of each target, so that what only libFuzzer calls is run with every change.

use fastrand::Rng;
use otlp_fuzz::seeds;
use otlp_fuzz::targets::Target;

#[test]
fn what_must_hold_holds_for_inputs_of_every_target_as_they_are_and_changed() {
    let mut random = Rng::with_seed(6);
    let seeds = seeds::collect(None, 8, &mut random).expect("seeds without a folder");
    for (name, target) in Target::ALL {
        for seeds in &seeds {
            let mut changed = 0;
            for request in &seeds.requests {
                for mut input in otlp_fuzz::inputs::of(target, seeds.signal, request, &mut random).expect("inputs") {
                    for _ in 0..8 {
                        assert_eq!(target.check(&input), Ok(()), "{name}: {input:x?}");
                        match target.mutate(&input, random.u32(..)) {
                            Some(mutated) => input = mutated,
                            None => {
                                let at = random.usize(..input.len().max(1));
                                input.splice(at..(at + 1).min(input.len()), [random.u8(..)]);
                            }
                        }
                        changed += 1;
                    }
                }
            }
            assert!(changed > 0, "{name}: no inputs of {:?}", seeds.signal);
        }
    }
}

#[test]
fn input_that_is_shorter_than_its_head_is_passed_over() {
    for (_, target) in Target::ALL {
        for len in 0..5 {
            assert_eq!(target.check(&[0x80; 5][..len]), Ok(()));
        }
    }
}
