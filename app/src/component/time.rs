//! Points in time.

use crate::format;
use leptos::prelude::*;

/// A point in time: exact in UTC as sent, told from now once WebAssembly is there, exact on hover.
pub fn moment(millis: i64) -> AnyView {
    view! {
        <time datetime=format::machine(millis) title=format::utc_seconds(millis) data-relative=millis.to_string()>
            {format::utc(millis)}
        </time>
    }
    .into_any()
}

/// A point in time that stays exact, to the second.
pub fn day(millis: i64) -> AnyView {
    view! { <time datetime=format::machine(millis)>{format::utc_seconds(millis)}</time> }.into_any()
}

/// A point in time, or words where there is none.
pub fn moment_or(millis: Option<i64>, otherwise: &'static str) -> AnyView {
    millis.map_or_else(|| otherwise.into_any(), moment)
}
