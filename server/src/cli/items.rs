//! `tenantatlas items`

use super::{
    arguments::{ItemsArguments, StateArgument},
    output::{Output, visible, written},
};
use crate::{exit::Exit, open, settings::Settings};
use futures::{StreamExt as _, TryStreamExt as _};
use serde_json::{Value, json};
use std::{
    io::{self, BufWriter, Write as _},
    pin::pin,
};
use tenantatlas_domain::registry::registry;
use tenantatlas_engine::{Clock as _, SystemClock};
use tenantatlas_store::{
    Reader,
    inventory::{self, ItemFilter, ItemQuery, ItemRow, ScopeView, StateFilter},
    sync_runs,
};

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
    let filter = ItemFilter {
        changed_since,
        policy_types,
        search: arguments.search.clone(),
        state: arguments.state.map(|state| match state {
            StateArgument::Present => StateFilter::Present,
            StateArgument::Missing => StateFilter::Missing,
            StateArgument::NotRead => StateFilter::NotRead,
        }),
        ..ItemFilter::default()
    };
    let query = ItemQuery { filter, ..ItemQuery::default() };
    let limit = arguments.limit.map_or(usize::MAX, |limit| usize::try_from(limit).unwrap_or(usize::MAX));
    let mut rows = pin!(inventory::export(db.clone(), view, query).take(limit));

    let mut stream = BufWriter::with_capacity(1 << 16, io::stdout().lock());
    let mut count = 0_u64;
    if output.json {
        written(stream.write_all(b"["))?;
    }
    while let Some(row) = rows.try_next().await? {
        if output.json {
            let separator: &[u8] = if count == 0 { b"\n" } else { b",\n" };
            written(stream.write_all(separator))?;
            written(serde_json::to_writer(&mut stream, &document(&row)).map_err(io::Error::from))?;
        } else {
            if count == 0 {
                written(writeln!(stream, "{:9} {:28} {:48} {:24} ID", "STATE", "TYPE", "NAME", "LAST SEEN"))?;
            }
            written(writeln!(
                stream,
                "{:9} {:28} {:48} {:24} {}",
                row.state(),
                visible(&row.item.policy_type),
                visible(&row.item.display_name),
                row.item.last_seen_at.to_rfc3339(),
                visible(&row.item.external_id)
            ))?;
        }
        count += 1;
    }
    if output.json {
        written(stream.write_all(if count == 0 { b"]\n" } else { b"\n]\n" }))?;
    } else if count == 0 {
        written(writeln!(
            stream,
            "No items found. Has the tenant been read? tenantatlas sync --tenant \"{}\"",
            visible(&tenant.name)
        ))?;
    }
    written(stream.flush())
}

fn document(row: &ItemRow) -> Value {
    let item = &row.item;
    let mut document = json!({
        "id": item.id, "policy_type": item.policy_type, "external_id": item.external_id,
        "display_name": item.display_name, "category": item.category, "platform": item.platform, "meta": item.meta,
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
