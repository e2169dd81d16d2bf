//! Making the settings of latest versions searchable: right after a capture has kept a version, and from housekeeping for all
//! that is due besides, such as versions of before. What is due stands in the database, so that this goes on wherever it stopped.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use tenantatlas_domain::body::Completeness;
use tenantatlas_domain::ids::TenantId;
use tenantatlas_domain::settings::{Glossary, SearchLine, search_lines};
use tenantatlas_domain::time::Timestamp;
use tenantatlas_store::policies::{self, Mark, TenantKey, Version};
use tenantatlas_store::setting_search::{self, Document, HELD, NAME_WORD, NewLine, Since, VALUE_WORD, WHOLE_VALUE};
use tenantatlas_store::{Db, StoreError, Vault, inventory, setting_catalog, with_retries};

use crate::policy_versions::{computed, named_objects, referred_types, settings_of_version};
use crate::setting_catalog::glossary_of;

/// Changes with how lines are made: what was made under other rules is made anew.
const RULES: u64 = 2;
/// Versions that are looked through for since when a setting has its value, at most.
const MOST_VERSIONS: u32 = 200;
/// Policies that are written in one transaction, at most.
const TOGETHER: usize = 20;
/// Names of settings that are forgotten in one transaction, at most.
const NAMES_AT_ONCE: u32 = 500;
/// What could not be read is tried again so much later.
const TRY_AGAIN: Duration = Duration::from_secs(3_600);

/// A policy with what is to be written of it.
struct Ready {
    document: Document,
    number: u64,
    partial: bool,
    lines: Vec<NewLine>,
    unknown: Vec<String>,
}

/// Makes policies of a tenant searchable of which a version was kept.
///
/// # Errors
/// When the database fails.
pub(crate) async fn index_kept(
    db: &Db,
    key: &TenantKey,
    (tenant, policy_type): (TenantId, &str),
    external_ids: &[String],
    now: Timestamp,
) -> Result<(), StoreError> {
    if external_ids.is_empty() {
        return Ok(());
    }
    let due = setting_search::due_of(db, tenant, policy_type, external_ids).await?;
    for documents in due.chunks(TOGETHER) {
        index(db, key, documents, now).await?;
    }
    Ok(())
}

/// Makes the next policies searchable that are due, whatever tenant they are of. Answers whether there may be more.
///
/// # Errors
/// When the database fails.
pub(crate) async fn index_due(db: &Db, vault: &Vault, now: Timestamp) -> Result<bool, StoreError> {
    let due = setting_search::due(db, now, TOGETHER as u32).await?;
    let tenants: HashSet<TenantId> = due.iter().map(|document| document.tenant_id).collect();
    for tenant in tenants {
        let documents: Vec<Document> = due.iter().filter(|one| one.tenant_id == tenant).cloned().collect();
        match TenantKey::open(db, vault, tenant).await {
            Ok(Some(key)) => index(db, &key, &documents, now).await?,
            // A tenant that is being removed, or whose key is of another root key: nothing of it can be read.
            Ok(None) | Err(StoreError::Sealed) => postpone(db, &documents, now).await?,
            Err(error) => return Err(error),
        }
    }
    Ok(due.len() == TOGETHER)
}

/// Forgets the next names of settings that no policy has any more. Answers whether there may be more.
///
/// # Errors
/// When the database fails.
pub(crate) async fn forget_names(db: &Db) -> Result<bool, StoreError> {
    let unused = setting_search::unused_keys(db, NAMES_AT_ONCE).await?;
    if unused.is_empty() {
        return Ok(false);
    }
    let mut tx = db.write().await?;
    setting_search::forget_keys(&mut tx, &unused).await?;
    tx.commit().await?;
    Ok(unused.len() == NAMES_AT_ONCE as usize)
}

async fn index(db: &Db, key: &TenantKey, documents: &[Document], now: Timestamp) -> Result<(), StoreError> {
    let (mut ready, mut unreadable) = (Vec::with_capacity(documents.len()), Vec::new());
    let names = setting_search::names_of_options(db).await?;
    let tags = match documents.first() {
        Some(document) => inventory::known_names(db, document.tenant_id, &[]).await?.scope_tags,
        None => HashMap::new(),
    };
    for document in documents {
        match prepare(db, key, &tags, document).await {
            Ok(Some(one)) => ready.push(one),
            Ok(None) => unreadable.push(document.clone()),
            Err(error @ (StoreError::Sealed | StoreError::Corrupt { .. })) => {
                tracing::warn!(%error, policy_type = document.policy_type, "the settings of a policy cannot be read");
                unreadable.push(document.clone());
            }
            Err(error) => return Err(error),
        }
    }
    let written = with_retries(StoreError::is_transient, || async {
        let mut tx = db.write().await?;
        setting_search::record_keys(&mut tx, ready.iter().flat_map(|one| &one.lines)).await?;
        let unknown: Vec<String> = ready.iter().flat_map(|one| &one.unknown).cloned().collect();
        setting_catalog::record_unknown(&mut tx, &unknown, now).await?;
        let renamed = setting_search::names_of_options(&mut tx).await? != names;
        for Ready { document, number, partial, lines, .. } in &ready {
            let written = setting_search::replace(&mut tx, document, (*number, *partial), RULES, lines, now).await?;
            if written && renamed {
                setting_search::postpone(&mut tx, document, now).await?;
            }
        }
        tx.commit().await
    });
    written.await?;
    postpone(db, &unreadable, now).await
}

async fn postpone(db: &Db, documents: &[Document], now: Timestamp) -> Result<(), StoreError> {
    if documents.is_empty() {
        return Ok(());
    }
    let later = i64::try_from(TRY_AGAIN.as_millis()).unwrap_or(i64::MAX);
    let until = Timestamp::from_millis(now.as_millis().saturating_add(later));
    let mut tx = db.write().await?;
    for document in documents {
        setting_search::postpone(&mut tx, document, until).await?;
    }
    tx.commit().await
}

/// What is to be written of a policy; `None` where its latest version is not there any more.
async fn prepare(
    db: &Db,
    key: &TenantKey,
    tags: &HashMap<String, String>,
    document: &Document,
) -> Result<Option<Ready>, StoreError> {
    let current = document.indexed_id.is_some() && document.rules == RULES;
    let mut known = if current { setting_search::held(db, document).await? } else { HashMap::new() };
    let from = if current { document.indexed_number } else { 0 };
    let (tenant, external_id) = (document.tenant_id, document.external_id.as_str());
    let mut versions =
        policies::versions_of(db, tenant, &document.policy_type, external_id, None, MOST_VERSIONS).await?;
    // The latest always: its options may be called otherwise by now.
    versions.retain(|version| version.number > from || version.id == document.version_id);
    versions.reverse();
    let Some(latest) = versions.iter().position(|version| version.id == document.version_id) else { return Ok(None) };
    versions.truncate(latest + 1);
    let mut last = None;
    for version in versions {
        let (lines, unknown) = lines_of(db, key, tags, &version).await?;
        known = carry(key, &version, &lines, known);
        last = Some((version, lines, unknown));
    }
    let Some((version, lines, unknown)) = last else { return Ok(None) };
    let number = version.number;
    let partial = version.completeness == Completeness::Partial;
    let lines = seal(key, &version, lines, &known)?;
    Ok(Some(Ready { document: document.clone(), number, partial, lines, unknown }))
}

/// Since when settings have their values, after one more version. What a version lacks says nothing: what was known stays.
fn carry(
    key: &TenantKey,
    version: &Version,
    lines: &[SearchLine],
    mut known: HashMap<Mark, Since>,
) -> HashMap<Mark, Since> {
    let now = Since { at: version.read_at, number: version.number };
    let held = lines.iter().map(|line| key.mark(HELD, &line.held));
    let mut carried: HashMap<Mark, Since> = held.map(|mark| (mark, known.get(&mark).copied().unwrap_or(now))).collect();
    if version.lacks.iter().any(|lack| lack.slot().is_some()) {
        known.retain(|mark, _| !carried.contains_key(mark));
        carried.extend(known);
    }
    carried
}

/// The settings of a version, and the ids of definitions that nobody names. What a value names by its id, such as a group, a filter or a location, is found by its name as
/// well: the one that it has when the version becomes searchable.
async fn lines_of(
    db: &Db,
    key: &TenantKey,
    tags: &HashMap<String, String>,
    version: &Version,
) -> Result<(Vec<SearchLine>, Vec<String>), StoreError> {
    let Some(settings) = settings_of_version(db, key, version).await? else { return Ok(Default::default()) };
    let ids = settings.definition_ids();
    let glossary: Glossary = glossary_of(db, &ids).await?;
    let objects = named_objects(std::iter::once(&settings));
    let objects = inventory::object_names(db, version.tenant_id, &referred_types(), &objects).await?;
    let called = Glossary { scope_tags: tags.clone(), objects, ..Glossary::default() };
    computed(move || {
        let mut lines = search_lines(&settings, &glossary);
        let unknown = settings.unnamed_definitions(&glossary);
        let mut named = settings;
        named.name_by(&called);
        for (line, named) in lines.iter_mut().zip(search_lines(&named, &Glossary::default())) {
            line.words.extend(named.words);
            line.words.sort_unstable();
            line.words.dedup();
        }
        (lines, unknown)
    })
    .await
}

fn seal(
    key: &TenantKey,
    version: &Version,
    lines: Vec<SearchLine>,
    known: &HashMap<Mark, Since>,
) -> Result<Vec<NewLine>, StoreError> {
    let now = Since { at: version.read_at, number: version.number };
    lines
        .into_iter()
        .map(|line| {
            let held = key.mark(HELD, &line.held);
            let shown = serde_json::to_vec(&line.entry)
                .map_err(|_| StoreError::Corrupt { column: "the settings of a version".to_owned() })?;
            let of_value = line.words.iter().map(|word| key.mark(VALUE_WORD, word));
            let of_name = line.names.iter().map(|word| key.mark(NAME_WORD, word));
            Ok(NewLine {
                value: line.value.as_deref().map(|value| key.mark(WHOLE_VALUE, value)),
                held,
                since: known.get(&held).copied().unwrap_or(now),
                sealed: key.seal_line(version.id, &shown)?,
                words: of_value.chain(of_name).collect(),
                key: line.key,
            })
        })
        .collect()
}
