//! The names of groups that items are assigned to, looked up when everything was read. Names make the inventory
//! readable; without them it is still true, so a failure here never fails a run.

use std::collections::HashMap;

use serde_json::{Value, json};
use tenantatlas_domain::ids::TenantId;
use tenantatlas_domain::path_segment::path_segment;
use tenantatlas_domain::references::TargetKind;
use tenantatlas_domain::time::Timestamp;
use tenantatlas_graph::{BatchGet, GraphError, GraphSession, GraphVersion};
use tenantatlas_store::inventory::{DirectoryName, record_names, targets_without_name};
use tenantatlas_store::operation_runs::{self, Fence};
use tenantatlas_store::{Db, StoreError};

/// Ids in one `getByIds`, as documented.
const IDS_PER_REQUEST: u32 = 1_000;
/// Groups looked up in one run at most.
const MAX_GROUPS: usize = 50_000;
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
        let mut found = if together { all_at_once(session, &ids).await } else { one_by_one(session, &ids).await };
        if together && found.is_err() {
            together = false;
            found = one_by_one(session, &ids).await;
        }
        let found = match found {
            Ok(found) => found,
            Err(error) => {
                tracing::info!(%error, "group names cannot be looked up");
                return Ok(());
            }
        };
        let names: Vec<DirectoryName> = ids
            .into_iter()
            .map(|id| {
                let display_name = found.get(&id.to_lowercase()).cloned();
                DirectoryName { external_id: id, kind: TargetKind::Group, display_name }
            })
            .collect();
        let mut tx = db.write().await?;
        operation_runs::hold(&mut tx, fence).await?;
        record_names(&mut tx, tenant, &names, since).await?;
        tx.commit().await?;
    }
    Ok(())
}

/// By `directoryObjects/getByIds`, a thousand to a request.
async fn all_at_once(session: &GraphSession, ids: &[String]) -> Result<HashMap<String, String>, GraphError> {
    let body = json!({ "ids": ids, "types": ["group"] });
    let mut answer =
        session.post_read(GraphVersion::V1, "directoryObjects/getByIds?$select=id,displayName", &body).await?.json()?;
    let rows = answer.get_mut("value").map(Value::take).unwrap_or_default();
    Ok(rows.as_array().into_iter().flatten().filter_map(name_of).collect())
}

/// By `$batch`; a group that is gone has no name.
async fn one_by_one(session: &GraphSession, ids: &[String]) -> Result<HashMap<String, String>, GraphError> {
    let gets = ids
        .iter()
        .map(|id| BatchGet { id: id.clone(), url: format!("groups/{}?$select=id,displayName", path_segment(id)) });
    let mut names = HashMap::new();
    for answer in session.batch(GraphVersion::V1, gets.collect()).await? {
        match answer.result {
            Ok(group) => names.extend(name_of(&group)),
            Err(error) if error.status == Some(404) || error.status == Some(400) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(names)
}

fn name_of(group: &Value) -> Option<(String, String)> {
    let id = group.get("id")?.as_str()?.to_lowercase();
    let name = group.get("displayName")?.as_str()?;
    Some((id, name.chars().take(MAX_NAME).collect()))
}
