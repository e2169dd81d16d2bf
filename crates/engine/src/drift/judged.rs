//! What one object comes to: the findings to keep, and those whose drift is gone.

use std::collections::BTreeMap;

use tenantatlas_domain::drift::{
    Change, ChangeKind, FindingStatus, GapCode, Severity, Sight, changed_facts, changes, default_severity, fingerprint,
    judge,
};
use tenantatlas_domain::ids::{FindingId, OperationRunId};
use tenantatlas_domain::registry::registry;
use tenantatlas_domain::sanitise::META_ASSIGNMENTS;
use tenantatlas_domain::time::Timestamp;
use tenantatlas_store::findings::{DriftCounts, Evidence, Finding, Group, NewFinding, Plan, Subject};
use uuid::Uuid;

/// What a comparison is made with.
pub(super) struct Frame<'a> {
    pub plan: &'a Plan,
    pub group: &'a Group,
    pub run: OperationRunId,
    /// What the tenant says about how much a change of a type matters.
    pub severities: &'a BTreeMap<String, Severity>,
    pub at: Timestamp,
}

/// The object that was in the place of one that moved here from another type.
#[derive(Clone)]
pub(super) struct Predecessor {
    pub item: tenantatlas_domain::ids::ItemId,
    pub policy_type: String,
    pub external_id: String,
}

/// What was found of objects.
#[derive(Default)]
pub(super) struct Judged {
    pub findings: Vec<NewFinding>,
    pub gone: Vec<FindingId>,
    pub counts: DriftCounts,
    /// What is new in it, by how much it matters and by name.
    pub news: Vec<(Severity, String)>,
    /// Objects that were added or removed and of which nothing was known: they may have moved from one type to another.
    pub added: Vec<usize>,
    pub removed: Vec<usize>,
    /// Objects that could not be compared, by their place and why.
    pub gaps: Vec<(usize, GapCode)>,
}

impl Judged {
    /// Judges an object that stands at this place. What was added or removed is put aside with `aside`, until it is known
    /// whether it moved.
    pub(super) fn add(&mut self, frame: &Frame<'_>, place: usize, subject: &Subject, aside: bool) {
        if subject.unsure {
            if subject.sides.before.is_some() {
                self.gaps.push((place, GapCode::Unsteady));
            }
            return;
        }
        let changes = match changes(&subject.sides) {
            Ok(changes) => changes,
            Err(gap) => return self.gaps.push((place, gap)),
        };
        let changes: Vec<Change> = changes.into_iter().filter_map(|change| as_known(change, subject)).collect();
        for finding in subject.open().filter(|finding| changes.iter().all(|change| change.kind != finding.kind)) {
            self.gone.push(finding.id);
            self.counts.resolved += 1;
        }
        for change in changes {
            let is_known = subject.open().any(|finding| finding.kind == change.kind);
            match change.kind {
                ChangeKind::Added if aside && !is_known => self.added.push(place),
                ChangeKind::Removed if aside && !is_known => self.removed.push(place),
                _ => self.keep(frame, subject, &change, None),
            }
        }
    }

    /// Keeps that an object is in the place of one of another type.
    pub(super) fn add_migrated(&mut self, frame: &Frame<'_>, subject: &Subject, predecessor: &Predecessor) {
        let Ok(changes) = changes(&subject.sides) else { return };
        for change in changes.into_iter().filter(|change| change.kind == ChangeKind::Added) {
            let change = Change { kind: ChangeKind::Migrated, ..change };
            self.keep(frame, subject, &change, Some(predecessor));
        }
    }

    fn keep(&mut self, frame: &Frame<'_>, subject: &Subject, change: &Change, from: Option<&Predecessor>) {
        let known = subject.finding(change.kind);
        let open = known.filter(|finding| finding.resolved_at.is_none());
        let since_seq = subject.sides.now.as_ref().map(|now| now.since_seq);
        let sight = Sight { value: change.now.clone(), since_seq, at: frame.at };
        let standing = known.map(Finding::standing);
        let verdict = judge(standing.as_ref(), &sight);
        let own = frame.severities.get(&subject.policy_type).copied();
        let severity =
            own.or_else(|| registry().get(&subject.policy_type).map(default_severity)).unwrap_or(Severity::Medium);
        let finding = Finding {
            id: known.map_or_else(|| FindingId::from_uuid(Uuid::now_v7()), |known| known.id),
            tenant_id: frame.plan.tenant_id,
            scope_key: frame.plan.scope.selection_hash.to_string(),
            fingerprint: fingerprint(
                frame.plan.tenant_id,
                &frame.plan.scope.selection_hash,
                &subject.policy_type,
                &subject.external_id,
                change.kind,
            ),
            kind: change.kind,
            subject_type: subject.policy_type.clone(),
            subject_external_id: subject.external_id.clone(),
            item_id: subject.item,
            related_item_id: from.map(|from| from.item).or(known.and_then(|known| known.related_item_id)),
            display_name: subject.display_name.clone(),
            severity,
            status: verdict.status,
            reopened: verdict.reopened,
            baseline_run_id: subject.baseline.0,
            baseline_seq: subject.baseline.1,
            current_run_id: frame.group.current().run_id,
            checked_seq: frame.group.current().seq,
            current_value: change.now.clone(),
            accepted: verdict.acceptance.is_some(),
            accepted_value: verdict.acceptance.and_then(|acceptance| acceptance.value),
            accepted_until: known.and_then(|known| known.accepted_until),
            accepted_evidence: None,
            acknowledged_by: None,
            acknowledged_by_name: None,
            acknowledged_at: None,
            acknowledged_reason: None,
            evidence: evidence(subject, change, from, known),
            created_at: frame.at,
            since_at: open.map_or(frame.at, |open| open.since_at),
            updated_at: frame.at,
            resolved_at: None,
        };
        self.count(known, &finding);
        self.findings.push(NewFinding { finding, checked_by: frame.run });
    }

    fn count(&mut self, known: Option<&Finding>, finding: &Finding) {
        let is_new = finding.status == FindingStatus::New;
        let count = match known {
            Some(known) if is_new && known.status == FindingStatus::Acknowledged => &mut self.counts.reopened,
            Some(known) if known.resolved_at.is_none() => &mut self.counts.unchanged,
            _ if is_new => &mut self.counts.found,
            _ => &mut self.counts.unchanged,
        };
        *count += 1;
        let goes_on = known.is_some_and(|known| known.resolved_at.is_none() && known.status == FindingStatus::New);
        if is_new && !goes_on {
            self.news.push((finding.severity, finding.display_name.clone()));
        }
    }
}

/// The change as what is known of the object makes it: one that moved here stays one that moved here, and of one in whose
/// place another is nobody has to be told that it is gone.
fn as_known(change: Change, subject: &Subject) -> Option<Change> {
    match change.kind {
        ChangeKind::Removed if subject.replaced => None,
        ChangeKind::Added if subject.open().any(|finding| finding.kind == ChangeKind::Migrated) => {
            Some(Change { kind: ChangeKind::Migrated, ..change })
        }
        _ => Some(change),
    }
}

fn evidence(subject: &Subject, change: &Change, from: Option<&Predecessor>, known: Option<&Finding>) -> Evidence {
    let (before, now) = (subject.sides.before.as_ref(), subject.sides.now.as_ref());
    let facts = match (registry().get(&subject.policy_type), before, now) {
        (Some(policy_type), Some(_), Some(_)) => changed_facts(policy_type, &subject.facts_before, &subject.facts_now),
        _ => Vec::new(),
    };
    let of_assignments = |name: &str| name == META_ASSIGNMENTS;
    let facts = facts.into_iter().filter(|fact| match change.kind {
        ChangeKind::Modified => !of_assignments(&fact.name),
        ChangeKind::Reassigned => of_assignments(&fact.name),
        _ => false,
    });
    let known = known.filter(|known| known.kind == ChangeKind::Migrated);
    Evidence {
        name_before: before.map(|state| state.display_name.clone()),
        name_now: now.map(|state| state.display_name.clone()),
        content_before: before.map(|state| state.content_hash),
        content_now: now.map(|state| state.content_hash),
        facts: facts.collect(),
        parts_unknown: change.kind == ChangeKind::Modified
            && (before.is_some_and(|state| state.settings.is_none())
                || now.is_some_and(|state| state.settings.is_none())),
        from_type: from
            .map(|from| from.policy_type.clone())
            .or_else(|| known.and_then(|known| known.evidence.from_type.clone())),
        from_external_id: from
            .map(|from| from.external_id.clone())
            .or_else(|| known.and_then(|known| known.evidence.from_external_id.clone())),
    }
}
