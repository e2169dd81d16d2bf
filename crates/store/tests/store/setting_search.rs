//! Settings of latest versions: found by names and by keyed words, within tenants, and gone with them.

use tenantatlas_domain::ids::TenantId;
use tenantatlas_domain::setting_query::SettingQuery;
use tenantatlas_store::policies::TenantKey;
use tenantatlas_store::setting_catalog::{self, NewCategory, NewDefinition};
use tenantatlas_store::setting_search::{
    self, Document, Found, HELD, NAME_WORD, NewLine, Place, Search, SearchedTenant, Since, VALUE_WORD, WHOLE_VALUE,
};
use tenantatlas_store::testing::on_both_engines;
use tenantatlas_store::{Db, tenants};

use crate::audit_world::execute;
use crate::policies::{Capturing, TYPE};
use crate::world::{at, tenant};

/// The settings of a policy: key, value, words of the name that the body tells.
pub type Line<'t> = (&'t str, &'t str, &'t str);

fn line(key: &TenantKey, document: &Document, (name, value, called): Line<'_>, since: Since) -> NewLine {
    let words = |purpose: &str, text: &str| {
        let words = tenantatlas_domain::settings::words_of(text);
        words.iter().map(|word| key.mark(purpose, word)).collect::<Vec<_>>()
    };
    NewLine {
        key: name.to_owned(),
        value: Some(key.mark(WHOLE_VALUE, value)),
        held: key.mark(HELD, &format!("{name}={value}")),
        since,
        sealed: key.seal_line(document.version_id, value.as_bytes()).unwrap(),
        words: [words(VALUE_WORD, value), words(NAME_WORD, called)].concat(),
    }
}

/// Makes the policy of this id searchable; answers whether it was written.
pub async fn index(capturing: &Capturing, id: &str, number: u64, lines: &[Line<'_>]) -> bool {
    let db = &capturing.db;
    let document = setting_search::due_of(db, capturing.tenant, TYPE, &[id.to_owned()]).await.unwrap().remove(0);
    write(capturing, &document, number, lines).await
}

async fn write(capturing: &Capturing, document: &Document, number: u64, lines: &[Line<'_>]) -> bool {
    let since = Since { at: at(number.cast_signed()), number };
    let lines: Vec<NewLine> = lines.iter().map(|one| line(&capturing.key, document, *one, since)).collect();
    let mut tx = capturing.db.write().await.unwrap();
    setting_search::record_keys(&mut tx, lines.iter()).await.unwrap();
    let written = setting_search::replace(&mut tx, document, (number, false), 1, &lines, at(9)).await.unwrap();
    tx.commit().await.unwrap();
    written
}

fn of(capturing: &Capturing) -> SearchedTenant {
    SearchedTenant { id: capturing.tenant, key: capturing.key.clone() }
}

async fn page(db: &Db, tenants: &[SearchedTenant], query: &str, after: Option<Place>, limit: u32) -> Found {
    let search = Search::prepare(db, &SettingQuery::parse(query).unwrap()).await.unwrap().unwrap();
    setting_search::find(db, tenants, &search, after, limit).await.unwrap()
}

/// What a query finds: policy, setting and value.
async fn found(db: &Db, tenants: &[SearchedTenant], query: &str) -> Vec<(String, String, String)> {
    let hits = page(db, tenants, query, None, 100).await.hits;
    let opened = hits.into_iter().map(|hit| {
        let key = &tenants.iter().find(|tenant| tenant.id == hit.tenant_id).unwrap().key;
        let value = String::from_utf8(key.open_line(hit.version_id, &hit.sealed).unwrap()).unwrap();
        (hit.external_id, hit.key, value)
    });
    opened.collect()
}

fn one(id: &str, key: &str, value: &str) -> (String, String, String) {
    (id.to_owned(), key.to_owned(), value.to_owned())
}

const REQUIRE: &str = "device_vendor_msft_bitlocker_requiredeviceencryption";

async fn catalogue(db: &Db) {
    let definition = NewDefinition {
        id: REQUIRE.to_owned(),
        name: "Encrypt the Whole Drive".to_owned(),
        category_id: Some("disk".to_owned()),
        options: [("x_1".to_owned(), "Enabled".to_owned())].into(),
    };
    let category = |id: &str, name: &str, parent: Option<&str>| NewCategory {
        id: id.to_owned(),
        name: name.to_owned(),
        parent_id: parent.map(str::to_owned),
    };
    let categories = [category("top", "Endpoint protection", None), category("disk", "Drives", Some("top"))];
    let mut tx = db.write().await.unwrap();
    setting_catalog::record_definitions(&mut tx, "configurationSettings", &[definition], at(3)).await.unwrap();
    setting_catalog::record_categories(&mut tx, "configurationCategories", &categories, at(3)).await.unwrap();
    tx.commit().await.unwrap();
}

on_both_engines! {
    async fn settings_are_found_by_names_of_the_catalogue_by_ids_and_by_words(test: TestDatabase) {
        let capturing = Capturing::of(&test).await;
        capturing.versions("a", &["one"]).await;
        capturing.versions("b", &["two"]).await;
        assert!(index(&capturing, "a", 1, &[(REQUIRE, "Enabled x_1", ""), ("passwordRequired", "Yes true", "")]).await);
        assert!(index(&capturing, "b", 1, &[(REQUIRE, "Disabled x_0", ""), ("guid-1", "Enabled", "Home page")]).await);
        let (db, all) = (&capturing.db, [of(&capturing)]);
        let bitlocker = [one("a", REQUIRE, "Enabled x_1"), one("b", REQUIRE, "Disabled x_0")];
        assert_eq!(found(db, &all, "BitLocker").await, bitlocker);
        assert_eq!(found(db, &all, "\"whole drive\"").await, [], "no catalogue tells the name yet");
        catalogue(db).await;
        for query in ["\"whole drive\"", "\"device encryption\"", "setting:Drives", "\"endpoint protection\"", REQUIRE, "encryption require"] {
            assert_eq!(found(db, &all, query).await, bitlocker, "{query}");
        }
        assert_eq!(found(db, &all, "msft").await, [], "what every id begins with says nothing");
        assert_eq!(found(db, &all, "\"Password required\"").await, [one("a", "passwordRequired", "Yes true")]);
        let enabled = [one("a", REQUIRE, "Enabled x_1"), one("b", "guid-1", "Enabled")];
        assert_eq!(found(db, &all, "value:ENABLED").await, enabled);
        assert_eq!(found(db, &all, "value:enable").await, [], "values are found by whole words");
        assert_eq!(found(db, &all, "value:enabled BitLocker").await, enabled[..1]);
        assert_eq!(found(db, &all, "BitLocker value:enabled value:x_1").await, enabled[..1]);
        assert_eq!(found(db, &all, "home").await, enabled[1..], "a name that the body tells");
        assert_eq!(found(db, &all, "value:home").await, []);
        assert_eq!(found(db, &all, "setting:enabled").await, []);
        assert_eq!(found(db, &all, "type:settingsCatalogPolicy BitLocker").await, []);
        assert_eq!(found(db, &all, &format!("type:{TYPE} value:disabled")).await, bitlocker[1..]);
        assert_eq!(found(db, &all, &format!("type:{TYPE}")).await.len(), 4, "all settings of a type");
    }

    async fn only_the_latest_version_is_found_and_nothing_while_that_is_not_searchable(test: TestDatabase) {
        let capturing = Capturing::of(&test).await;
        let (db, all) = (&capturing.db, [of(&capturing)]);
        capturing.versions("a", &["one", "two"]).await;
        let documents = setting_search::due(db, at(100), 10).await.unwrap();
        assert_eq!(documents.len(), 1, "a policy is due once");
        assert_eq!(setting_search::pending(db, capturing.tenant).await.unwrap(), 1);
        assert!(index(&capturing, "a", 2, &[("k", "before", "")]).await);
        assert_eq!(found(db, &all, "value:before").await.len(), 1);
        assert!(setting_search::due(db, at(100), 10).await.unwrap().is_empty());
        assert!(!write(&capturing, &Document { version_id: documents[0].version_id, id: 999, ..documents[0].clone() }, 2, &[]).await);
        let known = setting_search::held(db, &documents[0]).await.unwrap();
        assert_eq!(known[&capturing.key.mark(HELD, "k=before")], Since { at: at(2), number: 2 });

        // Another version: what was there is not the latest any more.
        execute(db, "UPDATE setting_documents SET version_id = indexed_id, due_at = 5").await.unwrap();
        assert_eq!(found(db, &all, "value:before").await.len(), 1, "due because names changed: it is still true");
        let other = match db { Db::Sqlite { .. } => "x'00112233445566778899aabbccddeeff'", Db::Postgres { .. } => "'00112233-4455-6677-8899-aabbccddeeff'" };
        execute(db, &format!("UPDATE setting_documents SET version_id = {other}")).await.unwrap();
        assert_eq!(found(db, &all, "value:before").await, []);
        assert!(!write(&capturing, &documents[0], 2, &[("k", "late", "")]).await, "another version is the latest by now");
        assert_eq!(setting_search::pending(db, capturing.tenant).await.unwrap(), 1);
    }

    async fn pages_go_on_where_the_one_before_ended_over_tenants_in_their_order(test: TestDatabase) {
        let first = Capturing::of(&test).await;
        let mut worlds = vec![first];
        for name in ["B", "C", "D", "E", "F", "G"] {
            let id = tenant(&worlds[0].db, name).await;
            let keys = tempfile::tempdir().unwrap();
            worlds.push(Capturing::in_tenant(worlds[0].db.clone(), id, worlds[0].vault.clone(), keys).await);
        }
        for (at, world) in worlds.iter().enumerate().filter(|(at, _)| *at != 2) {
            for id in ["a", "b"] {
                world.versions(id, &["one"]).await;
                let value = format!("common number{at}");
                assert!(index(world, id, 1, &[("k", &value, ""), ("l", "other", ""), ("m", "common", "")]).await);
            }
        }
        let db = &worlds[0].db;
        let mut tenants: Vec<SearchedTenant> = worlds.iter().map(of).collect();
        tenants.reverse();
        let whole = page(db, &tenants, "value:common", None, 1_000).await;
        assert_eq!((whole.hits.len(), whole.next), (24, None));
        let order: Vec<TenantId> = whole.hits.iter().map(|hit| hit.tenant_id).collect();
        let mut distinct = order.clone();
        distinct.dedup();
        let wanted: Vec<TenantId> = tenants.iter().map(|tenant| tenant.id).filter(|id| order.contains(id)).collect();
        assert_eq!(distinct, wanted);
        for limit in [1, 5, 7, 24] {
            let (mut paged, mut after) = (Vec::new(), None);
            loop {
                let page = page(db, &tenants, "value:common", after, limit).await;
                assert!(page.hits.len() <= limit as usize);
                paged.extend(page.hits);
                after = page.next;
                if after.is_none() { break }
            }
            assert_eq!(paged, whole.hits, "{limit} at a time");
        }
        // No word of one tenant is one of another, and no query leaves the tenants that it is given.
        assert_ne!(worlds[0].key.mark(VALUE_WORD, "common"), worlds[1].key.mark(VALUE_WORD, "common"));
        let alone = page(db, &tenants[..1], "value:common", None, 100).await;
        assert!(alone.hits.len() == 4 && alone.hits.iter().all(|hit| hit.tenant_id == tenants[0].id));
        let foreign = SearchedTenant { id: worlds[0].tenant, key: worlds[1].key.clone() };
        assert_eq!(page(db, &[foreign], "value:common", None, 100).await, Found::default());
        assert_eq!(page(db, &[], "value:common", None, 100).await, Found::default());

        let search = Search::prepare(db, &SettingQuery::parse("x").unwrap()).await.unwrap().unwrap();
        let pivot = setting_search::pivot(db, &tenants[..3], &search, setting_search::key_id("m")).await.unwrap();
        assert_eq!(pivot.cells.len(), 3);
        assert!(pivot.cells.iter().all(|cell| cell.policies == 2) && !pivot.more);
    }

    async fn what_was_searched_goes_with_its_tenant(test: TestDatabase) {
        let capturing = Capturing::of(&test).await;
        capturing.versions("a", &["one"]).await;
        let due = setting_search::due(&capturing.db, at(100), 10).await.unwrap();
        assert!(index(&capturing, "a", 1, &[("k", "a word", "a name"), ("l", "b", "")]).await);
        for table in ["setting_documents", "setting_lines", "setting_words"] {
            assert!(capturing.count(table).await > 0, "{table}");
        }
        let (db, tenant) = (&capturing.db, capturing.tenant);
        let mut tx = db.write().await.unwrap();
        tenants::retire(&mut tx, tenant, at(5)).await.unwrap();
        tx.commit().await.unwrap();
        execute(db, "UPDATE setting_documents SET due_at = 0").await.unwrap();
        assert!(setting_search::due(db, at(100), 10).await.unwrap().is_empty());
        assert!(!write(&capturing, &due[0], 1, &[("k", "again", "")]).await, "its key is gone");
        loop {
            let mut tx = db.write().await.unwrap();
            let more = tenants::purge_piece(&mut tx, tenant).await.unwrap();
            tx.commit().await.unwrap();
            if !more { break }
        }
        for table in ["setting_documents", "setting_lines", "setting_words"] {
            assert_eq!(capturing.count(table).await, 0, "{table}");
        }
    }

    async fn names_that_no_setting_has_any_more_are_forgotten_and_others_stay(test: TestDatabase) {
        let capturing = Capturing::of(&test).await;
        let (db, all) = (&capturing.db, [of(&capturing)]);
        capturing.versions("a", &["one"]).await;
        capturing.versions("b", &["two"]).await;
        assert!(index(&capturing, "a", 1, &[("kept", "x", ""), ("left", "x", ""), ("came-back", "x", "")]).await);
        assert!(index(&capturing, "b", 1, &[("kept", "x", "")]).await);
        assert_eq!(setting_search::unused_keys(db, 10).await.unwrap(), []);
        execute(db, "UPDATE setting_documents SET due_at = 5").await.unwrap();
        assert!(index(&capturing, "a", 1, &[("new", "x", "")]).await);
        let mut wanted = [setting_search::key_id("left"), setting_search::key_id("came-back")];
        wanted.sort_unstable();
        let unused = setting_search::unused_keys(db, 10).await.unwrap();
        assert_eq!(unused, wanted);
        assert_eq!(setting_search::unused_keys(db, 1).await.unwrap(), wanted[..1], "a piece at a time");
        // Between the look and the deletion another policy got one of them.
        capturing.versions("c", &["four"]).await;
        assert!(index(&capturing, "c", 1, &[("came-back", "x", "")]).await);
        let mut tx = db.write().await.unwrap();
        assert_eq!(setting_search::forget_keys(&mut tx, &unused).await.unwrap(), 1);
        tx.commit().await.unwrap();
        assert_eq!(capturing.count("setting_keys").await, 3);
        let shown = [one("a", "new", "x"), one("b", "kept", "x"), one("c", "came-back", "x")];
        assert_eq!(found(db, &all, "value:x").await, shown);
        // What was forgotten is known again when a policy has it again.
        execute(db, "UPDATE setting_documents SET due_at = 5").await.unwrap();
        assert!(index(&capturing, "b", 1, &[("left", "y", "")]).await);
        assert_eq!(found(db, &all, "left").await, [one("b", "left", "y")]);
    }

    async fn policies_are_due_when_the_options_of_a_setting_are_called_otherwise(test: TestDatabase) {
        let capturing = Capturing::of(&test).await;
        capturing.versions("a", &["one"]).await;
        capturing.versions("b", &["two"]).await;
        assert!(index(&capturing, "a", 1, &[(REQUIRE, "x_1", "")]).await);
        assert!(index(&capturing, "b", 1, &[("other", "x_1", "")]).await);
        let db = &capturing.db;
        let named = async |name: &str, time: i64| {
            let definition = NewDefinition {
                id: REQUIRE.to_uppercase(),
                name: "Require".to_owned(),
                category_id: None,
                options: [("x_1".to_owned(), name.to_owned()), ("x_0".to_owned(), "Off".to_owned())].into(),
            };
            let mut tx = db.write().await.unwrap();
            setting_catalog::record_definitions(&mut tx, "c", &[definition], at(time)).await.unwrap();
            let due = setting_search::mark_renamed(&mut tx, &[REQUIRE.to_owned()], at(time)).await.unwrap();
            tx.commit().await.unwrap();
            due
        };
        assert_eq!(named("On", 10).await, 1, "it has a name by now");
        let due = setting_search::due(db, at(10), 10).await.unwrap();
        assert_eq!(due.iter().map(|document| document.external_id.as_str()).collect::<Vec<_>>(), ["a"]);
        assert!(write(&capturing, &due[0], 1, &[(REQUIRE, "x_1 On", "")]).await);
        assert_eq!(named("On", 20).await, 0, "the same names");
        assert_eq!(named("Enabled", 30).await, 1);
    }
}
