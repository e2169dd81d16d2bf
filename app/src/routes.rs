//! The addresses of all pages.

use crate::page::missing;
use crate::ui::title::TitleFormat;
use crate::{account, audit, inventory, member, notification, run, second_factor, session, sync, tenant, user};
use leptos::prelude::*;
use leptos_meta::provide_meta_context;
use leptos_router::{
    SsrMode,
    components::{Route, Router, Routes},
    path,
};

/// The pages and their addresses. Every page is sent whole (`SsrMode::Async`): its data is there within milliseconds,
/// it needs no script to show, and its status code can still say that something does not exist.
#[component]
pub fn App() -> impl IntoView {
    provide_meta_context();
    view! {
        <TitleFormat />
        <Router>
            <Routes fallback=missing>
                <Route path=path!("/") view=tenant::list_page::Home ssr=SsrMode::Async />
                <Route path=path!("/sign-in") view=session::sign_in_page::SignIn ssr=SsrMode::Async />
                <Route path=path!("/welcome/:token") view=session::first_admin_page::Welcome ssr=SsrMode::Async />
                <Route path=path!("/sign-in/code") view=session::second_step_page::SignInCodePage ssr=SsrMode::Async />
                <Route path=path!("/sign-in/second-factor") view=session::second_step_page::SignInSetUpPage ssr=SsrMode::Async />
                <Route path=path!("/confirm") view=session::confirm_page::ConfirmPage ssr=SsrMode::Async />
                <Route path=path!("/me/second-factor") view=second_factor::page::SecondFactorPage ssr=SsrMode::Async />
                <Route path=path!("/me") view=account::page::Account ssr=SsrMode::Async />
                <Route path=path!("/admin/users") view=user::page::UsersPage ssr=SsrMode::Async />
                <Route path=path!("/admin/tenants/new") view=tenant::add_page::AddTenantPage ssr=SsrMode::Async />
                <Route path=path!("/t/:tenant/inventory") view=inventory::page::InventoryPage ssr=SsrMode::Async />
                <Route path=path!("/t/:tenant/inventory/:item") view=inventory::item_page::ItemPage ssr=SsrMode::Async />
                <Route path=path!("/t/:tenant/sync") view=sync::page::SyncPage ssr=SsrMode::Async />
                <Route path=path!("/t/:tenant/runs") view=run::list_page::RunsPage ssr=SsrMode::Async />
                <Route path=path!("/t/:tenant/runs/:run") view=run::page::RunPage ssr=SsrMode::Async />
                <Route path=path!("/t/:tenant/audit") view=audit::page::AuditPage ssr=SsrMode::Async />
                <Route path=path!("/t/:tenant/notifications") view=notification::page::NotificationsPage ssr=SsrMode::Async />
                <Route path=path!("/t/:tenant/settings") view=tenant::settings_page::SettingsPage ssr=SsrMode::Async />
                <Route path=path!("/t/:tenant/settings/members") view=member::page::MembersPage ssr=SsrMode::Async />
            </Routes>
        </Router>
    }
}
