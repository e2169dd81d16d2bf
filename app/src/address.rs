//! The addresses of this site. Every link, form and redirect is made here, and nowhere else is one written out; what the
//! pages are called is declared in `routes.rs`, whose tests hold both together.

use std::fmt::Display;

use leptos::server_fn::ServerFn;
use tenantatlas_domain::ids::TenantId;

/// All tenants of a person.
pub const HOME: &str = "/";
/// E-mail and password.
pub const SIGN_IN: &str = "/sign-in";
/// The code of a second factor, after the password.
pub const SIGN_IN_CODE: &str = "/sign-in/code";
/// The set-up of a second factor, after the password.
pub const SIGN_IN_SET_UP: &str = "/sign-in/second-factor";
/// The password again, before something sensitive.
pub const CONFIRM: &str = "/confirm";
/// One's own name, password and sessions.
pub const ACCOUNT: &str = "/me";
/// One's own tokens of the API.
pub const TOKENS: &str = "/me/tokens";
/// One's own second factor.
pub const SECOND_FACTOR: &str = "/me/second-factor";
/// Everybody who may sign in.
pub const USERS: &str = "/admin/users";
/// How long is kept what has ended.
pub const RETENTION: &str = "/admin/retention";
/// The keys, what the words mean, and the version.
pub const HELP: &str = "/help";
/// The form for a new tenant.
pub const ADD_TENANT: &str = "/admin/tenants/new";
/// Where Microsoft leads back to after admin consent.
pub const CONSENT: &str = "/consent";

/// What policies set, over all tenants of a person.
pub const SETTINGS: &str = "/settings";
/// The runs of all tenants of a person.
pub const RUNS: &str = "/runs";
/// The schedules of all tenants of a person.
pub const SCHEDULES: &str = "/schedules";
/// The notifications of a person.
pub const NOTIFICATIONS: &str = "/notifications";
/// The live stream of a person.
pub const EVENTS: &str = "/events";
/// All tenants, for those who administer the platform.
pub const ALL_TENANTS: &str = "/admin/tenants";

/// What stands before the name of a server function, at the root and below a tenant.
pub const FUNCTIONS: &str = "/api";

/// Addresses that are no pages, as the router writes them.
pub mod route {
    /// A tenant; it leads to its inventory.
    pub const TENANT: &str = "/t/{tenant}";
    /// The live stream of a tenant.
    pub const EVENTS: &str = "/t/{tenant}/events";
    /// The live stream of a person, over all their tenants.
    pub const EVENTS_OF_PERSON: &str = super::EVENTS;
    /// A download of the findings.
    pub const FINDINGS_EXPORT: &str = "/t/{tenant}/findings/export.{kind}";
    /// A download of the inventory.
    pub const INVENTORY_EXPORT: &str = "/t/{tenant}/inventory/export.{kind}";
    /// A download of the body of a version.
    pub const VERSION_EXPORT: &str = "/t/{tenant}/inventory/{item}/versions/{version}/body.json";
    /// A download of the difference of two versions.
    pub const DIFFERENCE_EXPORT: &str = "/t/{tenant}/inventory/{item}/difference.json";
    /// A download of what policies set, over all tenants of a person.
    pub const SETTINGS_EXPORT: &str = "/settings/export.{kind}";
    /// The same of a tenant.
    pub const TENANT_SETTINGS_EXPORT: &str = "/t/{tenant}/policy-settings/export.{kind}";
    /// A download of the audit log.
    pub const AUDIT_EXPORT: &str = "/t/{tenant}/audit/export.csv";
}

/// A download of what the search of settings at an address finds: `csv` or `json`.
#[must_use]
pub fn settings_export(base: &str, kind: &str) -> String {
    format!("{base}/export.{kind}")
}

/// The link by which the first administrator is made.
#[must_use]
pub fn welcome(token: &str) -> String {
    format!("/welcome/{token}")
}

/// The link by which somebody who was invited makes their account.
#[must_use]
pub fn invitation(token: &str) -> String {
    format!("/invitation/{token}")
}

/// The form for a new tenant, with a certificate that was made for it.
#[must_use]
pub fn add_tenant_with(certificate: impl Display) -> String {
    format!("{ADD_TENANT}?certificate={certificate}")
}

/// A server function outside of any tenant.
#[must_use]
pub fn function<F: ServerFn>() -> &'static str {
    F::PATH
}

/// The notifications of the person, as they are reached from a page of this tenant, or from one outside of any.
#[must_use]
pub fn notifications(page: Option<TenantId>) -> String {
    page.map_or_else(|| NOTIFICATIONS.to_owned(), |id| tenant(id).notifications())
}

/// The live stream of a page of this tenant, or of one outside of any.
#[must_use]
pub fn events(page: Option<TenantId>) -> String {
    page.map_or_else(|| EVENTS.to_owned(), |id| tenant(id).events())
}

/// A server function that can be reached from everywhere, below the tenant of the page where there is one: it then leads
/// back there.
#[must_use]
pub fn function_in<F: ServerFn>(page: Option<TenantId>) -> String {
    page.map_or_else(|| F::PATH.to_owned(), |id| tenant(id).function::<F>())
}

/// A page that leads on to another one when it is done.
#[cfg(feature = "ssr")]
#[must_use]
pub fn with_next(page: &str, next: &str) -> String {
    if next == HOME || next.is_empty() {
        return page.to_owned();
    }
    with_query(page, [("next", next)])
}

/// An address with these parameters; without any it stays as it is.
#[cfg(feature = "ssr")]
#[must_use]
pub fn with_query<N: AsRef<str>, V: AsRef<str>>(path: &str, pairs: impl IntoIterator<Item = (N, V)>) -> String {
    let mut pairs = pairs.into_iter().peekable();
    if pairs.peek().is_none() {
        return path.to_owned();
    }
    let begin = format!("{path}?");
    let length = begin.len();
    url::form_urlencoded::Serializer::for_suffix(begin, length).extend_pairs(pairs).finish()
}

/// The tenant that a path names: `/t/{tenant}` and everything below.
#[must_use]
pub fn tenant_in(path: &str) -> Option<&str> {
    path.strip_prefix("/t/")?.split('/').next()
}

/// The addresses of a tenant, by its id.
pub fn tenant(id: impl Display) -> TenantAddress {
    TenantAddress { root: format!("/t/{id}"), scope: None }
}

/// Where a tenant lies: its pages, server functions and streams are below.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TenantAddress {
    root: String,
    /// The scope as which items and groups are seen; the main one otherwise.
    scope: Option<i64>,
}

impl TenantAddress {
    /// The address itself, before all others of the tenant.
    #[must_use]
    pub fn root(&self) -> &str {
        &self.root
    }

    /// One of the pages of the navigation, by its name there.
    #[must_use]
    pub fn section(&self, name: &str) -> String {
        format!("{}/{name}", self.root)
    }

    /// The inventory.
    #[must_use]
    pub fn inventory(&self) -> String {
        self.section("inventory")
    }

    /// One item.
    #[must_use]
    pub fn item(&self, id: impl Display) -> String {
        self.seen(self.path_of_item(id))
    }

    fn path_of_item(&self, id: impl Display) -> String {
        format!("{}/inventory/{id}", self.root)
    }

    /// A path as the syncs of the scope see it.
    fn seen(&self, path: String) -> String {
        self.scope.map(|scope| format!("{path}?scope={scope}")).unwrap_or(path)
    }

    /// The page on which a sync is chosen.
    #[must_use]
    pub fn sync(&self) -> String {
        self.section("sync")
    }

    /// The page on which a sync is chosen, with a ready-made choice.
    #[must_use]
    pub fn sync_preset(&self, preset: &str) -> String {
        format!("{}/sync?preset={preset}", self.root)
    }

    /// All runs.
    #[must_use]
    pub fn runs(&self) -> String {
        self.section("runs")
    }

    /// One run.
    #[must_use]
    pub fn run(&self, id: impl Display) -> String {
        format!("{}/runs/{id}", self.root)
    }

    /// What is started by the clock.
    #[must_use]
    pub fn schedules(&self) -> String {
        self.section("schedules")
    }

    /// One of its schedules.
    #[must_use]
    pub fn schedule(&self, id: impl Display) -> String {
        format!("{}/schedules/{id}", self.root)
    }

    /// The notifications of the person, as they are reached from the tenant.
    #[must_use]
    pub fn notifications(&self) -> String {
        self.section("notifications")
    }

    /// Where news of the tenant are sent.
    #[must_use]
    pub fn endpoints(&self) -> String {
        self.section("settings/endpoints")
    }

    /// The live stream.
    #[must_use]
    pub fn events(&self) -> String {
        self.section("events")
    }

    /// A server function of the tenant.
    #[must_use]
    pub fn function<F: ServerFn>(&self) -> String {
        format!("{}{}", self.root, F::PATH)
    }
}

#[cfg(feature = "ssr")]
impl TenantAddress {
    /// The same with links to items, groups and types as the syncs of a scope see them, so that who chose one stays in it.
    #[must_use]
    pub fn in_scope(mut self, scope: Option<tenantatlas_store::scopes::ScopeId>) -> Self {
        self.scope = scope.map(|scope| scope.0);
        self
    }

    /// The scope that was chosen.
    #[must_use]
    pub fn scope(&self) -> Option<tenantatlas_store::scopes::ScopeId> {
        self.scope.map(tenantatlas_store::scopes::ScopeId)
    }

    /// What a group gets; also all users, all devices, and what nobody gets.
    #[must_use]
    pub fn group(&self, assigned: &tenantatlas_domain::references::Assigned) -> String {
        self.seen(format!("{}/groups/{assigned}", self.root))
    }

    /// An item as the syncs of a scope see it, with the page of what refers to it that is behind another item.
    #[must_use]
    pub fn item_referred_to(
        &self,
        id: impl Display,
        scope: Option<impl Display>,
        after: Option<impl Display>,
    ) -> String {
        let scope = scope.map(|scope| ("scope", scope.to_string()));
        let after = after.map(|after| ("after", after.to_string()));
        format!("{}#incoming-title", with_query(&self.path_of_item(id), scope.into_iter().chain(after)))
    }

    /// One version of an item.
    #[must_use]
    pub fn version(&self, item: impl Display, number: u64) -> String {
        format!("{}/versions/{number}", self.path_of_item(item))
    }

    /// The same with scripts and payloads.
    #[must_use]
    pub fn version_with_scripts(&self, item: impl Display, number: u64) -> String {
        with_query(&self.version(item, number), [("scripts", "shown")])
    }

    /// A download of the body of a version.
    #[must_use]
    pub fn version_export(&self, item: impl Display, number: u64) -> String {
        format!("{}/body.json", self.version(item, number))
    }

    /// What differs between two versions of an item.
    #[must_use]
    pub fn difference(&self, item: impl Display, from: u64, to: u64) -> String {
        format!("{}/difference?from={from}&to={to}", self.path_of_item(item))
    }

    /// The same with what is the same.
    #[must_use]
    pub fn difference_of_all(&self, item: impl Display, from: u64, to: u64) -> String {
        format!("{}&show=all", self.difference(item, from, to))
    }

    /// The same with scripts and payloads.
    #[must_use]
    pub fn difference_with_scripts(&self, item: impl Display, from: u64, to: u64) -> String {
        format!("{}&scripts=shown", self.difference(item, from, to))
    }

    /// A download of what differs.
    #[must_use]
    pub fn difference_export(&self, item: impl Display, from: u64, to: u64) -> String {
        format!("{}/difference.json?from={from}&to={to}", self.path_of_item(item))
    }

    /// The inventory as the syncs of the scope see it, where one was chosen.
    #[must_use]
    pub fn inventory_in_scope(&self) -> String {
        self.seen(self.inventory())
    }

    /// The items of a policy type, by its key.
    #[must_use]
    pub fn items_of_type(&self, key: &str) -> String {
        let scope = self.scope.map(|scope| ("scope", scope.to_string()));
        with_query(&self.inventory(), [("type", key.to_owned())].into_iter().chain(scope))
    }

    /// The items of a policy type as the syncs of a scope see them.
    #[must_use]
    pub fn items_of_type_in(&self, key: &str, scope: impl Display) -> String {
        with_query(&self.inventory(), [("type", key), ("scope", &scope.to_string())])
    }

    /// The inventory as the syncs of a scope see it.
    #[must_use]
    pub fn inventory_of_scope(&self, scope: impl Display) -> String {
        format!("{}?scope={scope}", self.inventory())
    }

    /// A download of the inventory: `csv` or `json`.
    #[must_use]
    pub fn inventory_export(&self, kind: &str) -> String {
        format!("{}/inventory/export.{kind}", self.root)
    }

    /// The run that made a sync run.
    #[must_use]
    pub fn run_of_sync(&self, sync: impl Display) -> String {
        format!("{}/runs/sync-{sync}", self.root)
    }

    /// What drifted.
    #[must_use]
    pub fn findings(&self) -> String {
        self.section("findings")
    }

    /// A download of findings: `csv` or `json`.
    #[must_use]
    pub fn findings_export(&self, kind: &str) -> String {
        format!("{}/findings/export.{kind}", self.root)
    }

    /// The audit log.
    #[must_use]
    pub fn audit(&self) -> String {
        self.section("audit")
    }

    /// A download of the audit log.
    #[must_use]
    pub fn audit_export(&self) -> String {
        format!("{}/audit/export.csv", self.root)
    }

    /// What its policies set.
    #[must_use]
    pub fn policy_settings(&self) -> String {
        self.section("policy-settings")
    }

    /// How the tenant is connected.
    #[must_use]
    pub fn settings(&self) -> String {
        self.section("settings")
    }

    /// Who may do what.
    #[must_use]
    pub fn members(&self) -> String {
        format!("{}/settings/members", self.root)
    }

    /// The endpoints, with what was sent to one of them.
    #[must_use]
    pub fn endpoint(&self, id: impl Display) -> String {
        with_query(&self.endpoints(), [("show", id.to_string())])
    }

    /// The endpoints, with the form that changes one of them.
    #[must_use]
    pub fn endpoint_to_change(&self, id: impl Display) -> String {
        format!("{}#change-title", with_query(&self.endpoints(), [("change", id.to_string())]))
    }

    /// Its tokens of the API.
    #[must_use]
    pub fn tokens(&self) -> String {
        format!("{}/settings/tokens", self.root)
    }

    /// The list of members, after somebody was removed.
    #[must_use]
    pub fn members_without(&self, user: impl Display) -> String {
        with_query(&self.members(), [("removed", user.to_string())])
    }
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use super::*;

    #[test]
    fn the_tenant_is_read_from_the_address_alone() {
        assert_eq!(tenant_in("/t/abc/inventory"), Some("abc"));
        assert_eq!(tenant_in(tenant("abc").root()), Some("abc"));
        assert_eq!(tenant_in("/me"), None);
    }

    #[test]
    fn who_looks_at_a_scope_stays_in_it_by_every_link() {
        let at = tenant("abc").in_scope(Some(tenantatlas_store::scopes::ScopeId(3)));
        for seen in [at.item(7), at.group(&tenantatlas_domain::references::Assigned::Nobody), at.inventory_in_scope()] {
            assert!(seen.ends_with("?scope=3"), "{seen}");
        }
        assert!(at.items_of_type("x").ends_with("?type=x&scope=3"));
        assert_eq!(at.version(7, 2), "/t/abc/inventory/7/versions/2");
        assert_eq!(tenant("abc").item(7), "/t/abc/inventory/7");
    }

    #[test]
    fn parameters_are_written_only_where_there_are_any() {
        assert_eq!(with_query("/x", [("q", "a & b"), ("z", "1")]), "/x?q=a+%26+b&z=1");
        assert_eq!(with_query::<&str, &str>("/x", []), "/x");
        assert_eq!(with_next(SIGN_IN, HOME), SIGN_IN);
        assert_eq!(with_next(SIGN_IN, "/me"), "/sign-in?next=%2Fme");
    }
}
