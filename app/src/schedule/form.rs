//! The fields of a schedule, and what they mean.

use leptos::prelude::*;
use tenantatlas_domain::registry::registry;
use tenantatlas_domain::selection::Selection;
use tenantatlas_engine::{Engine, ScheduleOptions, ScheduleSpec, pattern_of, zone_names};

use crate::error::AppError;
use crate::ui::drawn::Drawn as _;
use crate::ui::form::{field, options};

const DAYS: [(u8, &str); 7] =
    [(1, "Monday"), (2, "Tuesday"), (3, "Wednesday"), (4, "Thursday"), (5, "Friday"), (6, "Saturday"), (0, "Sunday")];
const WHEN: [(&str, &str); 3] =
    [("daily", "Daily at a time"), ("weekly", "On days of the week at a time"), ("cron", "By a pattern of cron")];

/// What a person typed.
pub(super) struct Typed {
    pub name: String,
    pub operation: String,
    pub when: String,
    pub time: String,
    pub days: Vec<u8>,
    pub cron: String,
    pub zone: String,
    pub types: Vec<String>,
    pub changed: bool,
    pub capture: bool,
    pub drift: bool,
}

impl Typed {
    /// What is wanted by it.
    pub(super) fn spec(self) -> Result<ScheduleSpec, AppError> {
        let cron = match self.when.as_str() {
            "daily" => pattern_of(&self.time, &[])?,
            "weekly" if self.days.is_empty() => {
                return Err(AppError::invalid("days", "Choose at least one day of the week."));
            }
            "weekly" => pattern_of(&self.time, &self.days)?,
            "cron" => self.cron,
            _ => return Err(AppError::invalid("when", "Choose daily, days of the week, or a pattern.")),
        };
        let is_capture = self.operation == "policies.capture";
        let (selection, types) = match (self.types.is_empty(), is_capture) {
            (true, _) => (None, Vec::new()),
            (false, true) => (None, self.types),
            (false, false) => {
                let selection = Selection {
                    policy_types: self.types,
                    categories: Vec::new(),
                    include_foundations: true,
                    include_dependencies: true,
                };
                (Some(selection), Vec::new())
            }
        };
        let (changed, capture, drift) = (self.changed, self.capture, self.drift);
        let options = ScheduleOptions { selection, types, changed, capture, drift, ..ScheduleOptions::default() };
        Ok(ScheduleSpec { name: self.name, operation: self.operation, options, cron, zone: self.zone })
    }
}

/// The fields, within a form.
pub(super) fn fields(engine: &Engine) -> AnyView {
    let operations = engine.schedulable().into_iter().map(|(kind, words)| (kind.to_string(), words));
    let zones = zone_names().into_iter().map(|name| view! { <option value=name></option> }).collect_view();
    let days = DAYS.map(|(number, day)| {
        view! { <label class="check"><input type="checkbox" name="days[]" value=number.to_string() autocomplete="off" />{day}</label> }
    });
    let types = registry().all().iter().map(|known| (known.key.to_owned(), known.label.to_owned()));
    let steps = [
        ("capture", "After a sync that ended well: capture what it found changed"),
        ("drift", "And then: compare with the run before"),
        ("changed", "For a capture: only what a sync has found changed"),
    ];
    let steps = steps.map(|(name, words)| {
        view! { <label class="check"><input type="checkbox" name=name value="true" autocomplete="off" />{words}</label> }
    });
    view! {
        {field("name", "Name", None, view! { <input class="input" id="name" name="name" maxlength="80" required autocomplete="off" /> })}
        {field("operation", "What is started", None, view! {
            <select class="select" id="operation" name="operation">{options(operations, "inventory.sync")}</select>
        })}
        {field("when", "When", None, view! { <select class="select" id="when" name="when">{options(WHEN, "daily")}</select> })}
        {field("time", "Time of day", Some("For daily and for days of the week."), view! {
            <input class="input" id="time" name="time" type="time" value="02:30" />
        })}
        <fieldset class="checks"><legend>"Days of the week"</legend>{days.into_iter().collect_view()}</fieldset>
        {field("cron", "Pattern of cron", Some("Minute, hour, day, month, weekday: 30 2 * * 1-5 is 02:30 from Monday to Friday."), view! {
            <input class="input" id="cron" name="cron" maxlength="120" autocomplete="off" spellcheck="false" />
        })}
        {field("zone", "Time zone", Some("A name such as Europe/Berlin. A time that the clocks skip runs at the first moment after it; one that comes twice runs once."), view! {
            <input class="input" id="zone" name="zone" value="UTC" list="zones" maxlength="64" required autocomplete="off" spellcheck="false" />
        })}
        <datalist id="zones">{zones}</datalist>
        {field("types", "Only these types", Some("For a sync or a capture; everything when none is chosen."), view! {
            <select class="select" id="types" name="types[]" multiple size="6">{options(types, "")}</select>
        })}
        <fieldset class="checks"><legend>"Choices"</legend>{steps.into_iter().collect_view()}</fieldset>
    }
    .drawn()
}
