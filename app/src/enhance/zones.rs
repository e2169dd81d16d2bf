//! The choice between the time zone of the person and UTC, kept in the browser. Without a script times are in UTC.

use leptos::prelude::*;
use web_sys::Element;

use super::around;
use crate::island::local_storage;
use crate::live::times::{self, all};
use crate::zone;

/// What the browser keeps, where it is UTC.
const UTC: &str = "utc";
const KEY: &str = "zone";

/// Takes over what was chosen before.
pub fn prepare() {
    let kept = local_storage().and_then(|storage| storage.get_item(KEY).ok().flatten());
    choose(kept.as_deref() == Some(UTC));
}

/// A press on one of the buttons.
pub fn clicked(element: &Element) {
    let Some(wanted) = around(element, "[data-zone]").and_then(|button| button.get_attribute("data-zone")) else {
        return;
    };
    let utc = wanted == UTC;
    if let Some(storage) = local_storage() {
        let _ = if utc { storage.set_item(KEY, UTC) } else { storage.remove_item(KEY) };
    }
    choose(utc);
    times::tell(&document());
}

fn choose(utc: bool) {
    zone::tell_in_utc(utc);
    for button in all("[data-zone]") {
        let pressed = (button.get_attribute("data-zone").as_deref() == Some(UTC)) == utc;
        let _ = button.set_attribute("aria-pressed", if pressed { "true" } else { "false" });
    }
}
