//! Points in time.

use leptos::prelude::*;
use tenantatlas_engine::Engine;

use crate::format;
use crate::ui::drawn::Drawn as _;

/// A point in time: told from now, exact in UTC on hover. The browser goes on telling it as time passes.
pub fn moment(millis: i64) -> AnyView {
    let now = use_context::<Engine>().map_or(millis, |engine| engine.now().as_millis());
    view! {
        <time datetime=format::machine(millis) title=format::utc_seconds(millis) data-relative=millis.to_string()>
            {format::relative(millis, now)}
        </time>
    }
    .drawn()
}

/// A point in time that stays exact, to the second. The browser tells it in the zone of the person, with UTC on hover.
pub fn day(millis: i64) -> AnyView {
    view! {
        <time datetime=format::machine(millis) data-exact=millis.to_string()>{format::utc_seconds(millis)}</time>
    }
    .drawn()
}

/// A point in time where the moment itself matters: exact to the second, and how long ago.
pub fn exact(millis: i64) -> AnyView {
    view! { {day(millis)}" ("{moment(millis)}")" }.drawn()
}

/// A point in time, or words where there is none.
pub fn moment_or(millis: Option<i64>, otherwise: &'static str) -> AnyView {
    millis.map_or_else(|| otherwise.drawn(), moment)
}
