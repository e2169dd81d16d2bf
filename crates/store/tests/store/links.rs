//! What items point to.

use tenantatlas_domain::references::{Relationship, TargetKind, Unnamed};
use tenantatlas_store::inventory::{self, DirectoryName, ObservedItem, ObservedLink, incoming, outgoing};
use tenantatlas_store::testing::on_both_engines;

use crate::world::{Sync, at, item, tenant};

fn link(relationship: Relationship, kind: TargetKind, policy_type: Option<&str>, target: &str) -> ObservedLink {
    ObservedLink {
        relationship,
        target_kind: kind,
        target_policy_type: policy_type.map(str::to_owned),
        target_external_id: target.to_owned(),
        last_known_name: None,
        filter_id: None,
        filter_mode: None,
        raw: format!("found at {target}"),
    }
}

fn linked(content: &str, links: Vec<ObservedLink>) -> ObservedItem {
    ObservedItem { links, links_omitted: 3, ..item("source", "Source", content) }
}

on_both_engines! {
    async fn links_are_read_in_both_directions_with_names(test: TestDatabase) {
        let db = &test.db;
        let contoso = tenant(db, "Contoso").await;
        let links = vec![
            link(Relationship::FilteredBy, TargetKind::Foundation, Some("filter"), "f1"),
            link(Relationship::AssignedTo, TargetKind::Group, None, "g1"),
            link(Relationship::Uses, TargetKind::Unresolved, None, "app-1"),
            link(Relationship::ExcludedFrom, TargetKind::Group, None, "g2"),
        ];
        let sync = Sync::start(db, contoso, &["alpha", "app", "filter"], at(0)).await;
        sync.read("alpha", &[linked("a", links)], at(0)).await;
        sync.read("app", &[item("app-1", "The app", "a")], at(0)).await;
        sync.read("filter", &[item("f1", "The filter", "a")], at(0)).await;
        let groups = inventory::targets_without_name(db, contoso, TargetKind::Group, at(0), "", 10).await.unwrap();
        assert_eq!(groups, ["g1", "g2"]);
        let name = |id: &str, name: Option<&str>| DirectoryName {
            external_id: id.to_owned(),
            kind: TargetKind::Group,
            display_name: name.map(str::to_owned).ok_or(Unnamed::Gone),
        };
        let mut tx = db.write().await.unwrap();
        inventory::record_names(&mut tx, contoso, &[name("g1", Some("Everyone")), name("g2", None)], at(1)).await.unwrap();
        inventory::record_names(&mut tx, contoso, &[name("g1", None)], at(2)).await.unwrap();
        tx.commit().await.unwrap();
        assert!(inventory::targets_without_name(db, contoso, TargetKind::Group, at(1), "", 10).await.unwrap().is_empty());
        assert_eq!(inventory::targets_without_name(db, contoso, TargetKind::Group, at(5), "g1", 10).await.unwrap(), ["g2"]);

        let id = inventory::find_external(db, contoso, "alpha", "source").await.unwrap().unwrap();
        let out = outgoing(db, contoso, id).await.unwrap();
        let seen: Vec<_> = out
            .iter()
            .map(|one| (one.relationship, one.target_external_id.as_str(), one.name.as_deref(), one.target_item_id.is_some()))
            .collect();
        assert_eq!(
            seen,
            [
                (Relationship::FilteredBy, "f1", Some("The filter"), true),
                (Relationship::AssignedTo, "g1", Some("Everyone"), false),
                (Relationship::Uses, "app-1", Some("The app"), true),
                (Relationship::ExcludedFrom, "g2", None, false),
            ]
        );
        assert_eq!(out[2].target_policy_type.as_deref(), Some("app"));
        let unnamed: Vec<_> = out.iter().map(|one| one.unnamed).collect();
        assert_eq!(unnamed, [None, Some(Unnamed::Gone), None, Some(Unnamed::Gone)]);
        let back = incoming(db, contoso, "filter", "f1", None).await.unwrap().links;
        assert_eq!((back.len(), back[0].source_item_id, back[0].source_name.as_str()), (1, id, "Source"));
        assert_eq!(incoming(db, contoso, "app", "app-1", None).await.unwrap().links.len(), 1);
        assert!(incoming(db, contoso, "other", "f1", None).await.unwrap().links.is_empty());
        let other = tenant(db, "Fabrikam").await;
        assert!(outgoing(db, other, id).await.unwrap().is_empty());
        assert!(incoming(db, other, "filter", "f1", None).await.unwrap().links.is_empty());
    }

    async fn links_are_replaced_when_they_change_and_kept_when_they_do_not(test: TestDatabase) {
        let db = &test.db;
        let contoso = tenant(db, "Contoso").await;
        let to = |group: &str| link(Relationship::AssignedTo, TargetKind::Group, None, group);
        let steps = [
            ("a", vec![to("g1"), to("g2"), to("g2")], vec!["g1", "g2"]),
            ("b", vec![to("g1"), to("g2"), to("g2")], vec!["g1", "g2"]),
            ("b", vec![to("g2"), to("g3")], vec!["g2", "g3"]),
            ("c", vec![], vec![]),
            ("d", vec![to("g4")], vec!["g4"]),
        ];
        for (index, (content, links, wanted)) in steps.into_iter().enumerate() {
            let time = i64::try_from(index).unwrap() * 10;
            let sync = Sync::start(db, contoso, &["alpha"], at(time)).await;
            sync.read("alpha", &[linked(content, links)], at(time)).await;
            sync.finish(at(time + 1)).await;
            let id = inventory::find_external(db, contoso, "alpha", "source").await.unwrap().unwrap();
            let out = outgoing(db, contoso, id).await.unwrap();
            let targets: Vec<_> = out.iter().map(|one| one.target_external_id.as_str()).collect();
            assert_eq!(targets, wanted, "step {index}");
        }
        let view = inventory::ScopeView::load(db, contoso, None).await.unwrap();
        let id = inventory::find_external(db, contoso, "alpha", "source").await.unwrap().unwrap();
        assert_eq!(inventory::find(db, &view, id).await.unwrap().unwrap().item.links_omitted, 3);
    }
}
