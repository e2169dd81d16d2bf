//! Normalising does not depend on order, is bounded, and changes nothing the second time.

use tenantatlas_domain::canonical::to_canonical_string;
use tenantatlas_domain::normalise::{Normaliser, observation_hash};

use crate::input;

pub fn check(input: &[u8]) {
    let (policy_type, object) = input::object(input);
    let normaliser = Normaliser::new(&[7; 32]);
    let content = normaliser.normalise(policy_type, &object);
    let hash = normaliser.content_hash(policy_type, &object);
    let text = to_canonical_string(&content);
    assert_eq!(hash, observation_hash(text.as_bytes()), "the hash is that of the canonical content");
    assert_eq!(normaliser.content_hash(policy_type, &input::in_another_order(&object)), hash, "order means nothing");
    // A fingerprint is longer than the shortest secret, and nothing else grows.
    let given = object.to_string().len();
    assert!(text.len() <= 64 * (given + 1), "{} bytes of {given}", text.len());
    // A fingerprint in the place of a secret would be taken for the secret.
    if !text.contains("hmac-sha256:") {
        assert_eq!(normaliser.content_hash(policy_type, &content), hash, "normalising twice changes nothing");
    }
}
