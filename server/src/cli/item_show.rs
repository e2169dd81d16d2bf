//! `tenantatlas items show`

use serde_json::Value;
use tenantatlas_app::format::{counted, number};
use tenantatlas_app::inventory::labels::type_label;
use tenantatlas_app::relation::lists::whole_words;
use tenantatlas_app::relation::words::{incoming_words, outgoing_words, target_kind, target_name};
use tenantatlas_domain::registry::registry;
use tenantatlas_store::Reader;
use tenantatlas_store::inventory::{self, ItemFilter, NotRead, Relations, ScopeView, Standing};

use super::arguments::PolicyArguments;
use super::output::Output;
use crate::exit::Exit;
use crate::item_document;
use crate::open;

/// Shows an item with what it refers to, what refers to it, and what stands on it through others.
///
/// # Errors
/// When tenant, type or item are unknown (exit code 64), or the database fails.
pub(super) async fn show(db: &Reader, asked: &PolicyArguments, output: Output) -> Result<(), Exit> {
    let tenant = open::tenant(db, &asked.tenant).await?;
    let key = &asked.policy_type;
    if registry().get(key).is_none() {
        return Err(Exit::usage(format!("there is no policy type \"{key}\": `tenantatlas types` lists them")));
    }
    let view = ScopeView::load(db, tenant.id, None).await?;
    let row = match inventory::find_external(db, tenant.id, key, &asked.id).await? {
        Some(id) => inventory::find(db, &view, id).await?,
        None => None,
    };
    let row = row.ok_or_else(|| {
        Exit::usage(format!("there is no {key} with the id {}: `tenantatlas items` lists the ids", asked.id))
    })?;
    let relations = inventory::relations(db, &view, &row, None).await?;
    let not_read = view.not_read(&ItemFilter::default());
    let mut told = item_document::item(&row);
    if let (Value::Object(told), Ok(Value::Object(relations))) = (&mut told, serde_json::to_value(&relations)) {
        told.extend(relations);
        told.insert("not_read".to_owned(), not_read.iter().map(item_document::not_read).collect());
    }
    output.document(&told)?;
    output.line(format!("{} ({}, {})", row.item.display_name, type_label(key), row.state()))?;
    print(&relations, &not_read, output)
}

/// A table, or nothing where it has no rows.
fn table(output: Output, header: &[&str], rows: impl Iterator<Item = Vec<String>>) -> Result<(), Exit> {
    let rows: Vec<_> = rows.collect();
    if rows.is_empty() { Ok(()) } else { output.table(header, rows) }
}

fn print(relations: &Relations, not_read: &[NotRead], output: Output) -> Result<(), Exit> {
    let omitted = match relations.references_omitted {
        0 => String::new(),
        omitted => format!(", and {} more that are not kept", number(omitted)),
    };
    let references = counted(relations.references.len() as u64, "reference", "references");
    output.line(format!("\nReferences: {references}{omitted}"))?;
    table(
        output,
        &["RELATION", "NAME", "WHAT", "STATE", "ID"],
        relations.references.iter().map(|one| {
            vec![
                outgoing_words(one.link.relationship).to_owned(),
                target_name(&one.link),
                target_kind(&one.link),
                one.state.as_str().to_owned(),
                one.link.target_external_id.clone(),
            ]
        }),
    )?;
    output.line(format!("\nReferenced by: {}", counted(relations.referenced_by_count, "item", "items")))?;
    table(
        output,
        &["NAME", "RELATION", "WHAT", "STATE"],
        relations.referenced_by.iter().map(|one| {
            vec![
                one.link.source_name.clone(),
                incoming_words(one.link.relationship).to_owned(),
                type_label(&one.link.source_policy_type),
                one.state.as_str().to_owned(),
            ]
        }),
    )?;
    if relations.referenced_by_next.is_some() {
        output.line("  These are the first of them; the page of the item lists them all.")?;
    }
    let stands = &relations.stands_on_this;
    output.line(format!("\nWhat stands on this: {}", whole_words(stands)))?;
    let further = stands.items.iter().filter(|one| one.distance > 1);
    table(
        output,
        &["STEPS", "NAME", "WHAT", "STATE", "ID"],
        further.map(|one| {
            let state = relations.states.get(&one.item_id).copied().unwrap_or(Standing::NotKnown);
            vec![
                one.distance.to_string(),
                one.display_name.clone(),
                type_label(&one.policy_type),
                state.as_str().to_owned(),
                one.external_id.clone(),
            ]
        }),
    )?;
    if not_read.is_empty() {
        return Ok(());
    }
    let types = counted(not_read.len() as u64, "type", "types");
    output.line(format!("\nMore may refer to it: {types} not read to the end, `tenantatlas items` names them."))
}
