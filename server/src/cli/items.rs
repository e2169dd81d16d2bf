//! `tenantatlas items`

use std::io::{self, BufWriter, Write};
use std::pin::pin;

use futures::{Stream, StreamExt as _, TryStreamExt as _};
use serde_json::{Value, json};
use tenantatlas_app::inventory::assigned::assigned_words;
use tenantatlas_domain::ids::TenantId;
use tenantatlas_domain::references::Assigned;
use tenantatlas_domain::registry::registry;
use tenantatlas_engine::{Clock as _, SystemClock};
use tenantatlas_store::inventory::{self, Group, ItemFilter, ItemQuery, ItemRow, NotRead, ScopeView, StateFilter};
use tenantatlas_store::{Reader, StoreError, sync_runs};

use super::arguments::{ItemsArguments, StateArgument};
use super::output::{Output, visible, written};
use crate::exit::Exit;
use crate::open;
use crate::settings::Settings;

/// Groups that are looked at for one of a name, at most.
const MAX_NAMED: u32 = 100;
/// The state of a type that was not read to the end.
const NOT_READ: &str = "not_read";

/// Lists the inventory of a tenant, relative to the latest completed run. Streams, so that any number of items fits.
///
/// # Errors
/// When tenant or type are unknown (exit code 64), or the database fails.
pub async fn run(settings: &Settings, arguments: &ItemsArguments, output: Output) -> Result<(), Exit> {
    let db = Reader::from(open::database(settings).await?);
    let tenant = open::tenant(&db, &arguments.tenant).await?;
    let policy_types = arguments.policy_type.iter().cloned().collect::<Vec<_>>();
    if let Some(unknown) = policy_types.iter().find(|key| registry().get(key).is_none()) {
        return Err(Exit::usage(format!("there is no policy type \"{unknown}\": `tenantatlas types` lists them")));
    }
    let view = ScopeView::load(&db, tenant.id, None).await?;
    let changed_since = match arguments.changed_since {
        Some(since) => {
            let moment = sync_runs::moment_of(&db, tenant.id, since, SystemClock.now()).await?;
            Some(moment.ok_or_else(|| Exit::usage(format!("{since} names no sync run of the tenant that has ended")))?)
        }
        None => None,
    };
    let assigned = match &arguments.assigned {
        Some(group) => Some(assigned(&db, tenant.id, group).await?),
        None => None,
    };
    let filter = ItemFilter {
        changed_since,
        policy_types,
        assigned,
        search: arguments.search.clone(),
        state: arguments.state.map(|state| match state {
            StateArgument::Present => StateFilter::Present,
            StateArgument::Missing => StateFilter::Missing,
            StateArgument::NotRead => StateFilter::NotRead,
        }),
        ..ItemFilter::default()
    };
    let not_read = view.not_read(&filter);
    let query = ItemQuery { filter, ..ItemQuery::default() };
    let limit = arguments.limit.map_or(usize::MAX, |limit| usize::try_from(limit).unwrap_or(usize::MAX));
    let rows = inventory::export(db.clone(), view, query).take(limit);
    let mut stream = BufWriter::with_capacity(1 << 16, io::stdout().lock());
    if output.json {
        print_json(&mut stream, rows, &not_read).await?;
    } else {
        print_text(&mut stream, rows, &not_read, &tenant.name).await?;
    }
    written(stream.flush())
}

/// Whom an argument names: by id, by a word, or by the name of a group, which must be one alone.
async fn assigned(db: &Reader, tenant: TenantId, group: &str) -> Result<Assigned, Exit> {
    let unknown = match group.parse() {
        Ok(assigned) => return Ok(assigned),
        Err(error) => error,
    };
    let found = inventory::groups_named(db, tenant, group, MAX_NAMED).await?;
    let is_name =
        |one: &Group| one.display_name.as_deref().is_some_and(|name| name.trim().eq_ignore_ascii_case(group.trim()));
    let mut named = found.iter().filter(|one| is_name(one)).filter_map(|one| one.external_id.parse().ok());
    match (named.next(), named.next()) {
        (Some(one), None) => Ok(one),
        (Some(_), Some(_)) => {
            Err(Exit::usage(format!("several groups are called \"{group}\": name one of them by its id")))
        }
        (None, _) => Err(Exit::usage(format!("no item is assigned to a group of this name: {unknown}"))),
    }
}

/// `{"not_read": […], "items": […]}`, item by item.
async fn print_json(
    stream: &mut impl Write,
    rows: impl Stream<Item = Result<ItemRow, StoreError>>,
    not_read: &[NotRead],
) -> Result<(), Exit> {
    let mut rows = pin!(rows);
    written(stream.write_all(b"{\"not_read\":"))?;
    written(serde_json::to_writer(&mut *stream, not_read).map_err(io::Error::from))?;
    written(stream.write_all(b",\n\"items\":["))?;
    let mut separator: &[u8] = b"\n";
    while let Some(row) = rows.try_next().await? {
        written(stream.write_all(separator))?;
        written(serde_json::to_writer(&mut *stream, &document(&row)).map_err(io::Error::from))?;
        separator = b",\n";
    }
    written(stream.write_all(b"\n]}\n"))
}

async fn print_text(
    stream: &mut impl Write,
    rows: impl Stream<Item = Result<ItemRow, StoreError>>,
    not_read: &[NotRead],
    tenant: &str,
) -> Result<(), Exit> {
    let mut rows = pin!(rows);
    let mut count = 0_u64;
    while let Some(row) = rows.try_next().await? {
        if count == 0 {
            written(writeln!(
                stream,
                "{:9} {:28} {:48} {:24} {:36} ASSIGNED TO",
                "STATE", "TYPE", "NAME", "LAST SEEN", "ID"
            ))?;
        }
        written(writeln!(
            stream,
            "{:9} {:28} {:48} {:24} {:36} {}",
            row.state(),
            visible(&row.item.policy_type),
            visible(&row.item.display_name),
            row.item.last_seen_at.to_rfc3339(),
            visible(&row.item.external_id),
            visible(&assigned_words(&row).unwrap_or_default()),
        ))?;
        count += 1;
    }
    if count == 0 {
        let hint = format!("No item fits. Has the tenant been read? tenantatlas sync --tenant \"{}\"", visible(tenant));
        written(writeln!(stream, "{hint}"))?;
    }
    if not_read.is_empty() {
        return Ok(());
    }
    written(writeln!(stream, "\nNot read to the end, so that items may be lacking above:"))?;
    for one in not_read {
        written(writeln!(stream, "{:9} {:28} {}", NOT_READ, visible(&one.policy_type), visible(&one.reason)))?;
    }
    Ok(())
}

fn document(row: &ItemRow) -> Value {
    let item = &row.item;
    let mut document = json!({
        "id": item.id, "policy_type": item.policy_type, "external_id": item.external_id,
        "display_name": item.display_name, "category": item.category, "platform": item.platform, "meta": item.meta,
        "assigned": item.assigned, "assignments": row.assignments,
        "content_hash": item.content_hash.to_string(), "first_seen_at": item.first_seen_at.to_rfc3339(),
        "last_seen_at": item.last_seen_at.to_rfc3339(), "last_seen_run_id": item.last_seen_run_id,
        "changed_in_last_run": row.changed_in_last_run, "state": row.state(),
    });
    // What belongs to the state: confidence, or the reason and the last full read.
    if let (Value::Object(document), Ok(Value::Object(presence))) = (&mut document, serde_json::to_value(row.presence))
        && !row.newer_than_scope
    {
        document.extend(presence);
    }
    document
}

#[cfg(test)]
mod tests {
    use super::*;
    use tenantatlas_domain::presence::{Confidence, Presence};
    use tenantatlas_store::inventory::Item;

    fn missing(newer_than_scope: bool) -> ItemRow {
        ItemRow {
            item: Item::example("1", "Office"),
            presence: Presence::Missing { confidence: Confidence::High },
            assignments: Vec::new(),
            changed_in_last_run: false,
            newer_than_scope,
        }
    }

    #[test]
    fn what_another_selection_has_just_discovered_is_newer_and_not_missing() {
        let (newer, gone) = (missing(true), missing(false));
        assert_eq!((newer.state(), gone.state()), ("newer", "missing"));
        let (newer, gone) = (document(&newer), document(&gone));
        assert_eq!((&newer["state"], newer.get("confidence")), (&json!("newer"), None));
        assert_eq!((&gone["state"], &gone["confidence"]), (&json!("missing"), &json!("high")));
    }
}
