//! Who changed an object between two moments, and how sure that is. Never guessed: an event counts when it names the object
//! and lies between the moments, and what was not read is said to be not read.

use serde::{Deserialize, Serialize};

use super::{Actor, AuditFacts, AuditSource, ReadWindow, Span};
use crate::reason::ReasonCode;
use crate::time::Timestamp;

/// How long after the fact an event may appear in its log, in milliseconds. Microsoft names no limit; within this time "no
/// event" may be "no event yet".
const MAY_COME_LATE: i64 = 2 * 3_600_000;

/// Of what it is asked.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// The id that Microsoft gave the object.
    pub external_id: &'a str,
    /// The log that tells of it; `None` where none that is read does.
    pub source: Option<AuditSource>,
    /// The id of the application by which this program works in the tenant.
    pub own_application: &'a str,
}

/// What is known of a log.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Coverage {
    /// The stretch of which every event was read.
    pub window: Option<ReadWindow>,
    /// Why the last reading did not come to its end, when it did not.
    pub reason: Option<(ReasonCode, String)>,
}

/// Somebody who changed something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Actors {
    /// Who it was.
    pub actor: Actor,
    /// Whether it was this program, by its own application.
    pub ours: bool,
    /// How many events tell of it.
    pub events: usize,
    /// When the last of them was.
    pub at: Timestamp,
    /// What it was, in the words of the log.
    pub activity: String,
    /// Ties it to other events of the same request.
    pub correlation_id: Option<String>,
    /// The names of the properties that these events changed.
    pub changed: Vec<String>,
}

/// How sure it is that those who were found are those who changed it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Certainty {
    /// One actor, and the log was read over the whole time.
    OneActor,
    /// Several actors: which of them changed what is not told apart.
    SeveralActors,
    /// The log was not read over the whole time: others may have changed it too.
    PartlyRead,
}

/// Why nothing can be said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Lack {
    /// No log that is read tells of objects of this type.
    NoLog,
    /// The log was never read.
    NeverRead,
    /// It could not be read.
    Refused {
        /// The stable code.
        code: ReasonCode,
        /// A sentence for the person.
        sentence: String,
    },
    /// It was read, but not over this time, or not over all of it.
    Outside {
        /// The stretch that was read.
        read: ReadWindow,
    },
}

/// The answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "state")]
pub enum Attribution {
    /// Events were found.
    Found {
        /// Who they name, who came last first.
        actors: Vec<Actors>,
        /// How sure it is.
        certainty: Certainty,
    },
    /// The log was read over the whole time, and no event names the object.
    NoneFound {
        /// The time.
        span: Span,
        /// Whether one may still come: the log was read soon after the time ended.
        may_still_come: bool,
    },
    /// Nothing can be said.
    NotRead {
        /// Why.
        lack: Lack,
    },
}

impl Attribution {
    /// Why nobody is named, in words; `None` where somebody is.
    #[must_use]
    pub fn note(&self) -> Option<String> {
        match self {
            Self::Found { .. } => None,
            Self::NoneFound { span, may_still_come } => {
                let late =
                    if *may_still_come { "; one may still come, since logs tell of some events late" } else { "" };
                Some(format!("no event found between {} and {}{late}", span.from.to_rfc3339(), span.to.to_rfc3339()))
            }
            Self::NotRead { lack: Lack::NoLog } => {
                Some("audit events not read, because the service keeps a log of its own, which is not read".to_owned())
            }
            Self::NotRead { lack: Lack::NeverRead } => {
                Some("audit events not read, because nobody has started that yet".to_owned())
            }
            Self::NotRead { lack: Lack::Refused { code, sentence } } => {
                Some(format!("audit events not read, because: {sentence} ({})", code.as_str()))
            }
            Self::NotRead { lack: Lack::Outside { read } } => Some(format!(
                "audit events not read for all of the time: they are known from {} to {}, and none of these names it",
                read.from.to_rfc3339(),
                read.to.to_rfc3339()
            )),
        }
    }
}

/// Who changed an object within a stretch of time. Of `events` those count that name the object and lie within it, so that
/// more may be given.
#[must_use]
pub fn who_changed(subject: Subject<'_>, span: Span, events: &[AuditFacts], coverage: &Coverage) -> Attribution {
    let Some(source) = subject.source else { return Attribution::NotRead { lack: Lack::NoLog } };
    let is_named =
        |event: &AuditFacts| event.objects.iter().any(|one| one.id.eq_ignore_ascii_case(subject.external_id));
    let mut found: Vec<&AuditFacts> =
        events.iter().filter(|event| event.source == source && span.holds(event.at) && is_named(event)).collect();
    found.sort_by(|one, other| (other.at, &other.event_id).cmp(&(one.at, &one.event_id)));
    let covered = coverage.window.is_some_and(|window| window.covers(span));
    if found.is_empty() {
        return nothing(span, coverage, covered);
    }
    let actors = actors(subject, &found);
    let certainty = match (covered, actors.len()) {
        (false, _) => Certainty::PartlyRead,
        (true, 1) => Certainty::OneActor,
        (true, _) => Certainty::SeveralActors,
    };
    Attribution::Found { actors, certainty }
}

fn nothing(span: Span, coverage: &Coverage, covered: bool) -> Attribution {
    let lack = match (&coverage.reason, coverage.window) {
        (_, Some(window)) if covered => {
            let after = window.to.as_millis().saturating_sub(span.to.as_millis());
            return Attribution::NoneFound { span, may_still_come: after < MAY_COME_LATE };
        }
        (Some((code, sentence)), _) => Lack::Refused { code: *code, sentence: sentence.clone() },
        (None, Some(read)) => Lack::Outside { read },
        (None, None) => Lack::NeverRead,
    };
    Attribution::NotRead { lack }
}

fn actors(subject: Subject<'_>, found: &[&AuditFacts]) -> Vec<Actors> {
    let mut actors: Vec<Actors> = Vec::new();
    for event in found {
        let changed = event.changed.iter();
        // Nobody is the same as nobody else.
        let known = (!event.actor.is_unknown())
            .then(|| actors.iter_mut().find(|known| known.actor.key() == event.actor.key()))
            .flatten();
        match known {
            Some(known) => {
                known.events += 1;
                let new: Vec<String> = changed.filter(|name| !known.changed.contains(name)).cloned().collect();
                known.changed.extend(new);
            }
            None => actors.push(Actors {
                actor: event.actor.clone(),
                ours: event.actor.is_application(subject.own_application),
                events: 1,
                at: event.at,
                activity: event.activity.clone(),
                correlation_id: event.correlation_id.clone(),
                changed: changed.cloned().collect(),
            }),
        }
    }
    actors
}

#[cfg(test)]
mod tests {
    use super::super::AuditObject;
    use super::*;

    const OWN: &str = "0a0a0a0a-0000-4000-8000-000000000001";

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_millis(minute * 60_000)
    }

    fn event(minute: i64, user: Option<&str>, application: &str) -> AuditFacts {
        AuditFacts {
            source: AuditSource::Intune,
            event_id: format!("e-{minute}"),
            at: at(minute),
            activity: "Patch".to_owned(),
            operation: "Patch".to_owned(),
            correlation_id: Some("c".to_owned()),
            actor: Actor {
                user_id: user.map(str::to_owned),
                user_name: user.map(|user| format!("{user}@x.example")),
                application_id: Some(application.to_owned()),
                application_name: None,
            },
            objects: vec![AuditObject { id: "o-1".to_owned(), kind: None }],
            changed: vec!["Description".to_owned()],
        }
    }

    fn ask(events: &[AuditFacts], span: (i64, i64), window: Option<(i64, i64)>) -> Attribution {
        let subject = Subject { external_id: "O-1", source: Some(AuditSource::Intune), own_application: OWN };
        let window = window.map(|(from, to)| ReadWindow { from: at(from), to: at(to) });
        let span = Span { from: at(span.0), to: at(span.1) };
        who_changed(subject, span, events, &Coverage { window, reason: None })
    }

    #[test]
    fn one_actor_with_several_events_is_one_and_the_last_event_is_told() {
        let events = [event(5, Some("kim"), "p"), event(7, Some("kim"), "other portal"), event(11, Some("sam"), "p")];
        let Attribution::Found { actors, certainty } = ask(&events, (1, 10), Some((0, 500))) else { panic!() };
        assert_eq!((certainty, actors.len(), actors[0].events), (Certainty::OneActor, 1, 2));
        assert_eq!((actors[0].at, actors[0].changed.len(), actors[0].ours), (at(7), 1, false));
    }

    #[test]
    fn several_actors_are_told_apart_and_none_is_chosen() {
        let events = [event(5, Some("kim"), "p"), event(7, None, OWN)];
        let Attribution::Found { actors, certainty } = ask(&events, (1, 10), Some((0, 500))) else { panic!() };
        assert_eq!(certainty, Certainty::SeveralActors);
        assert_eq!(actors.iter().map(|one| one.ours).collect::<Vec<_>>(), [true, false]);
        // Whom the log does not name are not one and the same.
        let nobody = |minute| AuditFacts { actor: Actor::default(), ..event(minute, None, "") };
        let Attribution::Found { actors, .. } = ask(&[nobody(3), nobody(4)], (1, 10), Some((0, 500))) else { panic!() };
        assert_eq!(actors.len(), 2);
    }

    #[test]
    fn a_person_who_works_by_our_application_is_a_person() {
        let Attribution::Found { actors, .. } = ask(&[event(5, Some("kim"), OWN)], (1, 10), Some((0, 500))) else {
            panic!()
        };
        assert!(!actors[0].ours);
    }

    #[test]
    fn other_objects_other_times_and_other_logs_do_not_count() {
        let mut other = event(5, Some("kim"), "p");
        other.objects[0].id = "o-2".to_owned();
        let entra = AuditFacts { source: AuditSource::Entra, ..event(5, Some("kim"), "p") };
        let events = [other, entra, event(1, Some("kim"), "p"), event(11, Some("kim"), "p")];
        let span = Span { from: at(1), to: at(10) };
        assert_eq!(ask(&events, (1, 10), Some((0, 500))), Attribution::NoneFound { span, may_still_come: false });
        assert_eq!(ask(&events, (1, 10), Some((0, 60))), Attribution::NoneFound { span, may_still_come: true });
    }

    #[test]
    fn what_was_not_read_is_never_no_event() {
        let lack = |window| match ask(&[], (1, 10), window) {
            Attribution::NotRead { lack } => lack,
            other => panic!("{other:?}"),
        };
        assert_eq!(lack(None), Lack::NeverRead);
        assert!(matches!(lack(Some((2, 500))), Lack::Outside { .. }));
        assert!(matches!(lack(Some((0, 9))), Lack::Outside { .. }));
        let Attribution::Found { certainty, .. } = ask(&[event(5, Some("kim"), "p")], (1, 10), Some((2, 9))) else {
            panic!()
        };
        assert_eq!(certainty, Certainty::PartlyRead);
        let subject = Subject { external_id: "o-1", source: None, own_application: OWN };
        let span = Span { from: at(1), to: at(2) };
        assert_eq!(who_changed(subject, span, &[], &Coverage::default()), Attribution::NotRead { lack: Lack::NoLog });
        let reason = Some((ReasonCode::PermissionMissing, "AuditLog.Read.All".to_owned()));
        let subject = Subject { source: Some(AuditSource::Entra), ..subject };
        let refused = who_changed(subject, span, &[], &Coverage { window: None, reason });
        assert!(matches!(
            refused,
            Attribution::NotRead { lack: Lack::Refused { code: ReasonCode::PermissionMissing, .. } }
        ));
    }
}
