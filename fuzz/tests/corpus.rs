//! Every target with its corpus, and with mutations of it that are the same in every run.

use std::panic::catch_unwind;

use tenantatlas_fuzz::mutate::{Numbers, mutated};
use tenantatlas_fuzz::{TARGETS, Target, corpus};

/// Mutations per target. `make fuzz` tries as many as fit into its time.
const MUTATIONS: usize = 2_000;

/// The input as bytes that can be put into a test.
fn holds(target: &Target, name: &str, input: &[u8]) {
    let held = catch_unwind(|| (target.check)(input));
    assert!(held.is_ok(), "{} does not hold for {name}: b\"{}\"", target.name, input.escape_ascii());
}

fn check(name: &str) {
    let target = TARGETS.iter().find(|target| target.name == name).expect("a target");
    let seeds = corpus::seeds(name).expect("a corpus");
    for (file, input) in &seeds {
        holds(target, file, input);
    }
    let mut numbers = Numbers::new(20_260_301);
    for number in 0..MUTATIONS {
        holds(target, &format!("mutation {number}"), &mutated(&seeds, &mut numbers));
    }
}

/// One test per target, so that a failure has a name, and a target without a test does not compile.
macro_rules! tests {
    ($($name:ident)+) => {
        $(
            #[test]
            fn $name() {
                check(stringify!($name));
            }
        )+

        #[test]
        fn every_target_is_tested() {
            let names: Vec<&str> = TARGETS.iter().map(|target| target.name).collect();
            assert_eq!(names, [$(stringify!($name)),+]);
        }
    };
}

tests!(
    addresses body canonical cookies cursor graph_answer highlight next next_link normalise redact references retry_after sanitise
    selection settings time token_answer
);

#[test]
fn the_same_seed_gives_the_same_mutations() {
    let seeds = vec![("a".to_owned(), b"{\"a\":[1,2,3]}".to_vec()), ("b".to_owned(), b"next=/x".to_vec())];
    let made = |seed| {
        let mut numbers = Numbers::new(seed);
        (0..50).map(|_| mutated(&seeds, &mut numbers)).collect::<Vec<_>>()
    };
    assert_eq!(made(1), made(1));
    assert_ne!(made(1), made(2));
}
