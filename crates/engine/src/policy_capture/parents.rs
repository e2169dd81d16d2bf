//! Below which objects others stand: these are asked for by the id of their parent, which the lists of parents tell.

use std::collections::HashMap;

use futures::StreamExt as _;
use serde::Deserialize;
use serde_json::Value;
use tenantatlas_domain::ids::TenantId;
use tenantatlas_domain::path_segment::path_segment;
use tenantatlas_domain::reason::ReasonCode;
use tenantatlas_domain::registry::{PolicyType, Source, registry};
use tenantatlas_graph::{BatchGet, GraphError, GraphSession, PageRequest};
use tenantatlas_store::inventory::outgoing;
use tenantatlas_store::{Db, StoreError};

use super::target::{State, Target, Wanted};
use crate::graph_reads::below::whole_collection;
use crate::graph_reads::{version, whole_list};

/// Parents whose children are listed in one go.
const PARENTS_AT_ONCE: usize = 20;

/// What the lists of parents and of their children told.
#[derive(Default)]
pub(super) struct Parents {
    of_children: HashMap<String, String>,
    /// The parents that the list showed.
    listed: Vec<String>,
    /// Why the children of a parent could not be listed, of the first of which they could not.
    refused: Option<GraphError>,
}

/// The parents of the objects of a type that stand below others; nothing for other types. One below which nothing can be listed
/// costs the objects of no other.
///
/// # Errors
/// Why the list of parents could not be read, and what concerns all of them.
pub(super) async fn parents(session: &GraphSession, policy_type: &'static PolicyType) -> Result<Parents, GraphError> {
    let mut found = Parents::default();
    let Source::ChildrenOf { parent_path, parent_query, child_path } = policy_type.source else {
        return Ok(found);
    };
    let request = PageRequest::new(version(policy_type), parent_path).query(parent_query);
    let mut pages = whole_list(session, request).await?;
    while let Some(page) = pages.next().await {
        let listed: Vec<String> = page?.items().filter_map(parent_id).collect();
        for chunk in listed.chunks(PARENTS_AT_ONCE) {
            let workbench = session.on_workbench();
            let get = |parent: &String| BatchGet {
                id: parent.clone(),
                url: format!("{parent_path}/{}/{child_path}", path_segment(parent)),
            };
            for answer in workbench.batch(version(policy_type), chunk.iter().map(get).collect()).await? {
                let rows = match answer.result {
                    Ok(body) => whole_collection(&workbench, body).await,
                    Err(error) => Err(error),
                };
                match rows {
                    Ok(rows) => found.add(policy_type, &rows, &answer.id),
                    Err(error) if error.absent && policy_type.absent_is_empty => {}
                    Err(error) if error.concerns_all() && !error.by_graph => return Err(error),
                    Err(error) => {
                        found.refused.get_or_insert(error);
                    }
                }
            }
        }
        found.listed.extend(listed);
    }
    Ok(found)
}

impl Parents {
    fn add(&mut self, policy_type: &PolicyType, rows: &Value, parent: &str) {
        let ids = rows.as_array().into_iter().flatten();
        let ids = ids.filter_map(|row| row.get(policy_type.id_property).and_then(Value::as_str));
        self.of_children.extend(ids.map(|id| (id.to_owned(), parent.to_owned())));
    }

    /// Notes of an object below which parent it is asked for: the one that lists it, else the one of which the inventory knows,
    /// else the only one that there is. That no list shows it is no word of Graph on the object itself.
    ///
    /// # Errors
    /// When the database fails.
    pub(super) async fn place(
        &self,
        db: &Db,
        tenant: TenantId,
        policy_type: &'static PolicyType,
        wanted: &mut Wanted,
    ) -> Result<(), StoreError> {
        let Source::ChildrenOf { parent_path, .. } = policy_type.source else { return Ok(()) };
        wanted.parent = self.of_children.get(&wanted.external_id).cloned();
        if wanted.parent.is_some() {
            return Ok(());
        }
        let is_parent = |key: &str| {
            let source = registry().get(key).map(|known| &known.source);
            matches!(source, Some(Source::Collection { path }) if *path == parent_path)
        };
        let links = outgoing(db, tenant, wanted.item_id).await?;
        let known = links.into_iter().find(|link| link.target_policy_type.as_deref().is_some_and(is_parent));
        let only = match self.listed.as_slice() {
            [only] => Some(only.clone()),
            _ => None,
        };
        wanted.parent = known.map(|link| link.target_external_id).or(only);
        if wanted.parent.is_none() {
            wanted.unplaced = Some(self.refused.clone().unwrap_or_else(|| {
                let message = "no list shows below which object it stands, so that it could not be asked for";
                GraphError::new(ReasonCode::ContractInvalid, message)
            }));
        }
        Ok(())
    }
}

/// An object of which nobody knows below which parent it stands was not read.
pub(super) fn unplaced(target: &mut Target) {
    if let Some(error) = target.wanted.unplaced.clone() {
        target.state = State::Failed(error);
    }
}

/// The id of a parent, without making a value of all of it.
fn parent_id(text: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct Parent {
        id: String,
    }
    serde_json::from_str::<Parent>(text).ok().map(|parent| parent.id).filter(|id| !id.is_empty())
}
