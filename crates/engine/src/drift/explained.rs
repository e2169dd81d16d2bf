//! What is known of findings beside their evidence: the settings that changed, where the versions of both sides are kept, and who
//! changed the object, where the audit logs of Microsoft tell it. Asked when they are shown, never stored: versions and events may
//! come later than the finding.

use std::collections::{BTreeSet, HashMap};

use futures::FutureExt as _;
use futures::stream::{self, StreamExt as _, TryStreamExt as _};
use tenantatlas_commands::Actor;
use tenantatlas_domain::audit_event::{Attribution, AuditFacts, AuditSource, Coverage, Span, Subject, who_changed};
use tenantatlas_domain::drift::{ChangeKind, Reopened};
use tenantatlas_domain::ids::{SyncRunId, TenantId};
use tenantatlas_domain::normalise::ContentHash;
use tenantatlas_domain::references::rows_of;
use tenantatlas_domain::registry::registry;
use tenantatlas_domain::role::Action;
use tenantatlas_domain::settings::{AssignmentChange, Row, Settings, difference};
use tenantatlas_store::findings::Finding;
use tenantatlas_store::inventory::{self, KnownNames};
use tenantatlas_store::policies::{self, TenantKey, Version, VersionAt};
use tenantatlas_store::{audit_events, sync_runs, tenants};

use crate::engine::Engine;
use crate::error::EngineError;

/// What is told by its settings at once, at most: findings, and what became of one since it was accepted. Each opens two bodies.
const MOST_TOLD: usize = 200;
/// Settings that are told of one finding, at most.
const MOST_ROWS: usize = 20;
/// Pairs of bodies that are opened at the same time.
const AT_ONCE: usize = 8;
/// Objects whose events are asked for at once.
const OBJECTS_AT_ONCE: usize = 200;
/// Events that are read for them, at most. Where that is not enough each object is asked for alone.
const MOST_EVENTS: u32 = 5_000;

/// The settings that a finding is about.
#[derive(Debug, Clone, PartialEq)]
pub enum SettingsTold {
    /// The change is told by its kind and names: nothing of the settings differs, or the object was not there on one side.
    NotConcerned,
    /// Both versions are kept.
    Told {
        /// The number of the version as of the baseline.
        from: u64,
        /// The number of the version now.
        to: u64,
        /// What differs, without values for who may not see bodies; 20 settings at most.
        rows: Vec<Row>,
        /// How many more differ.
        more: usize,
        /// How the assignments differ.
        assignments: Vec<AssignmentChange>,
        /// How many parts could not be compared.
        not_comparable: usize,
    },
    /// A version of one side, or of both, is not kept.
    NotKept {
        /// Whether one of the baseline is.
        before: bool,
        /// Whether one of now is.
        now: bool,
    },
    /// Captures of both sides found the same: what differs is not in the body.
    Same {
        /// The number of that version.
        version: u64,
    },
    /// Too many findings were asked for at once.
    NotAsked,
}

/// A finding with what is known of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Explained {
    /// The settings that changed.
    pub settings: SettingsTold,
    /// How what is there now differs from what was accepted; `None` of a finding that is not new again for that.
    pub since_accepted: Option<SettingsTold>,
    /// Who changed it.
    pub changed_by: Attribution,
}

/// What is known of findings, in their order.
#[derive(Debug, Clone, Default)]
pub struct Explanations {
    /// One for each finding.
    pub of: Vec<Explained>,
    /// What the tenant is known to call groups, filters and tags.
    pub names: KnownNames,
}

impl Engine {
    /// Tells what is known of findings of a tenant: of all of them who changed the object, of the first hundred that are about
    /// settings or assignments what these are. Values are left out for who may not see bodies.
    ///
    /// # Errors
    /// [`EngineError::NotFound`] and [`EngineError::Forbidden`] by the actor's role; when the database fails or a body does not
    /// open.
    pub async fn explain_findings(
        &self,
        actor: &Actor,
        tenant: TenantId,
        findings: &[Finding],
    ) -> Result<Explanations, EngineError> {
        self.authorise(actor, tenant, Action::View).await?;
        let may_see = self.authorise(actor, tenant, Action::SeeBodies).await.is_ok();
        let who = self.who_changed(tenant, findings).await?;
        let mut asked: Vec<Asked<'_>> = findings.iter().map(Asked::of_baseline).collect();
        asked.extend(findings.iter().filter_map(Asked::of_accepted));
        let (mut told, mut names) = self.settings_told(tenant, &asked).await?;
        names.add(self.names_in_facts(tenant, findings).await?);
        if !may_see {
            told.iter_mut().for_each(withhold);
        }
        let mut since = told.split_off(findings.len()).into_iter();
        let of = findings.iter().zip(told).zip(who).map(|((finding, settings), changed_by)| Explained {
            settings,
            since_accepted: Asked::of_accepted(finding).and_then(|_| since.next()),
            changed_by,
        });
        Ok(Explanations { of: of.collect(), names })
    }

    /// The names of what the facts of findings name by ids.
    async fn names_in_facts(&self, tenant: TenantId, findings: &[Finding]) -> Result<KnownNames, EngineError> {
        let evidence =
            findings.iter().flat_map(|finding| [Some(&finding.evidence), finding.accepted_evidence.as_ref()]);
        let facts: Vec<_> = evidence.flatten().flat_map(|evidence| &evidence.facts).collect();
        if facts.is_empty() {
            return Ok(KnownNames::default());
        }
        let rows = facts.iter().flat_map(|fact| [&fact.old, &fact.new]).filter_map(rows_of).flatten();
        let ids: BTreeSet<String> = rows.map(|row| row.id).collect();
        let ids: Vec<String> = ids.into_iter().collect();
        Ok(inventory::known_names(self.reader(), tenant, &ids).await?)
    }

    async fn who_changed(&self, tenant: TenantId, findings: &[Finding]) -> Result<Vec<Attribution>, EngineError> {
        let db = self.reader();
        let Some(known) = tenants::get(db, tenant).await? else { return Err(EngineError::NotFound("the tenant")) };
        let spans = self.spans(tenant, findings).await?;
        let mut coverage: HashMap<AuditSource, Coverage> = HashMap::new();
        for state in audit_events::sources(db, tenant).await? {
            coverage.insert(state.source, state.coverage());
        }
        let mut answers = Vec::with_capacity(findings.len());
        for (findings, spans) in findings.chunks(OBJECTS_AT_ONCE).zip(spans.chunks(OBJECTS_AT_ONCE)) {
            let events = self.events(tenant, findings, spans).await?;
            for (finding, span) in findings.iter().zip(spans) {
                let source = registry().get(&finding.subject_type).and_then(AuditSource::of);
                let external_id = finding.subject_external_id.as_str();
                let subject = Subject { external_id, source, own_application: &known.client_id };
                let covered = source.and_then(|source| coverage.get(&source)).cloned().unwrap_or_default();
                let alone;
                let events = match &events {
                    Some(events) => events,
                    None => {
                        alone = audit_events::of_object(db, tenant, external_id, *span).await?;
                        &alone
                    }
                };
                answers.push(who_changed(subject, *span, events, &covered));
            }
        }
        Ok(answers)
    }

    /// The times between what findings compare: from the beginning of the run of the baseline to the end of the run that told of it
    /// last.
    async fn spans(&self, tenant: TenantId, findings: &[Finding]) -> Result<Vec<Span>, EngineError> {
        let ids: BTreeSet<SyncRunId> =
            findings.iter().flat_map(|finding| [finding.baseline_run_id, finding.current_run_id]).collect();
        let mut runs = HashMap::new();
        for id in ids {
            if let Some(run) = sync_runs::get(self.reader(), tenant, id).await? {
                runs.insert(id, run);
            }
        }
        let span = |finding: &Finding| Span {
            from: runs.get(&finding.baseline_run_id).map_or(finding.created_at, |run| run.started_at),
            to: runs.get(&finding.current_run_id).and_then(|run| run.finished_at).unwrap_or(finding.updated_at),
        };
        Ok(findings.iter().map(span).collect())
    }

    /// The events that name the objects; `None` where there are too many to be read at once.
    async fn events(
        &self,
        tenant: TenantId,
        findings: &[Finding],
        spans: &[Span],
    ) -> Result<Option<Vec<AuditFacts>>, EngineError> {
        let (from, to) = (spans.iter().map(|span| span.from).min(), spans.iter().map(|span| span.to).max());
        let Some((from, to)) = from.zip(to) else { return Ok(Some(Vec::new())) };
        let mut ids: Vec<String> = findings.iter().map(|finding| finding.subject_external_id.clone()).collect();
        ids.sort_unstable();
        ids.dedup();
        let events = audit_events::of_objects(self.reader(), tenant, &ids, Span { from, to }, MOST_EVENTS).await?;
        Ok((events.len() < MOST_EVENTS as usize).then_some(events))
    }

    async fn settings_told(
        &self,
        tenant: TenantId,
        asked: &[Asked<'_>],
    ) -> Result<(Vec<SettingsTold>, KnownNames), EngineError> {
        let contents: BTreeSet<ContentHash> = asked
            .iter()
            .filter(|one| one.is_concerned)
            .take(MOST_TOLD)
            .flat_map(|one| [one.before, one.now])
            .flatten()
            .collect();
        let contents: Vec<ContentHash> = contents.into_iter().collect();
        let known = policies::versions_at(self.reader(), tenant, &contents).await?;
        let mut left = MOST_TOLD;
        let sides: Vec<Sides> = asked
            .iter()
            .map(|one| match one.is_concerned {
                false => Sides::NotConcerned,
                true if left == 0 => Sides::NotAsked,
                true => {
                    left -= 1;
                    sides(one, &known)
                }
            })
            .collect();
        self.opened_sides(tenant, asked, sides).await
    }

    async fn opened_sides(
        &self,
        tenant: TenantId,
        asked: &[Asked<'_>],
        sides: Vec<Sides>,
    ) -> Result<(Vec<SettingsTold>, KnownNames), EngineError> {
        let Some(key) = TenantKey::open(self.reader(), &self.core.commands.vault, tenant).await? else {
            let nothing = |side: Sides| match side {
                Sides::Pair { .. } => SettingsTold::NotKept { before: false, now: false },
                side => side.told(),
            };
            return Ok((sides.into_iter().map(nothing).collect(), KnownNames::default()));
        };
        let mut opening = Vec::new();
        for (place, (one, side)) in asked.iter().zip(&sides).enumerate() {
            if let Sides::Pair { from, to } = side {
                opening.push(self.open_pair(&key, tenant, one.finding, (*from, *to), place).boxed());
            }
        }
        let opened = stream::iter(opening);
        let mut opened: Vec<_> = opened.buffered(AT_ONCE).try_collect().await?;
        let mut all: Vec<&mut _> = opened.iter_mut().flat_map(|(_, old, new)| [&mut old.1, &mut new.1]).collect();
        let names = self.name(tenant, &mut all).await?;
        let mut told: Vec<SettingsTold> = sides.into_iter().map(Sides::told).collect();
        for (place, (from, old), (to, new)) in opened {
            let lacks = (from.lacks.clone(), to.lacks.clone());
            let found = difference((&old, &lacks.0), (&new, &lacks.1));
            let changed = found.changes().count();
            let assignments = found.changed_assignments().cloned().collect();
            told[place] = SettingsTold::Told {
                from: from.number,
                to: to.number,
                more: changed.saturating_sub(MOST_ROWS),
                not_comparable: found.not_comparable.len(),
                assignments,
                rows: found.rows.into_iter().filter(|row| row.change.is_some()).take(MOST_ROWS).collect(),
            };
        }
        Ok((told, names))
    }

    /// The settings of both versions of a finding, with its place.
    async fn open_pair(
        &self,
        key: &TenantKey,
        tenant: TenantId,
        finding: &Finding,
        (from, to): (u64, u64),
        place: usize,
    ) -> Result<OpenPair, EngineError> {
        let policy = (finding.subject_type.as_str(), finding.subject_external_id.as_str());
        let old = self.settings_with(key, tenant, policy, from).await?;
        let new = self.settings_with(key, tenant, policy, to).await?;
        Ok((place, old, new))
    }
}

/// The place of a finding, and both of its versions with their settings.
type OpenPair = (usize, (Version, Settings), (Version, Settings));

/// The versions of both sides of a finding.
enum Sides {
    NotConcerned,
    NotAsked,
    NotKept { before: bool, now: bool },
    Same { version: u64 },
    Pair { from: u64, to: u64 },
}

impl Sides {
    /// What is told where no body is opened.
    fn told(self) -> SettingsTold {
        match self {
            Self::NotConcerned => SettingsTold::NotConcerned,
            Self::NotAsked | Self::Pair { .. } => SettingsTold::NotAsked,
            Self::NotKept { before, now } => SettingsTold::NotKept { before, now },
            Self::Same { version } => SettingsTold::Same { version },
        }
    }
}

/// Two contents of the object of a finding whose difference is to be told.
struct Asked<'a> {
    finding: &'a Finding,
    before: Option<ContentHash>,
    now: Option<ContentHash>,
    is_concerned: bool,
}

impl<'a> Asked<'a> {
    /// As of the baseline, and now. Settings or assignments of the object may be what changed, or neither.
    fn of_baseline(finding: &'a Finding) -> Self {
        let evidence = &finding.evidence;
        let is_concerned = matches!(finding.kind, ChangeKind::Modified | ChangeKind::Reassigned);
        Self { finding, before: evidence.content_before, now: evidence.content_now, is_concerned }
    }

    /// As it was accepted, and now: of a finding that is new again since another value is there.
    fn of_accepted(finding: &'a Finding) -> Option<Self> {
        let accepted = finding.accepted_evidence.as_ref()?;
        let is_other = finding.reopened == Some(Reopened::OtherValue) && finding.resolved_at.is_none();
        let (before, now) = (accepted.content_now, finding.evidence.content_now);
        let is_concerned = finding.kind != ChangeKind::Renamed && before.is_some() && now.is_some();
        is_other.then_some(Self { finding, before, now, is_concerned })
    }
}

/// The latest version that was found at the content of now, and the latest one before it at that of the baseline. An object that
/// changed between the sync and the capture behind it has a version of now at the content of before as well.
fn sides(asked: &Asked<'_>, known: &[VersionAt]) -> Sides {
    let at = |content: Option<ContentHash>| {
        known.iter().filter(move |one| {
            Some(one.item_hash) == content
                && one.policy_type == asked.finding.subject_type
                && one.external_id == asked.finding.subject_external_id
        })
    };
    let now = at(asked.now).map(|one| one.number).max();
    let before: Vec<u64> = at(asked.before).map(|one| one.number).collect();
    let Some(to) = now else { return Sides::NotKept { before: !before.is_empty(), now: false } };
    match before.iter().copied().filter(|from| *from < to).max() {
        Some(from) => Sides::Pair { from, to },
        None if before.contains(&to) => Sides::Same { version: to },
        None => Sides::NotKept { before: false, now: true },
    }
}

/// Leaves the values out.
fn withhold(told: &mut SettingsTold) {
    if let SettingsTold::Told { rows, .. } = told {
        for row in rows {
            (row.old, row.new) = (None, None);
        }
    }
}
