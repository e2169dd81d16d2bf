//! `tenantatlas items`

use std::io::{self, BufWriter, Write};
use std::pin::pin;

use futures::{Stream, StreamExt as _, TryStreamExt as _};
use tenantatlas_app::inventory::assigned::assigned_words;
use tenantatlas_app::inventory::changes_note::later_words;
use tenantatlas_app::inventory::load::first_read_later;
use tenantatlas_domain::registry::registry;
use tenantatlas_engine::{Clock as _, SystemClock};
use tenantatlas_store::inventory::{self, FirstRead, ItemFilter, ItemQuery, ItemRow, NotRead, ScopeView, StateFilter};
use tenantatlas_store::{Reader, StoreError, sync_runs};

use super::arguments::{ItemListArguments, ItemsArguments, ItemsCommand, StateArgument};
use super::assigned_to::{AssignedTo, assigned_to};
use super::item_show::show;
use super::output::{Output, visible, written};
use crate::exit::Exit;
use crate::item_document;
use crate::open;
use crate::settings::Settings;

/// The state of a type that was not read to the end.
const NOT_READ: &str = "not_read";

/// Lists the inventory of a tenant, or shows one item of it.
///
/// # Errors
/// When tenant, type or item are unknown (exit code 64), or the database fails.
pub async fn run(settings: &Settings, arguments: &ItemsArguments, output: Output) -> Result<(), Exit> {
    let db = Reader::from(open::database(settings).await?);
    match (&arguments.command, &arguments.list) {
        (Some(ItemsCommand::Show(item)), _) => show(&db, item, output).await,
        (None, Some(arguments)) => list(&db, arguments, output).await,
        (None, None) => Err(Exit::usage("expected --tenant")),
    }
}

/// Lists the inventory of a tenant, relative to the latest completed run. Streams, so that any number of items fits.
///
/// # Errors
/// When tenant or type are unknown (exit code 64), or the database fails.
async fn list(db: &Reader, arguments: &ItemListArguments, output: Output) -> Result<(), Exit> {
    let tenant = open::tenant(db, &arguments.tenant).await?;
    let policy_types = arguments.policy_type.iter().cloned().collect::<Vec<_>>();
    if let Some(unknown) = policy_types.iter().find(|key| registry().get(key).is_none()) {
        return Err(Exit::usage(format!("there is no policy type \"{unknown}\": `tenantatlas types` lists them")));
    }
    let view = ScopeView::load(db, tenant.id, None).await?;
    let changed_since = match arguments.changed_since {
        Some(since) => {
            let now = SystemClock.now();
            let moment = sync_runs::moment_of(db, tenant.id, since, now).await?;
            let moment =
                moment.ok_or_else(|| Exit::usage(format!("{since} names no sync run of the tenant that has ended")))?;
            if moment > now {
                return Err(Exit::usage(since.in_future()));
            }
            Some(moment)
        }
        None => None,
    };
    let assigned = match &arguments.assigned_to {
        Some(group) => Some(assigned_to(db, tenant.id, group).await?),
        None => None,
    };
    let filter = ItemFilter {
        changed_since,
        policy_types,
        assigned: assigned.as_ref().map(|known| known.assigned.clone()),
        search: arguments.search.clone(),
        state: arguments.state.map(|state| match state {
            StateArgument::Present => StateFilter::Present,
            StateArgument::Missing => StateFilter::Missing,
            StateArgument::NotRead => StateFilter::NotRead,
        }),
        ..ItemFilter::default()
    };
    let beside = Beside {
        assigned,
        not_read: inventory::not_read(db, &view, &filter).await?,
        first_read_later: first_read_later(db, &view, &filter).await?,
        none: nothing_words(&view, &filter, &tenant.name),
    };
    let assigned = beside.assigned.as_ref();
    let excluding = assigned.and_then(|_| filter.other_side());
    let limit = arguments.limit.map_or(usize::MAX, |limit| usize::try_from(limit).unwrap_or(usize::MAX));
    let listed = |filter| {
        inventory::export(db.clone(), view.clone(), ItemQuery { filter, ..ItemQuery::default() }).take(limit).boxed()
    };
    let (rows, excluding) = (listed(filter), excluding.map(listed));
    let mut stream = BufWriter::with_capacity(1 << 16, io::stdout().lock());
    if output.json {
        print_json(&mut stream, rows, excluding, &beside).await?;
    } else {
        print_text(&mut stream, rows, excluding, &beside).await?;
    }
    written(stream.flush())
}

/// What is told beside the items.
struct Beside {
    /// Whom it is asked for, where it is asked for what somebody gets.
    assigned: Option<AssignedTo>,
    /// What was not read to the end of that which is asked for.
    not_read: Vec<NotRead>,
    /// Of which types changes are known for less long than is asked for.
    first_read_later: Vec<FirstRead>,
    /// What is said where no item fits.
    none: String,
}

/// What is said where no item fits. Only of a tenant that was not read it is asked whether it was.
fn nothing_words(view: &ScopeView, filter: &ItemFilter, tenant: &str) -> String {
    match (view.run.is_some(), &filter.assigned, filter.changed_since) {
        (_, Some(_), _) => "No item that was read.".to_owned(),
        (true, None, Some(_)) => "No item was found new or changed since then.".to_owned(),
        (true, None, None) => "No item fits.".to_owned(),
        (false, None, _) => {
            format!("No item fits. Has the tenant been read? tenantatlas sync --tenant \"{}\"", visible(tenant))
        }
    }
}

/// `{"not_read": […], "items": […]}`, item by item; where it is asked for changes, also of which types less is known, and where
/// it is asked for a group, whom, and the items that exclude it.
async fn print_json(
    stream: &mut impl Write,
    rows: impl Stream<Item = Result<ItemRow, StoreError>>,
    excluding: Option<impl Stream<Item = Result<ItemRow, StoreError>>>,
    beside: &Beside,
) -> Result<(), Exit> {
    written(stream.write_all(b"{\"not_read\":"))?;
    let not_read: Vec<_> = beside.not_read.iter().map(item_document::not_read).collect();
    written(serde_json::to_writer(&mut *stream, &not_read).map_err(io::Error::from))?;
    if !beside.first_read_later.is_empty() {
        let later: Vec<_> = beside.first_read_later.iter().map(item_document::first_read).collect();
        written(stream.write_all(b",\n\"first_read_later\":"))?;
        written(serde_json::to_writer(&mut *stream, &later).map_err(io::Error::from))?;
    }
    if let Some(assigned) = &beside.assigned {
        written(stream.write_all(b",\n\"assigned_to\":"))?;
        written(serde_json::to_writer(&mut *stream, &assigned.document()).map_err(io::Error::from))?;
    }
    written(stream.write_all(b",\n\"items\":["))?;
    print_documents(stream, rows).await?;
    written(stream.write_all(b"\n]"))?;
    if let Some(excluding) = excluding {
        written(stream.write_all(b",\n\"excluded\":["))?;
        print_documents(stream, excluding).await?;
        written(stream.write_all(b"\n]"))?;
    }
    written(stream.write_all(b"}\n"))
}

async fn print_documents(
    stream: &mut impl Write,
    rows: impl Stream<Item = Result<ItemRow, StoreError>>,
) -> Result<(), Exit> {
    let mut rows = pin!(rows);
    let mut separator: &[u8] = b"\n";
    while let Some(row) = rows.try_next().await? {
        written(stream.write_all(separator))?;
        written(serde_json::to_writer(&mut *stream, &item_document::item(&row)).map_err(io::Error::from))?;
        separator = b",\n";
    }
    Ok(())
}

async fn print_text(
    stream: &mut impl Write,
    rows: impl Stream<Item = Result<ItemRow, StoreError>>,
    excluding: Option<impl Stream<Item = Result<ItemRow, StoreError>>>,
    beside: &Beside,
) -> Result<(), Exit> {
    let Beside { assigned, not_read, first_read_later, none } = beside;
    if let Some(assigned) = assigned {
        written(writeln!(stream, "{}", assigned.heading()))?;
    }
    print_rows(stream, rows, none).await?;
    if let (Some(assigned), Some(excluding)) = (assigned, excluding) {
        let heading = format!("Excludes {}, which is no assignment to it:", assigned.words());
        written(writeln!(stream, "\n{heading}"))?;
        print_rows(stream, excluding, none).await?;
    }
    if let Some(words) = later_words(first_read_later) {
        written(writeln!(stream, "\n{}", visible(&words)))?;
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

async fn print_rows(
    stream: &mut impl Write,
    rows: impl Stream<Item = Result<ItemRow, StoreError>>,
    none: &str,
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
            state_words(&row),
            visible(&row.item.policy_type),
            visible(&row.item.display_name),
            row.item.last_seen_at.to_rfc3339(),
            visible(&row.item.external_id),
            visible(&assigned_words(&row).unwrap_or_default()),
        ))?;
        count += 1;
    }
    if count == 0 {
        written(writeln!(stream, "{none}"))?;
    }
    Ok(())
}

/// The state of a row, and what another selection has read since.
fn state_words(row: &ItemRow) -> String {
    match row.since_words() {
        Some(since) => format!("{} ({since})", row.state()),
        None => row.state().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::json;

    use super::*;
    use tenantatlas_domain::presence::{Confidence, Presence};
    use tenantatlas_store::inventory::Item;

    fn missing(newer_than_scope: bool) -> ItemRow {
        ItemRow {
            item: Item::example("1", "Office"),
            presence: Presence::Missing { confidence: Confidence::High },
            assignments: Vec::new(),
            changed_in_last_run: false,
            changed_since_known: false,
            newer_than_scope,
            seen_since: None,
        }
    }

    #[test]
    fn what_another_selection_has_just_discovered_is_newer_and_not_missing() {
        let (newer, gone) = (missing(true), missing(false));
        assert_eq!((newer.state(), gone.state()), ("newer", "missing"));
        let (newer, gone) = (item_document::item(&newer), item_document::item(&gone));
        assert_eq!((&newer["state"], newer.get("confidence")), (&json!("newer"), None));
        assert_eq!((&gone["state"], &gone["confidence"]), (&json!("missing"), &json!("high")));
    }

    #[test]
    fn of_a_tenant_that_was_read_it_is_not_asked_whether_it_was() {
        let view = ScopeView { tenant_id: uuid::Uuid::nil().into(), scope: None, run: None, types: BTreeMap::new() };
        let words = nothing_words(&view, &ItemFilter::default(), "Contoso");
        assert_eq!(words, "No item fits. Has the tenant been read? tenantatlas sync --tenant \"Contoso\"");
        let group = Some(tenantatlas_domain::references::Assigned::Nobody);
        let of_group = ItemFilter { assigned: group, ..ItemFilter::default() };
        assert_eq!(nothing_words(&view, &of_group, "Contoso"), "No item that was read.");
    }

    #[test]
    fn what_another_selection_no_longer_found_is_not_listed_plainly_as_present() {
        let row = ItemRow { presence: Presence::Present, seen_since: Some(false), ..missing(false) };
        assert_eq!(state_words(&row), "present (read again since: not there)");
        let document = item_document::item(&row);
        assert_eq!((&document["state"], &document["seen_since"]), (&json!("present"), &json!(false)));
        let row = ItemRow { seen_since: None, ..row };
        assert_eq!((state_words(&row), &item_document::item(&row)["seen_since"]), ("present".to_owned(), &json!(null)));
    }
}
