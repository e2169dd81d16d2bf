//! The pages: their addresses, and who may see them.

use leptos::either::Either;
use leptos::prelude::*;
use leptos_meta::provide_meta_context;
use leptos_router::components::{Route, Router, Routes};
use leptos_router::{SsrMode, path};
use tenantatlas_domain::role::Action;

use crate::access::{Refused, Rule};
use crate::page::{missing, refused_page};
use crate::ui::title::TitleFormat;
use crate::{
    account, audit, endpoint, finding, group, inventory, member, notification, palette, retention, run, schedule,
    second_factor, session, setting, sync, tenant, token, user, version,
};

/// A page as it is declared.
#[derive(Debug, Clone, Copy)]
pub struct Page {
    /// Its path, with a colon before what differs: `/t/:tenant/runs/:run`.
    pub path: &'static str,
    /// Who may see it.
    pub rule: Rule,
}

impl Page {
    /// Its path as the router of the server writes it: `/t/{tenant}/runs/{run}`.
    #[must_use]
    pub fn route(&self) -> String {
        let segments = self.path.split('/').map(|segment| match segment.strip_prefix(':') {
            Some(name) => format!("{{{name}}}"),
            None => segment.to_owned(),
        });
        segments.collect::<Vec<_>>().join("/")
    }
}

/// Makes the list of pages and the application that shows them from one declaration.
macro_rules! pages {
    ($($path:tt => $($view:ident)::+, $rule:expr;)+) => {
        /// Every page.
        pub const PAGES: &[Page] = &[$(Page { path: $path, rule: $rule }),+];

        /// The pages at their addresses. Every page is sent whole (`SsrMode::Async`): its data is there within
        /// milliseconds, it needs no script to show, and its status code can still say that something does not exist.
        #[component]
        fn Pages() -> impl IntoView {
            view! {
                <Router>
                    <Routes fallback=missing>
                        $(<Route path=path!($path) view=$($view)::+ ssr=SsrMode::Async />)+
                    </Routes>
                </Router>
            }
        }
    };
}

pages! {
    "/" => tenant::list_page::Home, Rule::SignedIn;
    "/sign-in" => session::sign_in_page::SignIn, Rule::Public;
    "/welcome/:token" => session::first_admin_page::Welcome, Rule::Public;
    "/invitation/:token" => session::invitation_page::InvitationPage, Rule::Public;
    "/sign-in/code" => session::second_step_page::SignInCodePage, Rule::Public;
    "/sign-in/second-factor" => session::second_step_page::SignInSetUpPage, Rule::Public;
    "/confirm" => session::confirm_page::ConfirmPage, Rule::SignedIn;
    "/me/second-factor" => second_factor::page::SecondFactorPage, Rule::SignedIn;
    "/me" => account::page::Account, Rule::SignedIn;
    "/me/tokens" => token::page::TokensPage, Rule::SignedIn;
    "/consent" => tenant::consent_page::ConsentPage, Rule::SignedIn;
    "/help" => palette::help_page::HelpPage, Rule::SignedIn;
    "/admin/users" => user::page::UsersPage, Rule::Administrator;
    "/admin/retention" => retention::page::RetentionPage, Rule::Administrator;
    "/settings" => setting::page::SettingsPage, Rule::SignedIn;
    "/runs" => run::hub::page::AllRunsPage, Rule::SignedIn;
    "/schedules" => schedule::page::AllSchedulesPage, Rule::SignedIn;
    "/notifications" => notification::page::NotificationsPage, Rule::SignedIn;
    "/admin/tenants" => tenant::all_page::AllTenantsPage, Rule::Administrator;
    "/admin/tenants/new" => tenant::add_page::AddTenantPage, Rule::Administrator;
    "/t/:tenant/inventory" => inventory::page::InventoryPage, Rule::Member(Action::View);
    "/t/:tenant/inventory/:item" => inventory::item_page::ItemPage, Rule::Member(Action::View);
    "/t/:tenant/inventory/:item/versions/:version" => version::page::VersionPage, Rule::Member(Action::SeeBodies);
    "/t/:tenant/inventory/:item/difference" => version::difference_page::DifferencePage, Rule::Member(Action::SeeBodies);
    "/t/:tenant/groups/:group" => group::page::GroupPage, Rule::Member(Action::View);
    "/t/:tenant/sync" => sync::page::SyncPage, Rule::Member(Action::Sync);
    "/t/:tenant/runs" => run::hub::page::RunsPage, Rule::Member(Action::View);
    "/t/:tenant/runs/:run" => run::page::RunPage, Rule::Member(Action::View);
    "/t/:tenant/schedules" => schedule::page::SchedulesPage, Rule::Member(Action::View);
    "/t/:tenant/schedules/:schedule" => schedule::one_page::SchedulePage, Rule::Member(Action::View);
    "/t/:tenant/findings" => finding::page::FindingsPage, Rule::Member(Action::View);
    "/t/:tenant/policy-settings" => setting::page::TenantSettingsPage, Rule::Member(Action::SeeBodies);
    "/t/:tenant/audit" => audit::page::AuditPage, Rule::Member(Action::View);
    "/t/:tenant/notifications" => notification::page::TenantNotificationsPage, Rule::Member(Action::View);
    "/t/:tenant/settings" => tenant::settings_page::SettingsPage, Rule::Member(Action::View);
    "/t/:tenant/settings/endpoints" => endpoint::page::EndpointsPage, Rule::Member(Action::EditEndpoints);
    "/t/:tenant/settings/members" => member::page::MembersPage, Rule::Member(Action::View);
    "/t/:tenant/settings/tokens" => token::page::TenantTokensPage, Rule::Member(Action::EditConnection);
}

/// The application: the page of the address, or why this person may not see it.
#[component]
pub fn App() -> impl IntoView {
    provide_meta_context();
    let content = match use_context::<Refused>() {
        Some(Refused(error)) => Either::Left(refused_page(error)),
        None => Either::Right(view! { <Pages /> }),
    };
    view! {
        <TitleFormat />
        {content}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::address;

    /// Whether an address is one that the route of a page stands for.
    fn fits(page: &Page, address: &str) -> bool {
        let path = address.split('?').next().unwrap_or_default();
        let (declared, asked): (Vec<_>, Vec<_>) = (page.path.split('/').collect(), path.split('/').collect());
        declared.len() == asked.len()
            && declared.iter().zip(&asked).all(|(part, asked)| part.starts_with(':') || part == asked)
    }

    #[test]
    fn every_address_of_a_page_leads_to_a_page_and_every_page_has_an_address() {
        let at = address::tenant("01");
        let outside = [
            address::HOME,
            address::SIGN_IN,
            address::SIGN_IN_CODE,
            address::SIGN_IN_SET_UP,
            address::CONFIRM,
            address::ACCOUNT,
            address::TOKENS,
            address::SECOND_FACTOR,
            address::HELP,
            address::CONSENT,
            address::USERS,
            address::RETENTION,
            address::ADD_TENANT,
            address::NOTIFICATIONS,
            address::SETTINGS,
            address::RUNS,
            address::SCHEDULES,
            address::ALL_TENANTS,
        ];
        let inside = [
            at.inventory(),
            at.item("02"),
            at.version("02", 1),
            at.version_with_scripts("02", 1),
            at.difference("02", 1, 2),
            at.difference_of_all("02", 1, 2),
            at.difference_with_scripts("02", 1, 2),
            at.group(&tenantatlas_domain::references::Assigned::Nobody),
            at.items_of_type("x"),
            at.inventory_of_scope(3),
            at.sync(),
            at.sync_preset("x"),
            at.runs(),
            at.schedules(),
            at.schedule("08"),
            at.run("04"),
            at.run_of_sync("05"),
            at.findings(),
            at.audit(),
            at.notifications(),
            at.settings(),
            at.policy_settings(),
            at.members(),
            at.endpoints(),
            at.endpoint("07"),
            at.endpoint_to_change("07"),
            at.tokens(),
            at.members_without("06"),
            address::welcome("token"),
            address::invitation("token"),
        ];
        let addresses: Vec<&str> = outside.into_iter().chain(inside.iter().map(String::as_str)).collect();
        for address in &addresses {
            assert!(PAGES.iter().any(|page| fits(page, address)), "{address} leads nowhere");
        }
        for page in PAGES {
            assert!(addresses.iter().any(|address| fits(page, address)), "{} cannot be linked to", page.path);
        }
        let exact = |address: &str| PAGES.iter().filter(|page| page.path == address).count();
        assert!(outside.iter().all(|address| exact(address) == 1));
    }

    #[test]
    fn what_lies_below_a_tenant_is_for_its_members_and_nothing_else_is() {
        for page in PAGES {
            assert_eq!(page.path.starts_with("/t/"), page.rule.inside(), "{}", page.path);
        }
        assert_eq!(Page { path: "/t/:tenant/runs/:run", rule: Rule::SignedIn }.route(), "/t/{tenant}/runs/{run}");
    }
}
