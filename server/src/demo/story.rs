//! What happens in one tenant of the demo while it is started for the first time, so that there is something to be found: time
//! passes in its cloud, somebody accepts a finding, and what was accepted is edited again. All of it is read by real syncs,
//! captures and readings of the audit logs; nothing is inserted.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use tenantatlas_app::format::counted;
use tenantatlas_domain::drift::{ChangeKind, FindingStatus};
use tenantatlas_domain::ids::{OperationRunId, TenantId};
use tenantatlas_domain::registry::registry;
use tenantatlas_domain::selection::Selection;
use tenantatlas_engine::{Actor, Engine};
use tenantatlas_graph_sim::{SimTenant, Simulator, Step};
use tenantatlas_store::findings::{self, Finding, FindingFilter};
use tenantatlas_store::operation_runs::{self, Filter};
use tenantatlas_store::tenants::AfterSync;
use tenantatlas_store::{scopes, users};
use tokio_util::sync::CancellationToken;

use crate::exit::{Exit, ExitCode};
use crate::say::say;

/// Who accepts findings.
const OPERATOR: &str = "operator@demo.example";
/// The type of which a finding is accepted and edited again.
const EDITED: &str = "settingsCatalogPolicy";
/// Findings among which those that are accepted are looked for.
const LOOKED_AT: u32 = 200;

/// How far the story has come, as it stands in a file beside the database of the demo.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Told {
    /// Chapters that are at their end.
    chapters: u32,
    /// What happened in the cloud, which forgets it when the process ends.
    steps: Vec<Step>,
}

/// The story of one tenant.
pub(super) struct Story {
    path: PathBuf,
    tenant: TenantId,
    simulated: SimTenant,
    chapters: u32,
}

impl Story {
    /// Brings the cloud to where it was when the process ended, and says what follows each sync of the tenant when it is read for the
    /// first time.
    ///
    /// # Errors
    /// When the file cannot be read, or the database fails.
    pub(super) async fn open(
        engine: &Engine,
        cloud: &Simulator,
        path: PathBuf,
        simulated: &SimTenant,
        tenant: TenantId,
    ) -> Result<Self, Exit> {
        let told = read(&path)?;
        let is_new = told.is_none() && scopes::list(engine.reader(), tenant).await?.is_empty();
        // One that was read before there was a story has none: its cloud was never moved on.
        let chapters = match &told {
            Some(told) => told.chapters,
            None if is_new => 0,
            None => CHAPTERS,
        };
        if is_new {
            let wanted = AfterSync { drift: true, capture: true, audit_events: true };
            engine.set_after_sync(&Actor::command_line(), tenant, wanted).await?;
        }
        cloud.control().replay(&simulated.tenant_id, &told.unwrap_or_default().steps);
        Ok(Self { path, tenant, simulated: simulated.clone(), chapters })
    }

    /// Tells what was not told yet, until the process is to stop.
    ///
    /// # Errors
    /// When the file cannot be written, or the database fails.
    pub(super) async fn tell(
        &self,
        engine: &Engine,
        cloud: &Simulator,
        stopping: &CancellationToken,
    ) -> Result<(), Exit> {
        if self.chapters >= CHAPTERS {
            return Ok(());
        }
        say(&format!("\n  {} moves on, for there to be findings:", self.simulated.name));
        tokio::select! {
            () = stopping.cancelled() => Ok(()),
            told = self.go_on(engine, cloud) => told,
        }
    }

    async fn go_on(&self, engine: &Engine, cloud: &Simulator) -> Result<(), Exit> {
        self.settle(engine).await?;
        if self.chapters < 1 {
            engine.refresh_setting_catalog(&Actor::command_line(), self.tenant).await?;
            self.settle(engine).await?;
            cloud.control().evolve(&self.simulated.tenant_id, 1);
            self.remember(cloud, 0)?;
            self.sync(engine).await?;
            let accepted = self.accept(engine).await?;
            self.remember(cloud, 1)?;
            say(&format!("    people changed policies; {} accepted", counted(accepted, "finding is", "findings are")));
        }
        if self.chapters < 2 {
            let accepted = self.found(engine, FindingStatus::Acknowledged).await?;
            if let Some(finding) = accepted.iter().find(|finding| is_edited(finding)) {
                cloud.control().edit(&self.simulated.tenant_id, &finding.subject_type, &finding.subject_external_id);
            }
            self.remember(cloud, 1)?;
            self.sync(engine).await?;
            self.remember(cloud, CHAPTERS)?;
            say("    what was accepted was changed again");
        }
        Ok(())
    }

    fn remember(&self, cloud: &Simulator, chapters: u32) -> Result<(), Exit> {
        let told = Told { chapters, steps: cloud.control().history(&self.simulated.tenant_id) };
        write(&self.path, &told)
            .map_err(|error| Exit::new(ExitCode::CannotWrite, format!("cannot write {}: {error}", self.path.display())))
    }

    /// Reads the tenant, and waits for what follows.
    async fn sync(&self, engine: &Engine) -> Result<(), Exit> {
        let selection = Selection::full(registry());
        engine.dispatch_sync(&Actor::command_line(), self.tenant, &selection).await?;
        self.settle(engine).await
    }

    /// Waits until nothing is under way in the tenant.
    async fn settle(&self, engine: &Engine) -> Result<(), Exit> {
        loop {
            let filter = Filter { tenant_id: Some(self.tenant), limit: 20, ..Filter::default() };
            let runs = operation_runs::list(engine.reader(), &filter).await?;
            let Some(active) = runs.iter().find(|run| !run.status.is_terminal()) else { return Ok(()) };
            self.ended(engine, active.id).await?;
        }
    }

    async fn ended(&self, engine: &Engine, run: OperationRunId) -> Result<(), Exit> {
        let mut states = std::pin::pin!(engine.runs().follow(self.tenant, run));
        while let Some(state) = futures::StreamExt::next(&mut states).await {
            if state?.status.is_terminal() {
                break;
            }
        }
        Ok(())
    }

    /// The findings of a status.
    async fn found(&self, engine: &Engine, status: FindingStatus) -> Result<Vec<Finding>, Exit> {
        let Some(scope) = scopes::main_of(engine.reader(), self.tenant).await? else { return Ok(Vec::new()) };
        let key = scope.selection_hash.to_string();
        let filter = FindingFilter { status: Some(status), ..FindingFilter::default() };
        let place = (None, LOOKED_AT);
        Ok(findings::list(engine.reader(), self.tenant, &key, &filter, place, engine.now()).await?.findings)
    }

    /// Lets the operator accept an edited policy, which will be edited again, and an object that came; answers how many that were.
    async fn accept(&self, engine: &Engine) -> Result<u64, Exit> {
        let new = self.found(engine, FindingStatus::New).await?;
        let came = new.iter().find(|finding| finding.kind == ChangeKind::Added);
        let ids: Vec<_> =
            new.iter().find(|finding| is_edited(finding)).into_iter().chain(came).map(|one| one.id).collect();
        let Some(operator) = users::find_by_email(engine.reader(), OPERATOR).await?.filter(|_| !ids.is_empty()) else {
            return Ok(0);
        };
        let actor = Actor::person(operator.user.id, operator.user.name, OPERATOR.to_owned());
        let reason = "Agreed with the security team for the pilot group";
        Ok(engine.accept_findings(&actor, self.tenant, &ids, reason, None, "").await?)
    }
}

/// Whether a finding is one of those of which one is accepted and edited again.
fn is_edited(finding: &Finding) -> bool {
    finding.kind == ChangeKind::Modified && finding.subject_type == EDITED
}

/// Chapters of the story.
const CHAPTERS: u32 = 2;

fn read(path: &Path) -> Result<Option<Told>, Exit> {
    let cannot = |error: &dyn std::fmt::Display| {
        let words = format!("cannot read {}: {error}; remove it to let the demo begin anew", path.display());
        Exit::new(ExitCode::CannotWrite, words)
    };
    match std::fs::read(path) {
        Ok(text) => serde_json::from_slice(&text).map(Some).map_err(|error| cannot(&error)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(cannot(&error)),
    }
}

/// Writes it whole or not at all.
fn write(path: &Path, told: &Told) -> std::io::Result<()> {
    let beside = path.with_extension("json.new");
    let mut file = std::fs::File::create(&beside)?;
    file.write_all(&serde_json::to_vec(told)?)?;
    file.sync_all()?;
    std::fs::rename(beside, path)
}
