//! The list of settings has all of a body and no credential, and a body differs from itself in nothing, in whatever order its
//! sets come.

use serde_json::Value;
use tenantatlas_domain::body::{Body, Lack, put_together};
use tenantatlas_domain::normalise::Normaliser;
use tenantatlas_domain::reason::ReasonCode;
use tenantatlas_domain::registry::{PolicyType, recipe};
use tenantatlas_domain::settings::{SettingValue, Settings, difference};

use crate::input;

pub fn check(input: &[u8]) {
    let (policy_type, object) = input::object(input);
    let (settings, lacks) = read(policy_type, &object);
    let counted = settings.lines().iter().filter(|line| line.setting.counts).count() as u64;
    assert_eq!(settings.count(), counted, "the list has what is counted");
    for line in settings.lines() {
        let credential =
            matches!(line.setting.key.as_str(), "preSharedKey" | "password" | "tokenValue" | "sharedSecret");
        let told = matches!(line.setting.value, Some(SettingValue::Text(_) | SettingValue::Content(_)));
        assert!(!(credential && told), "{} is shown", line.path);
    }
    let same = difference((&settings, &lacks), (&settings, &lacks));
    assert!(same.is_same() && same.notes.is_empty(), "{:?}", same.changes().collect::<Vec<_>>());
    let unknown = same.not_comparable.iter().filter(|one| one.reason_code == ReasonCode::SecretNeeded).count() as u64;
    assert_eq!(same.compared + unknown, settings.count(), "all of it was compared");
    let (turned, turned_lacks) = read(policy_type, &input::in_another_order(&object));
    let turned = difference((&settings, &lacks), (&turned, &turned_lacks));
    assert!(turned.is_same(), "{:?}", turned.changes().collect::<Vec<_>>());
}

fn read(policy_type: &'static PolicyType, object: &Value) -> (Settings, Vec<Lack>) {
    let recipe = recipe(policy_type).expect("every type has a recipe");
    let body = Body::of(&Normaliser::new(&[7; 32]), policy_type, recipe, object.clone(), &[]);
    let whole = put_together(body.slots.into_iter().map(|slot| (slot.name, slot.value)));
    (Settings::of(policy_type, recipe, &whole), body.lacks)
}
