//! Whom `--assigned-to` names.

use serde_json::{Value, json};
use tenantatlas_app::inventory::group_hits::assigned_label;
use tenantatlas_domain::ids::TenantId;
use tenantatlas_domain::references::{Assigned, TargetKind};
use tenantatlas_store::Reader;
use tenantatlas_store::inventory::{self, Group};

use super::output::visible;
use crate::exit::Exit;

/// Groups that a refusal names, at most.
const MAX_CANDIDATES: u32 = 10;

/// Whom items are asked for by, with what is known of it.
pub(super) struct AssignedTo {
    pub(super) assigned: Assigned,
    group: Option<Group>,
}

impl AssignedTo {
    /// Its name, or the words for it.
    pub(super) fn words(&self) -> String {
        match self.assigned {
            Assigned::Nobody => "nobody".to_owned(),
            Assigned::To(_) => visible(&assigned_label(&self.assigned, self.group.as_ref())).to_string(),
        }
    }

    /// What stands above the items.
    pub(super) fn heading(&self) -> String {
        match self.assigned {
            Assigned::Nobody => "Can be assigned, and is to nobody:".to_owned(),
            Assigned::To(_) if self.assigned.group().is_some() => {
                format!("Assigned directly to {}, whatever groups it is a member of:", self.words())
            }
            Assigned::To(_) => format!("Assigned directly to {}:", self.words()),
        }
    }

    /// The same for programs. `direct` says that no membership was looked at.
    pub(super) fn document(&self) -> Value {
        json!({
            "kind": self.assigned.kind().map_or("nobody", TargetKind::as_str),
            "id": self.assigned.external_id(),
            "name": self.group.as_ref().and_then(|group| group.display_name.as_deref()),
            "direct": true,
        })
    }
}

/// Whom an argument names: by id, by a word, or by the exact name of a group, which must be one alone.
///
/// # Errors
/// Exit code 64 with a sentence that names the candidates, when no group or several have the name; when the database fails.
pub(super) async fn assigned_to(db: &Reader, tenant: TenantId, text: &str) -> Result<AssignedTo, Exit> {
    if let Ok(assigned) = text.trim().parse::<Assigned>() {
        let group = match assigned.group() {
            Some(id) => inventory::group(db, tenant, &id.to_string()).await?,
            None => None,
        };
        return Ok(AssignedTo { assigned, group });
    }
    let called = inventory::groups_called(db, tenant, text, MAX_CANDIDATES + 1).await?;
    let exact: Vec<&Group> = called
        .iter()
        .filter(|one| one.display_name.as_deref().is_some_and(|name| name.trim() == text.trim()))
        .collect();
    let found = match (exact.as_slice(), called.as_slice()) {
        ([one], _) => *one,
        (_, [one]) => one,
        (_, []) => {
            let near = inventory::groups_named(db, tenant, text, MAX_CANDIDATES + 1).await?;
            return Err(Exit::usage(unknown(text, &near)));
        }
        (_, several) => {
            let named = candidates(several);
            return Err(Exit::usage(format!("several groups are called \"{text}\": name one by its id: {named}")));
        }
    };
    match found.external_id.parse() {
        Ok(assigned) => Ok(AssignedTo { assigned, group: Some(found.clone()) }),
        Err(error) => Err(Exit::usage(format!("the group \"{text}\" has no id to look for: {error}"))),
    }
}

fn unknown(text: &str, near: &[Group]) -> String {
    let expected = "expected the id or the exact name of a group that was read, all-users, all-devices or nobody";
    if near.is_empty() {
        return format!("no group that was read is called \"{text}\": {expected}");
    }
    format!("no group that was read is called \"{text}\", but these are near: {}; {expected}", candidates(near))
}

/// `"Pilot" (3f…), "Pilot 2" (8a…) and more`.
fn candidates(groups: &[Group]) -> String {
    let words = groups.iter().take(MAX_CANDIDATES as usize).map(|group| {
        let name = group.display_name.as_deref().unwrap_or_default();
        format!("\"{name}\" ({})", group.external_id)
    });
    let mut words = words.collect::<Vec<_>>().join(", ");
    if groups.len() > MAX_CANDIDATES as usize {
        words.push_str(" and more");
    }
    words
}
