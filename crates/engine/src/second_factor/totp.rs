//! Time-based one-time codes: RFC 6238 with HMAC-SHA-1, six digits and thirty seconds, which every authenticator takes.

use ring::hmac;
use secrecy::{ExposeSecret as _, SecretString};
use tenantatlas_domain::time::Timestamp;
use url::form_urlencoded::byte_serialize;
use zeroize::Zeroizing;

/// Digits of a code.
pub(crate) const DIGITS: usize = 6;
/// Length of a time step, milliseconds.
const STEP: i64 = 30_000;
/// Steps before and after now whose codes are taken, for clocks that differ (RFC 6238, section 5.2).
const TOLERANCE: i64 = 1;
/// Bytes of a secret: the length of the hash (RFC 4226, section 4, requirement 6).
const SECRET_BYTES: usize = 20;
/// The alphabet of base 32 (RFC 4648, section 6), in which authenticators take a secret.
const BASE32: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
/// The name under which an authenticator keeps the secret.
const ISSUER: &str = "TenantAtlas";

/// A new secret, in base 32.
pub(crate) fn new_secret() -> SecretString {
    let bytes = Zeroizing::new(rand::random::<[u8; SECRET_BYTES]>());
    SecretString::from(encode(bytes.as_slice()))
}

/// The last step whose code is taken at a time.
pub(crate) fn furthest_step(at: Timestamp) -> i64 {
    at.as_millis().div_euclid(STEP) + TOLERANCE
}

/// The latest step within the tolerance whose code this is.
pub(crate) fn matching_step(secret: &SecretString, code: &str, at: Timestamp) -> Option<i64> {
    let wanted: u32 = code.parse().ok().filter(|_| code.len() == DIGITS)?;
    let key = Zeroizing::new(decode(secret.expose_secret())?);
    let now = at.as_millis().div_euclid(STEP);
    // All of them, whichever fits: how long it takes tells nothing.
    let fitting: Vec<i64> =
        (now - TOLERANCE..=now + TOLERANCE).filter(|step| hotp(&key, step.unsigned_abs(), DIGITS) == wanted).collect();
    fitting.last().copied()
}

/// What an authenticator reads from a QR code (Key Uri Format of Google Authenticator).
pub(crate) fn uri(secret: &SecretString, email: &str) -> String {
    let email: String = byte_serialize(email.as_bytes()).collect::<String>().replace('+', "%20");
    format!(
        "otpauth://totp/{ISSUER}:{email}?secret={}&issuer={ISSUER}&algorithm=SHA1&digits={DIGITS}&period={}",
        secret.expose_secret(),
        STEP / 1_000
    )
}

/// RFC 4226, section 5.3.
fn hotp(key: &[u8], counter: u64, digits: usize) -> u32 {
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, key);
    let tag = hmac::sign(&key, &counter.to_be_bytes());
    let bytes = tag.as_ref();
    let offset = usize::from(bytes[bytes.len() - 1] & 0x0f);
    let word = bytes[offset..offset + 4].iter().fold(0_u32, |word, byte| word << 8 | u32::from(*byte));
    (word & 0x7fff_ffff) % 10_u32.pow(u32::try_from(digits).unwrap_or(6))
}

/// Base 32 without padding.
pub(crate) fn encode(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(5) * 8);
    let (mut word, mut bits) = (0_u32, 0);
    for byte in bytes {
        word = word << 8 | u32::from(*byte);
        bits += 8;
        while bits >= 5 {
            bits -= 5;
            text.push(char::from(BASE32[(word >> bits & 31) as usize]));
        }
    }
    if bits > 0 {
        text.push(char::from(BASE32[(word << (5 - bits) & 31) as usize]));
    }
    text
}

fn decode(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() * 5 / 8);
    let (mut word, mut bits) = (0_u32, 0);
    for letter in text.bytes() {
        let value = BASE32.iter().position(|known| *known == letter)?;
        word = word << 5 | u32::try_from(value).ok()?;
        bits += 5;
        if bits >= 8 {
            bits -= 8;
            bytes.push(u8::try_from(word >> bits & 0xff).ok()?);
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &[u8] = b"12345678901234567890";

    #[test]
    fn codes_are_those_of_the_test_vectors_of_rfc_6238() {
        for (seconds, code) in [
            (59, 94_287_082),
            (1_111_111_109, 7_081_804),
            (1_111_111_111, 14_050_471),
            (1_234_567_890, 89_005_924),
            (2_000_000_000, 69_279_037),
            (20_000_000_000_u64, 65_353_130),
        ] {
            assert_eq!(hotp(KEY, seconds / 30, 8), code, "at {seconds} s");
        }
    }

    #[test]
    fn codes_are_those_of_the_test_vectors_of_rfc_4226() {
        let codes = [755_224, 287_082, 359_152, 969_429, 338_314, 254_676, 287_922, 162_583, 399_871, 520_489];
        for (counter, code) in (0..).zip(codes) {
            assert_eq!(hotp(KEY, counter, 6), code, "counter {counter}");
        }
    }

    #[test]
    fn base_32_is_that_of_rfc_4648() {
        for (plain, text) in [("", ""), ("f", "MY"), ("fo", "MZXQ"), ("foo", "MZXW6"), ("foobar", "MZXW6YTBOI")] {
            assert_eq!(encode(plain.as_bytes()), text);
            assert_eq!(decode(text).as_deref(), Some(plain.as_bytes()));
        }
        assert_eq!(decode("1"), None);
    }

    #[test]
    fn only_codes_of_this_step_and_its_neighbours_are_taken() {
        let secret = SecretString::from(encode(KEY));
        let at = |step: i64| Timestamp::from_millis(step * STEP + 29_999);
        // Counter 5 of RFC 4226.
        for (now, found) in [(3, None), (4, Some(5)), (5, Some(5)), (6, Some(5)), (7, None)] {
            assert_eq!(matching_step(&secret, "254676", at(now)), found, "step {now}");
        }
        for nonsense in ["", "25467", "2546766", "25467a", "+54676", "254 676"] {
            assert_eq!(matching_step(&secret, nonsense, at(5)), None, "{nonsense:?}");
        }
    }

    #[test]
    fn an_authenticator_is_told_everything_in_one_address() {
        let uri = uri(&SecretString::from("MZXW6"), "ada+work@example.com");
        assert_eq!(
            uri,
            "otpauth://totp/TenantAtlas:ada%2Bwork%40example.com?secret=MZXW6&issuer=TenantAtlas&algorithm=SHA1&digits=6&period=30"
        );
    }
}
