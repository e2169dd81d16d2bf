//! The names of groups that items are assigned to, looked up when everything was read. Names make the inventory
//! readable; without them it is still true, so a failure here never fails a run.

use std::collections::HashMap;

use serde_json::{Value, json};
use tenantatlas_domain::ids::TenantId;
use tenantatlas_domain::path_segment::path_segment;
use tenantatlas_domain::references::{TargetKind, Unnamed};
use tenantatlas_domain::time::Timestamp;
use tenantatlas_graph::{BatchGet, GraphError, GraphSession, GraphVersion};
use tenantatlas_store::inventory::{DirectoryName, record_names, targets_without_name};
use tenantatlas_store::operation_runs::{self, Fence};
use tenantatlas_store::{Db, StoreError};

use crate::graph_reads::below;

/// Ids in one `getByIds`, as documented.
const IDS_PER_REQUEST: u32 = 1_000;
/// Groups looked up in one run at most.
const MAX_GROUPS: usize = 50_000;
/// So many groups, all refused, mean that the directory is closed to the application.
const CLOSED: usize = 20;
/// Longest name kept, in characters.
const MAX_NAME: usize = 256;

/// Looks up the names of all groups that links of the tenant point to and that were not looked up since `since`.
pub(crate) async fn look_up(
    session: &GraphSession,
    db: &Db,
    tenant: TenantId,
    fence: &Fence,
    since: Timestamp,
) -> Result<(), StoreError> {
    let mut after = String::new();
    let mut looked_up = 0;
    let mut together = true;
    while looked_up < MAX_GROUPS {
        let ids = targets_without_name(db, tenant, TargetKind::Group, since, &after, IDS_PER_REQUEST).await?;
        let Some(last) = ids.last() else { return Ok(()) };
        after.clone_from(last);
        looked_up += ids.len();
        let session = &session.on_workbench();
        let mut names = if together { all_at_once(session, &ids).await } else { Ok(HashMap::new()) };
        if let Err(error) = &names {
            tracing::info!(%error, "group names cannot be looked up together");
            together = false;
            names = Ok(HashMap::new());
        }
        let mut names: HashMap<String, Name> = names.unwrap_or_default();
        // Whoever did not come along is asked for by itself: it may be gone, or closed to the application.
        let rest: Vec<&String> = ids.iter().filter(|id| !names.contains_key(&id.to_lowercase())).collect();
        let closed = match one_by_one(session, &rest, &mut names).await {
            Ok(closed) => closed,
            Err(error) => {
                tracing::info!(%error, "group names cannot be looked up");
                return Ok(());
            }
        };
        let name = |id: String| {
            let display_name = names.remove(&id.to_lowercase())?;
            Some(DirectoryName { external_id: id, kind: TargetKind::Group, display_name })
        };
        let names: Vec<DirectoryName> = ids.into_iter().filter_map(name).collect();
        let mut tx = db.write().await?;
        operation_runs::hold(&mut tx, fence).await?;
        record_names(&mut tx, tenant, &names, since).await?;
        tx.commit().await?;
        if closed {
            tracing::info!("no group of a thousand may be read; the others are not asked for");
            return Ok(());
        }
    }
    Ok(())
}

/// A name, or why there is none.
type Name = Result<String, Unnamed>;

/// By `directoryObjects/getByIds`, a thousand to a request. It leaves out who does not exist, and who may not be read.
async fn all_at_once(session: &GraphSession, ids: &[String]) -> Result<HashMap<String, Name>, GraphError> {
    let body = json!({ "ids": ids, "types": ["group"] });
    let answer =
        session.post_read(GraphVersion::V1, "directoryObjects/getByIds?$select=id,displayName", &body).await?.json()?;
    let rows = below::whole_collection(session, answer).await?;
    let named = rows.as_array().into_iter().flatten().filter_map(|group| {
        let id = group.get("id")?.as_str()?.to_lowercase();
        Some((id, name_of(group)))
    });
    Ok(named.collect())
}

/// By `$batch`, each for itself: one that may not be read costs no other its name. What failed for another reason is left
/// out, and asked for again by the next run. Tells whether nobody has a name and every one was refused.
async fn one_by_one(
    session: &GraphSession,
    ids: &[&String],
    names: &mut HashMap<String, Name>,
) -> Result<bool, GraphError> {
    let gets = ids.iter().map(|id| {
        let url = format!("groups/{}?$select=id,displayName", path_segment(id));
        BatchGet { id: (*id).clone(), url }
    });
    let (nobody_yet, mut refused) = (names.is_empty(), 0);
    for answer in session.batch(GraphVersion::V1, gets.collect()).await? {
        let name = match answer.result {
            Ok(group) => name_of(&group),
            Err(error) if error.absent => Err(Unnamed::Gone),
            Err(error) if error.status == Some(403) => {
                refused += 1;
                Err(Unnamed::Refused)
            }
            Err(error) => {
                tracing::debug!(%error, "the name of a group is not known");
                continue;
            }
        };
        names.insert(answer.id.to_lowercase(), name);
    }
    Ok(nobody_yet && refused >= ids.len().max(CLOSED))
}

/// The name of a group. Graph gives null for a property that the application may not read.
fn name_of(group: &Value) -> Name {
    let name = group.get("displayName").and_then(Value::as_str).ok_or(Unnamed::Refused)?;
    Ok(name.chars().take(MAX_NAME).collect())
}
