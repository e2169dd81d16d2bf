//! Who changed an item, and who made each of its versions, as the audit logs of Microsoft tell it.

use std::collections::{BTreeMap, HashMap};

use leptos::prelude::*;
use tenantatlas_domain::audit_event::{
    Actor, Actors, Attribution, AuditSource, Certainty, Lack, Span, Subject, who_changed,
};
use tenantatlas_domain::ids::CaptureId;
use tenantatlas_domain::invisible::visible_on_page;
use tenantatlas_domain::registry::registry;
use tenantatlas_domain::time::Timestamp;
use tenantatlas_store::audit_events;
use tenantatlas_store::inventory::{ItemRow, ItemVersion, RunReading, RunSighting};
use tenantatlas_store::policies::{self, Version};

use super::item::value_moment;
use crate::error::AppError;
use crate::format;
use crate::scope::Inside;
use crate::ui::drawn::Drawn as _;
use crate::ui::time::{day, moment};

/// How long reading an object may take, in milliseconds: it may have changed after the time that its version names.
const READING: i64 = 60_000;
/// How far an event may lie from the time that Microsoft names for a change, in milliseconds.
const NEAR: i64 = 60_000;

/// What the logs say of an item.
#[derive(Debug, Clone, Default)]
pub struct ChangedBy {
    /// Of its last change; `None` where no two observations frame one.
    pub item: Option<Attribution>,
    /// Of its versions, by number; the first has none, since nothing was known before it.
    pub versions: BTreeMap<u64, Attribution>,
}

impl ChangedBy {
    /// Whether a reading of the logs could tell more.
    #[must_use]
    pub fn may_be_told_more(&self) -> bool {
        self.item.iter().chain(self.versions.values()).any(|answer| match answer {
            Attribution::Found { certainty, .. } => *certainty == Certainty::PartlyRead,
            Attribution::NoneFound { may_still_come, .. } => *may_still_come,
            Attribution::NotRead { lack } => *lack != Lack::NoLog,
        })
    }
}

fn at(moment: Timestamp, later: i64) -> Timestamp {
    Timestamp::from_millis(moment.as_millis().saturating_add(later))
}

/// The time within which the item came to be as it is: between the last run that saw it as it was before and the observation.
/// Of one that never changed since it is known, around the time that Microsoft names.
fn item_span(row: &ItemRow, history: &[ItemVersion], runs: &[RunSighting]) -> Option<Span> {
    if let [now, before, ..] = history {
        let observing = runs.iter().find(|run| Some(run.run_id) == now.run_id);
        let earlier = observing.and_then(|observing| {
            let seen =
                runs.iter().filter(|run| run.reading == RunReading::Seen && run.started_at < observing.started_at);
            seen.map(|run| run.started_at).max()
        });
        return Some(Span { from: earlier.unwrap_or(before.observed_at), to: now.observed_at });
    }
    let modified = value_moment(row.item.meta.get("lastModifiedDateTime")?)?;
    Some(Span { from: at(modified, -NEAR), to: at(modified, NEAR) })
}

/// The time between each version and the one before it, by number. `versions` are newest first. The time ends with the reading of
/// the capture, where it is known when that ended: what came after it is in no version.
fn version_spans(
    versions: &[Version],
    reading_ends: &HashMap<CaptureId, Timestamp>,
) -> impl Iterator<Item = (u64, Span)> {
    versions.windows(2).filter_map(move |pair| {
        let [version, before] = pair else { return None };
        let longest = at(version.read_at, READING);
        let ended = reading_ends.get(&version.capture_id).copied().unwrap_or(longest);
        Some((version.number, Span { from: before.read_at, to: ended.clamp(version.read_at, longest) }))
    })
}

/// Asks the logs of an item and of its versions.
///
/// # Errors
/// When the database fails.
pub async fn load(
    inside: &Inside,
    row: &ItemRow,
    history: &[ItemVersion],
    runs: &[RunSighting],
    versions: &[Version],
) -> Result<ChangedBy, AppError> {
    let item = item_span(row, history, runs);
    let db = inside.engine.reader();
    let captures: Vec<CaptureId> = versions.iter().map(|version| version.capture_id).collect();
    let ends = policies::reading_ends(db, inside.id(), &row.item.policy_type, &captures).await?;
    let versions: Vec<(u64, Span)> = version_spans(versions, &ends).collect();
    let spans: Vec<Span> = item.into_iter().chain(versions.iter().map(|(_, span)| *span)).collect();
    let (Some(from), Some(to)) = (spans.iter().map(|span| span.from).min(), spans.iter().map(|span| span.to).max())
    else {
        return Ok(ChangedBy::default());
    };
    let source = registry().get(&row.item.policy_type).and_then(AuditSource::of);
    let coverage = match source {
        Some(source) => audit_events::source(db, inside.id(), source).await?.map(|known| known.coverage()),
        None => None,
    };
    let coverage = coverage.unwrap_or_default();
    let external_id = row.item.external_id.as_str();
    let events = audit_events::of_object(db, inside.id(), external_id, Span { from, to }).await?;
    let subject = Subject { external_id, source, own_application: &inside.tenant.client_id };
    let who = |span| who_changed(subject, span, &events, &coverage);
    let versions = versions.into_iter().map(|(number, span)| (number, who(span))).collect();
    Ok(ChangedBy { item: item.map(who), versions })
}

/// An answer in words, with how sure it is.
pub fn attribution(answer: &Attribution) -> AnyView {
    match answer {
        Attribution::Found { actors, certainty } => found(actors, *certainty),
        Attribution::NoneFound { span, may_still_come } => {
            let late = may_still_come.then_some(" One may still come: logs tell of some events late.");
            view! {
                "No event found between "{day(span.from.as_millis())}" and "{day(span.to.as_millis())}"."{late}
            }
            .drawn()
        }
        Attribution::NotRead { lack } => not_read(lack),
    }
}

fn found(actors: &[Actors], certainty: Certainty) -> AnyView {
    let sure = match certainty {
        Certainty::OneActor => None,
        Certainty::SeveralActors => Some("Several changed it; which of them changed what is not told."),
        Certainty::PartlyRead => {
            Some("Audit events were read for a part of the time only: others may have changed it too.")
        }
    };
    let rows = actors
        .iter()
        .enumerate()
        .map(|(index, one)| {
            let also = (index > 0).then_some("; ");
            let events =
                (one.events > 1).then(|| format!(", {}", format::counted(one.events as u64, "event", "events")));
            let activity = visible_on_page(&one.activity).into_owned();
            let changed: Vec<String> = one.changed.iter().map(|name| visible_on_page(name).into_owned()).collect();
            let changed = (!changed.is_empty())
                .then(|| view! { <span class="quiet">{format!(" ({})", changed.join(", "))}</span> });
            view! {
                {also}{actor_name(one)}" · "{activity}" "{moment(one.at.as_millis())}{events}{changed}
            }
        })
        .collect_view();
    view! { {rows}"."{sure.map(|sure| view! { <span class="quiet">{format!(" {sure}")}</span> })} }.drawn()
}

/// The name of whoever it was.
pub fn actor_name(one: &Actors) -> String {
    let Actor { user_id, user_name, application_id, application_name } = &one.actor;
    let shown = |name: &Option<String>, id: &Option<String>| {
        name.as_deref().or(id.as_deref()).map(|text| visible_on_page(text).into_owned())
    };
    if one.ours {
        return "TenantAtlas itself".to_owned();
    }
    if let Some(person) = shown(user_name, user_id) {
        return person;
    }
    match shown(application_name, application_id) {
        Some(application) => format!("the application {application}"),
        None => "somebody whom the log does not name".to_owned(),
    }
}

fn not_read(lack: &Lack) -> AnyView {
    match lack {
        Lack::NoLog => "Not known: the service keeps an audit log of its own, which is not read.".drawn(),
        Lack::NeverRead => "Audit events not read, because nobody has started that yet.".drawn(),
        Lack::Refused { code, sentence } => {
            format!("Audit events not read, because: {} ({}).", visible_on_page(sentence), code.words()).drawn()
        }
        Lack::Outside { read } => view! {
            "Audit events not read for all of the time: they are known from "{day(read.from.as_millis())}" to "
            {day(read.to.as_millis())}", and none of these names it."
        }
        .drawn(),
    }
}

#[cfg(test)]
mod tests {
    use tenantatlas_domain::audit_event::ReadWindow;
    use tenantatlas_domain::body::Completeness;
    use tenantatlas_domain::ids::{TenantId, VersionId};
    use tenantatlas_domain::normalise::ContentHash;
    use uuid::Uuid;

    use super::*;

    fn moment_of(second: i64) -> Timestamp {
        Timestamp::from_millis(second * 1_000)
    }

    fn version(number: u64, read_at: i64) -> Version {
        Version {
            id: VersionId::from_uuid(Uuid::from_u128(number.into())),
            tenant_id: TenantId::from_uuid(Uuid::from_u128(1)),
            policy_type: "deviceConfiguration".to_owned(),
            external_id: "1".to_owned(),
            number,
            display_name: "P".to_owned(),
            api_version: "beta".to_owned(),
            collection: "deviceManagement/deviceConfigurations".to_owned(),
            odata_type: None,
            completeness: Completeness::Complete,
            lacks: Vec::new(),
            content_hash: ContentHash([0; 32]),
            normaliser_version: 1,
            settings: None,
            withheld: 0,
            read_at: moment_of(read_at),
            capture_id: CaptureId::from_uuid(Uuid::from_u128(number.into())),
        }
    }

    #[test]
    fn a_reading_of_the_logs_right_behind_a_capture_covers_the_time_of_the_version() {
        let versions = [version(2, 1_000), version(1, 100)];
        let spans = |ends: &[(u64, i64)]| {
            let ends = ends.iter().map(|(number, end)| (version(*number, 0).capture_id, moment_of(*end))).collect();
            version_spans(&versions, &ends).map(|(number, span)| (number, span.from, span.to)).collect::<Vec<_>>()
        };
        assert_eq!(spans(&[(2, 1_004)]), [(2, moment_of(100), moment_of(1_004))]);
        let logs = ReadWindow { from: moment_of(0), to: moment_of(1_005) };
        let (_, from, to) = spans(&[(2, 1_004)])[0];
        assert!(logs.covers(Span { from, to }), "the reading of the logs began when the capture had ended");
        // A long capture, one that is under way, and a clock that was set back.
        assert_eq!(spans(&[(2, 9_000)])[0].2, moment_of(1_060));
        assert_eq!(spans(&[])[0].2, moment_of(1_060));
        assert_eq!(spans(&[(2, 900)])[0].2, moment_of(1_000));
    }
}
