//! New inputs from old ones.

/// The longest input that is made, in bytes.
const LONGEST: usize = 4_096;

/// Pieces that mean something to what is tested.
const PIECES: &[&str] = &[
    "\0",
    "\u{1}",
    "\n",
    "\r\n",
    "\t",
    "\u{7f}",
    "\u{85}",
    "\u{2028}",
    "\u{202e}",
    "\u{feff}",
    "ß",
    "é",
    "🦀",
    "\u{fffd}",
    "\"",
    "'",
    "\\",
    "\\u0000",
    "\\ud800",
    "{",
    "}",
    "[",
    "]",
    ":",
    ",",
    ";",
    "=",
    "&",
    "%",
    "%00",
    "%2F",
    "+",
    "/",
    "//",
    "/\\",
    "..",
    "?",
    "#",
    "@",
    "null",
    "true",
    "-0",
    "0",
    "-1",
    "1e400",
    "1e-7",
    "9223372036854775807",
    "-9223372036854775808",
    "18446744073709551615",
    "0.1",
    "9999-12-31T23:59:59.9999999Z",
    "0000-01-01T00:00:00+23:59",
    "2026-02-29T00:00:00Z",
    "\"@odata.type\":\"#microsoft.graph.groupAssignmentTarget\"",
    "\"assignments\"",
    "\"roleScopeTagIds\"",
    "\"displayName\"",
    "\"settings\"",
    "\"value\"",
    "\"password\"",
    "\"secretReferenceValueId\"",
    "hmac-sha256:",
    "Bearer ",
    "eyJhbGciOiJub25lIn0.",
    "00000000-0000-0000-0000-000000000000",
    "acacacac-9df4-4c7d-9d50-4ef0226f57a9",
    "https://user:password@example.com/?sig=x",
];

/// A sequence of numbers that looks random and is the same for the same seed (SplitMix64, Steele and others 2014).
#[derive(Debug, Clone)]
pub struct Numbers(u64);

impl Numbers {
    /// The sequence of a seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`; 0 when there is none.
    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % (end.max(1) as u64)).unwrap_or(0)
    }
}

/// A new input: one of the seeds, changed in a few places; now and then bytes out of nothing.
#[must_use]
pub fn mutated(seeds: &[(String, Vec<u8>)], numbers: &mut Numbers) -> Vec<u8> {
    if seeds.is_empty() || numbers.below(16) == 0 {
        return (0..numbers.below(256)).map(|_| numbers.next().to_le_bytes()[0]).collect();
    }
    let mut input = seeds[numbers.below(seeds.len())].1.clone();
    for _ in 0..=numbers.below(6) {
        change(&mut input, seeds, numbers);
    }
    input.truncate(LONGEST);
    input
}

fn change(input: &mut Vec<u8>, seeds: &[(String, Vec<u8>)], numbers: &mut Numbers) {
    let at = numbers.below(input.len() + 1);
    let end = at + numbers.below((input.len() - at).min(64) + 1);
    match numbers.below(8) {
        0 => input.insert(at, numbers.next().to_le_bytes()[0]),
        1 if at < input.len() => input[at] ^= 1 << numbers.below(8),
        2 => drop(input.drain(at..end)),
        3 => {
            let piece = input[at..end].to_vec();
            let to = numbers.below(input.len() + 1);
            input.splice(to..to, piece);
        }
        4 => {
            let other = &seeds[numbers.below(seeds.len())].1;
            let from = numbers.below(other.len() + 1);
            input.truncate(at);
            input.extend_from_slice(&other[from..]);
        }
        5 => {
            let piece = input[at..end].repeat(1 + numbers.below(40));
            input.splice(at..end, piece);
        }
        _ => {
            let piece = PIECES[numbers.below(PIECES.len())];
            input.splice(at..at, piece.bytes());
        }
    }
}
