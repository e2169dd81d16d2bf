//! Deterministic numbers and ids. An object's id carries its kind and index, so that a single read needs no table.

use sha2::{Digest as _, Sha256};

/// A well-mixed number from a seed and two coordinates (the finaliser of SplitMix64).
#[must_use]
pub fn mix(seed: u64, first: u64, second: u64) -> u64 {
    let mut value = seed
        .wrapping_add(first.wrapping_mul(0x9E37_79B9_7F4A_7C15))
        .wrapping_add(second.wrapping_mul(0xD1B5_4A32_D192_ED03));
    value = (value ^ (value >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    value = (value ^ (value >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    value ^ (value >> 31)
}

/// A GUID from texts.
#[must_use]
pub fn guid_of(parts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part.as_bytes());
        hash.update([0]);
    }
    let digest = hash.finalize();
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest[..16]);
    uuid::Builder::from_random_bytes(bytes).into_uuid().to_string()
}

const SPREAD: u64 = 0x9E37_79B9_7F4B;
const SPREAD_INVERSE: u64 = inverse(SPREAD);
const MASK: u64 = (1 << 48) - 1;

/// The inverse of an odd number modulo 2^48 (Newton's iteration doubles the correct bits each round).
const fn inverse(odd: u64) -> u64 {
    let mut result = odd;
    let mut round = 0;
    while round < 6 {
        result = result.wrapping_mul(2u64.wrapping_sub(odd.wrapping_mul(result)));
        round += 1;
    }
    result & MASK
}

/// Writes the GUID of an object: 48 bits carry the index, 12 the kind, the rest is noise from the seed.
pub fn write_guid(out: &mut Vec<u8>, seed: u64, kind: u16, index: u64) {
    let scrambled = (index ^ (seed >> 7)).wrapping_mul(SPREAD) & MASK;
    let hidden_kind = u64::from(kind ^ (seed as u16)) & 0xFFF;
    let high = (scrambled << 16) | 0x4000 | hidden_kind;
    let low = (mix(seed, u64::from(kind), index) & 0x3FFF_FFFF_FFFF_FFFF) | 0x8000_0000_0000_0000;
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    for position in 0..16 {
        if matches!(position, 8 | 12) {
            out.push(b'-');
        }
        out.push(DIGITS[(high >> (60 - 4 * position) & 0xF) as usize]);
    }
    for position in 0..16 {
        if matches!(position, 0 | 4) {
            out.push(b'-');
        }
        out.push(DIGITS[(low >> (60 - 4 * position) & 0xF) as usize]);
    }
}

/// Kind and index from a GUID that [`write_guid`] wrote with the same seed.
#[must_use]
pub fn read_guid(seed: u64, text: &str) -> Option<(u16, u64)> {
    let id = uuid::Uuid::try_parse(text).ok()?;
    let high = (id.as_u128() >> 64) as u64;
    let kind = ((high & 0xFFF) as u16 ^ (seed as u16)) & 0xFFF;
    let index = ((high >> 16).wrapping_mul(SPREAD_INVERSE) & MASK) ^ (seed >> 7 & MASK);
    let mut check = Vec::with_capacity(36);
    write_guid(&mut check, seed, kind, index);
    (check == text.to_ascii_lowercase().as_bytes()).then_some((kind, index))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_leads_back_to_its_object_and_foreign_ids_lead_nowhere() {
        for (seed, kind, index) in [(1, 0, 0), (42, 77, 999_999), (u64::MAX, 4, 3)] {
            let mut text = Vec::new();
            write_guid(&mut text, seed, kind, index);
            let text = String::from_utf8(text).expect("ASCII");
            assert!(uuid::Uuid::try_parse(&text).is_ok(), "{text}");
            assert_eq!(read_guid(seed, &text), Some((kind, index)));
            assert_eq!(read_guid(seed ^ 99, &text), None);
        }
        assert_eq!(read_guid(1, "11111111-2222-4333-8444-555555555555"), None);
    }
}
