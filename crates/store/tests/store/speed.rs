//! Figures, not checks: `cargo nextest run -p tenantatlas-store --release --run-ignored all speed`.

use std::time::Instant;

use tenantatlas_domain::references::{Relationship, TargetKind};
use tenantatlas_domain::sync::TypeOutcome;
use tenantatlas_store::inventory::{ItemFilter, ItemQuery, ObservedItem, ObservedLink, ScopeView, StateFilter, list};
use tenantatlas_store::testing::{TestDatabase, on_both_engines};

use crate::world::{Sync, at, hash, item, tenant};

const TYPES: [&str; 4] = ["alpha", "beta", "gamma", "delta"];

fn observed(count: usize, content: &str) -> Vec<ObservedItem> {
    (0..count)
        .map(|number| {
            let id = format!("{:08x}-0000-4000-8000-{number:012x}", number.wrapping_mul(2_654_435_761) as u32);
            let mut one = item(&id, &format!("Windows - Baseline - {} {number}", number % 97), content);
            one.content_hash = hash(&format!("{content}{number}"));
            one.meta.insert("odata_type".to_owned(), "#microsoft.graph.deviceManagementConfigurationPolicy".into());
            one.meta.insert("created".to_owned(), "2026-01-01T00:00:00Z".into());
            one.meta.insert("modified".to_owned(), "2026-02-01T00:00:00Z".into());
            one.meta.insert("assignments".to_owned(), serde_json::json!({"groups": 2, "all_users": false}));
            one.meta.insert("scope_tags".to_owned(), serde_json::json!(["0", "3"]));
            one.links = (0..2)
                .map(|group| ObservedLink {
                    relationship: Relationship::AssignedTo,
                    target_kind: TargetKind::Group,
                    target_policy_type: None,
                    target_external_id: format!("group-{}", (number + group * 31) % 500),
                    last_known_name: None,
                    filter_id: None,
                    filter_mode: None,
                    raw: "assignments[0].target".to_owned(),
                })
                .collect();
            one
        })
        .collect()
}

async fn sync(test: &TestDatabase, tenant: tenantatlas_domain::ids::TenantId, all: &[ObservedItem], what: &str) {
    let sync = Sync::start(&test.db, tenant, &TYPES, at(0)).await;
    let started = Instant::now();
    for (key, part) in TYPES.iter().zip(all.chunks(all.len().div_ceil(TYPES.len()))) {
        let type_run = sync.begin(key, at(0)).await;
        for batch in part.chunks(1_000) {
            sync.write(&type_run, batch, at(0)).await.unwrap();
        }
        sync.end(key, TypeOutcome::Succeeded, at(0)).await;
    }
    sync.finish(at(1)).await;
    if what == "first" {
        tenantatlas_store::inventory::refresh_statistics(&test.db).await.unwrap();
    }
    let seconds = started.elapsed().as_secs_f64();
    print_figure(&format!("{:?} {what}: {:.0} items/s", test.db.backend(), all.len() as f64 / seconds));
}

#[expect(clippy::print_stderr, reason = "the figures are what this is for")]
fn print_figure(line: &str) {
    eprintln!("{line}");
}

async fn page(test: &TestDatabase, tenant: tenantatlas_domain::ids::TenantId, what: &str, query: &ItemQuery) {
    let mut best = f64::MAX;
    let mut rows = 0;
    for _ in 0..5 {
        let started = Instant::now();
        let view = ScopeView::load(&test.db, tenant, None).await.unwrap();
        rows = list(&test.db, &view, query).await.unwrap().rows.len();
        best = best.min(started.elapsed().as_secs_f64() * 1_000.0);
    }
    print_figure(&format!("{:?} page {what}: {best:.2} ms, {rows} rows", test.db.backend()));
}

on_both_engines! {
    #[ignore = "prints figures"]
    async fn figures(test: TestDatabase) {
        let count = std::env::var("ITEMS").ok().and_then(|text| text.parse().ok()).unwrap_or(100_000);
        let tenant = tenant(&test.db, "Contoso").await;
        let all = observed(count, "a");
        sync(&test, tenant, &all, "first").await;
        sync(&test, tenant, &all, "unchanged").await;
        sync(&test, tenant, &all, "unchanged").await;
        let mut fewer = all.clone();
        fewer.drain(..10);
        fewer[0].display_name = "Renamed".to_owned();
        fewer[0].content_hash = hash("other");
        sync(&test, tenant, &fewer, "ten missing").await;
        if count <= 200_000 {
            sync(&test, tenant, &observed(count, "b"), "all changed").await;
        }
        let first = ItemQuery { limit: 50, ..ItemQuery::default() };
        page(&test, tenant, "first", &first).await;
        for (what, state) in [("present", StateFilter::Present), ("missing", StateFilter::Missing), ("changed", StateFilter::Changed)] {
            let filter = ItemFilter { state: Some(state), ..ItemFilter::default() };
            page(&test, tenant, what, &ItemQuery { filter, ..first.clone() }).await;
        }
        for (what, text) in [("search common", "baseline"), ("search rare", &format!("{} {}", (count - 5) % 97, count - 5)), ("search nothing", "zzz")] {
            let filter = ItemFilter { search: Some(text.to_owned()), ..ItemFilter::default() };
            page(&test, tenant, what, &ItemQuery { filter, ..first.clone() }).await;
        }
        let filter = ItemFilter { policy_types: vec!["alpha".into(), "gamma".into()], ..ItemFilter::default() };
        page(&test, tenant, "two types", &ItemQuery { filter, ..first.clone() }).await;
        let last_seen = ItemQuery { sort: tenantatlas_store::inventory::Sort::LastSeen, ..first };
        page(&test, tenant, "last seen", &last_seen).await;
    }
}
