//! What follows a run.

use tenantatlas_domain::ids::OperationRunId;
use tenantatlas_engine::Engine;
use tenantatlas_store::findings::{self, ComparisonRecord};
use tenantatlas_store::operation_runs::{self, Filter};
use tenantatlas_store::tenants::Tenant;

use super::capture::Captured;
use super::output::Output;
use super::progress;
use crate::exit::Exit;

/// What followed a run, when it has ended.
#[derive(Default)]
pub struct Followers {
    /// The comparison.
    pub compared: Option<ComparisonRecord>,
    /// The capture.
    pub captured: Option<Captured>,
}

impl Followers {
    /// Follows what follows a run, one after the other, to the end of the last, so that none of it lies there until the next process
    /// starts.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn of(engine: &Engine, tenant: &Tenant, run: OperationRunId, output: Output) -> Result<Self, Exit> {
        let (mut followers, mut last) = (Self::default(), run);
        loop {
            let filter = Filter { tenant_id: Some(tenant.id), follows: Some(last), limit: 1, ..Filter::default() };
            let Some(next) = operation_runs::list(engine.reader(), &filter).await?.pop() else { return Ok(followers) };
            let begin = engine.runs().state_of(&next);
            last = next.id;
            match (next.resource.as_str(), next.action.as_str()) {
                ("policies", "capture") => {
                    followers.captured = Some(Captured::follow(engine, tenant, &begin, output).await?);
                }
                (resource, _) => {
                    progress::follow(engine, tenant, &begin, output).await?;
                    if resource == "drift" {
                        followers.compared = findings::of_run(engine.reader(), tenant.id, next.id).await?;
                    }
                }
            }
        }
    }
}
