//! The fields of a schedule, and what they mean.

use leptos::prelude::*;
use serde::Deserialize as _;
use tenantatlas_domain::registry::{Category, registry};
use tenantatlas_domain::role::Action;
use tenantatlas_domain::selection::Selection;
use tenantatlas_engine::{Engine, ScheduleOptions, ScheduleSpec, pattern_of, time_of, zone_names};
use tenantatlas_store::schedules::Schedule;

use crate::error::AppError;
use crate::ui::drawn::Drawn as _;
use crate::ui::form::{field, name_field, options, several, tick};

const DAYS: [(u8, &str); 7] =
    [(1, "Monday"), (2, "Tuesday"), (3, "Wednesday"), (4, "Thursday"), (5, "Friday"), (6, "Saturday"), (0, "Sunday")];
const WHEN: [(&str, &str); 3] =
    [("daily", "Daily at a time"), ("weekly", "On days of the week at a time"), ("cron", "By a pattern of cron")];

/// What stands in the fields, or was typed into them.
pub(super) struct Typed {
    pub name: String,
    pub operation: String,
    pub when: String,
    pub time: String,
    pub days: Vec<u8>,
    pub cron: String,
    pub zone: String,
    pub types: Vec<String>,
    pub categories: Vec<String>,
    pub changed: bool,
    pub capture: bool,
    pub drift: bool,
    pub probe: bool,
}

/// What stands in the form of a new schedule.
impl Default for Typed {
    fn default() -> Self {
        Self {
            name: String::new(),
            operation: "inventory.sync".to_owned(),
            when: "daily".to_owned(),
            time: "02:30".to_owned(),
            days: Vec::new(),
            cron: String::new(),
            zone: "UTC".to_owned(),
            types: Vec::new(),
            categories: Vec::new(),
            changed: false,
            capture: false,
            drift: false,
            probe: false,
        }
    }
}

impl Typed {
    /// What stands in the form of a schedule that is there; `None` when this version does not understand what it is to do.
    pub(super) fn of(schedule: &Schedule) -> Option<Self> {
        let ScheduleOptions { selection, types, changed, capture, drift, probe } =
            ScheduleOptions::deserialize(&schedule.options).ok()?;
        let (of_sync, categories) = selection.map(|all| (all.policy_types, all.categories)).unwrap_or_default();
        let usual = Self::default();
        let (when, time, days, cron) = match time_of(&schedule.cron) {
            Some((time, days)) if days.is_empty() => ("daily", time, days, String::new()),
            Some((time, days)) => ("weekly", time, days, String::new()),
            None => ("cron", usual.time, usual.days, schedule.cron.clone()),
        };
        Some(Self {
            name: schedule.name.clone(),
            operation: format!("{}.{}", schedule.resource, schedule.action),
            when: when.to_owned(),
            time,
            days,
            cron,
            zone: schedule.zone.clone(),
            types: [of_sync, types].concat(),
            categories,
            changed,
            capture,
            drift,
            probe,
        })
    }

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
        if is_capture && !self.categories.is_empty() {
            return Err(AppError::invalid("categories", "Choose types for a capture: categories are for a sync."));
        }
        let (selection, types) = match (self.types.is_empty() && self.categories.is_empty(), is_capture) {
            (true, _) => (None, Vec::new()),
            (false, true) => (None, self.types),
            (false, false) => {
                let selection = Selection {
                    policy_types: self.types,
                    categories: self.categories,
                    include_foundations: true,
                    include_dependencies: true,
                };
                (Some(selection), Vec::new())
            }
        };
        let (changed, capture, drift, probe) = (self.changed, self.capture, self.drift, self.probe);
        let options = ScheduleOptions { selection, types, changed, capture, drift, probe };
        Ok(ScheduleSpec { name: self.name, operation: self.operation, options, cron, zone: self.zone })
    }
}

/// The fields, within a form. Offered are the operations that somebody may start themselves, and that of a schedule that is there.
pub(super) fn fields(engine: &Engine, shown: &Typed, may: impl Fn(Action) -> bool) -> AnyView {
    let known = engine.runs().operations();
    let offered = engine.schedulable().into_iter().filter(|(kind, _)| {
        known.permission(kind.resource, kind.action).is_some_and(&may) || kind.to_string() == shown.operation
    });
    let operations = offered.map(|(kind, words)| (kind.to_string(), words));
    let operations = options(operations, &shown.operation);
    let days = DAYS.map(|(number, day)| tick("days[]", number.to_string(), day, shown.days.contains(&number)));
    let types = several(registry().all().iter().map(|known| (known.key, known.label)), &shown.types);
    let categories = several(Category::ALL.iter().map(|one| (one.slug(), one.label())), &shown.categories);
    let steps = [
        ("capture", "After a sync that ended well: capture what it found changed", shown.capture),
        ("drift", "And then: compare with the run before", shown.drift),
        ("changed", "For a capture: only what a sync has found changed", shown.changed),
        ("probe", "For a check of the connection: ask for the first page of each type as well", shown.probe),
    ];
    let steps = steps.map(|(name, words, checked)| tick(name, "true", words, checked));
    view! {
        {name_field(&shown.name)}
        {field("operation", "What is started", None, view! {
            <select class="select" id="operation" name="operation">{operations}</select>
        })}
        {when_fields(shown, days)}
        {field("types", "Only these types", Some("For a sync or a capture; everything when none is chosen."), view! {
            <select class="select" id="types" name="types[]" multiple size="6">{types}</select>
        })}
        {field("categories", "And these categories", Some("For a sync: the types of these as well."), view! {
            <select class="select" id="categories" name="categories[]" multiple size="4">{categories}</select>
        })}
        <fieldset class="checks"><legend>"Choices"</legend>{steps.into_iter().collect_view()}</fieldset>
    }
    .drawn()
}

fn when_fields(shown: &Typed, days: [AnyView; 7]) -> AnyView {
    let when = options(WHEN, &shown.when);
    let (time, cron, zone) = (shown.time.clone(), shown.cron.clone(), shown.zone.clone());
    let zones = zone_names().into_iter().map(|name| view! { <option value=name></option> }).collect_view();
    view! {
        {field("when", "When", None, view! { <select class="select" id="when" name="when">{when}</select> })}
        {field("time", "Time of day", Some("For daily and for days of the week."), view! {
            <input class="input" id="time" name="time" type="time" value=time />
        })}
        <fieldset class="checks"><legend>"Days of the week"</legend>{days.into_iter().collect_view()}</fieldset>
        {field("cron", "Pattern of cron", Some("Minute, hour, day, month, weekday: 30 2 * * 1-5 is 02:30 from Monday to Friday."), view! {
            <input class="input" id="cron" name="cron" value=cron maxlength="120" autocomplete="off" spellcheck="false" />
        })}
        {field("zone", "Time zone", Some("A name such as Europe/Berlin. A time that the clocks skip runs at the first moment after it; one that comes twice runs once."), view! {
            <input class="input" id="zone" name="zone" value=zone list="zones" maxlength="64" required autocomplete="off" spellcheck="false" />
        })}
        <datalist id="zones">{zones}</datalist>
    }
    .drawn()
}
