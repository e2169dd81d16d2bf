//! Where a tenant's news are sent besides its pages: to which events an endpoint listens, and when what could not be delivered
//! is tried again (`docs/rules.md`, section Webhooks).

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::operation::OperationBucket;
use crate::time::Timestamp;

crate::names::named! {
    /// What an endpoint understands.
    #[derive(PartialOrd, Ord)]
    pub enum EndpointKind: UnknownEndpointKind, "kind of endpoint" {
        /// JSON, signed by the Standard Webhooks specification.
        Webhook = "webhook",
        /// An Adaptive Card, to the address of a workflow.
        Teams = "teams",
        /// Blocks, to an incoming webhook.
        Slack = "slack",
        /// Mail by the SMTP server of the installation.
        Mail = "mail",
    }
}

impl EndpointKind {
    /// The word for people.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Webhook => "Webhook",
            Self::Teams => "Microsoft Teams",
            Self::Slack => "Slack",
            Self::Mail => "Mail",
        }
    }

    /// Whether what is sent carries a signature, so that the endpoint has a secret.
    #[must_use]
    pub const fn is_signed(self) -> bool {
        matches!(self, Self::Webhook)
    }
}

crate::names::named! {
    /// Something that is told to endpoints.
    #[derive(PartialOrd, Ord)]
    pub enum EventKind: UnknownEventKind, "kind of event" {
        /// A run of any operation has ended.
        RunEnded = "run.ended",
        /// A comparison of two runs found what was not known, or what is new again.
        FindingsNew = "findings.new",
        /// A check of the connection missed permissions that an earlier one had found.
        PermissionLost = "permission.lost",
        /// A schedule has not succeeded for twice its period.
        ScheduleOverdue = "schedule.overdue",
        /// A schedule stopped by itself, since it could not go on.
        ScheduleStopped = "schedule.stopped",
        /// Somebody pressed the test button. It goes to the one endpoint that is tested.
        Test = "endpoint.test",
    }
}

impl EventKind {
    /// What an endpoint can listen to.
    pub const CHOICES: &'static [Self] =
        &[Self::RunEnded, Self::FindingsNew, Self::PermissionLost, Self::ScheduleOverdue, Self::ScheduleStopped];

    /// The words for people.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::RunEnded => "A run has ended",
            Self::FindingsNew => "New findings",
            Self::PermissionLost => "A permission was lost",
            Self::ScheduleOverdue => "A schedule is overdue",
            Self::ScheduleStopped => "A schedule stopped by itself",
            Self::Test => "Test",
        }
    }
}

crate::names::named! {
    /// How far the delivery of one message is.
    #[derive(PartialOrd, Ord)]
    pub enum DeliveryStatus: UnknownDeliveryStatus, "state of a delivery" {
        /// It is yet to be sent, or to be sent again.
        Waiting = "waiting",
        /// The other side took it.
        Delivered = "delivered",
        /// It was given up.
        Failed = "failed",
    }
}

/// To what an endpoint listens.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Wanted {
    /// The events.
    pub events: Vec<EventKind>,
    /// Only ends of runs of these operations, such as `inventory.sync`; of all where it is empty.
    pub operations: Vec<String>,
    /// Only ends of runs in these states; in all where it is empty.
    pub states: Vec<OperationBucket>,
}

impl Wanted {
    /// Whether an event is one of these. `run` is the operation of a run that ended, and its state.
    #[must_use]
    pub fn covers(&self, event: EventKind, run: Option<(&str, OperationBucket)>) -> bool {
        if !self.events.contains(&event) {
            return false;
        }
        let (EventKind::RunEnded, Some((operation, state))) = (event, run) else { return true };
        (self.operations.is_empty() || self.operations.iter().any(|wanted| wanted == operation))
            && (self.states.is_empty() || self.states.contains(&state))
    }
}

/// Waits between the attempts at one delivery: nine attempts within a day.
const WAITS: [Duration; 8] = [
    Duration::from_secs(5),
    Duration::from_secs(300),
    Duration::from_secs(1_800),
    Duration::from_secs(2 * 3_600),
    Duration::from_secs(4 * 3_600),
    Duration::from_secs(5 * 3_600),
    Duration::from_secs(6 * 3_600),
    Duration::from_secs(6 * 3_600),
];
/// Each wait is longer or shorter by up to this part, so that what failed together does not come back together.
const JITTER: f64 = 0.1;
/// The longest wait that the other side can ask for.
const LONGEST_WAIT: Duration = Duration::from_secs(6 * 3_600);

/// Attempts at one delivery, at most.
pub const MOST_ATTEMPTS: u32 = WAITS.len() as u32 + 1;

/// An endpoint to which nothing could be delivered for so long is switched off.
pub const OFF_AFTER: Duration = Duration::from_secs(3 * 24 * 3_600);

/// A replaced secret signs as well for so long.
pub const SECRETS_OVERLAP: Duration = Duration::from_secs(24 * 3_600);

/// The hour of the day, UTC, at which a digest is sent.
const DIGEST_HOUR: i64 = 6;

/// How long to wait after attempt number `attempts`, counted from one, has failed; `None` when that was the last. `random` lies in
/// `0.0..=1.0`. What the other side asks for is kept up to six hours, and never shortens the wait.
#[must_use]
pub fn wait_after(attempts: u32, random: f64, asked: Option<Duration>) -> Option<Duration> {
    let wait = WAITS.get(attempts.saturating_sub(1) as usize)?;
    let wait = wait.mul_f64(1.0 - JITTER + 2.0 * JITTER * random.clamp(0.0, 1.0));
    Some(wait.max(asked.unwrap_or_default().min(LONGEST_WAIT)))
}

/// When the next digest is sent.
#[must_use]
pub fn next_digest(after: Timestamp) -> Timestamp {
    const DAY: i64 = 24 * 3_600_000;
    let begin = DIGEST_HOUR * 3_600_000;
    let days = (after.as_millis() - begin).div_euclid(DAY) + 1;
    Timestamp::from_millis(days * DAY + begin)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_delivery_is_tried_for_a_day_and_then_given_up() {
        for random in [0.0, 0.5, 1.0] {
            let waits: Vec<_> = (1..MOST_ATTEMPTS).map(|attempt| wait_after(attempt, random, None)).collect();
            let all: Duration = waits.iter().map(|wait| wait.expect("there is another attempt")).sum();
            let hours = all.as_secs_f64() / 3_600.0;
            assert!((20.0..27.0).contains(&hours), "{hours} hours");
            assert!(
                waits.windows(2).all(|pair| pair[0] < pair[1] || pair[1].is_some_and(|wait| wait.as_secs() > 18_000))
            );
        }
        assert_eq!(wait_after(MOST_ATTEMPTS, 0.5, None), None);
        assert_eq!(wait_after(u32::MAX, 0.5, Some(Duration::from_secs(1))), None);
    }

    #[test]
    fn the_other_side_can_ask_for_a_longer_wait_but_not_for_a_shorter_or_an_endless_one() {
        let asked = |seconds| wait_after(1, 0.5, Some(Duration::from_secs(seconds)));
        assert_eq!(asked(0), wait_after(1, 0.5, None));
        assert_eq!(asked(600), Some(Duration::from_secs(600)));
        assert_eq!(asked(u64::MAX / 2), Some(LONGEST_WAIT));
    }

    #[test]
    fn waits_differ_by_chance_but_not_by_much() {
        assert_eq!(wait_after(2, 0.0, None), Some(Duration::from_secs(270)));
        assert_eq!(wait_after(2, 1.0, None), Some(Duration::from_secs(330)));
        assert_eq!(wait_after(2, 7.0, None), wait_after(2, 1.0, None));
    }

    #[test]
    fn a_digest_is_sent_at_the_next_six_oclock() {
        let next = |text: &str| next_digest(Timestamp::parse_rfc3339(text).expect("a time")).to_rfc3339();
        assert_eq!(next("2026-11-26T05:59:59Z"), "2026-11-26T06:00:00.000Z");
        assert_eq!(next("2026-11-26T06:00:00Z"), "2026-11-27T06:00:00.000Z");
        assert_eq!(next("2026-12-31T23:00:00Z"), "2027-01-01T06:00:00.000Z");
    }

    #[test]
    fn only_ends_of_runs_are_told_apart_by_operation_and_state() {
        let wanted = Wanted {
            events: vec![EventKind::RunEnded, EventKind::FindingsNew],
            operations: vec!["inventory.sync".to_owned()],
            states: vec![OperationBucket::Failed],
        };
        let run = |operation, state| wanted.covers(EventKind::RunEnded, Some((operation, state)));
        assert!(run("inventory.sync", OperationBucket::Failed));
        assert!(!run("inventory.sync", OperationBucket::Succeeded));
        assert!(!run("policies.capture", OperationBucket::Failed));
        assert!(wanted.covers(EventKind::FindingsNew, Some(("drift.generate", OperationBucket::Succeeded))));
        assert!(!wanted.covers(EventKind::PermissionLost, None));
        assert!(!Wanted::default().covers(EventKind::RunEnded, None), "nothing is wanted unless it is said");
    }
}
