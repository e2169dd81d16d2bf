//! The addresses of all pages.

use crate::component::TitleFormat;
use crate::page;
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
            <Routes fallback=page::missing>
                <Route path=path!("/") view=page::Home ssr=SsrMode::Async />
                <Route path=path!("/sign-in") view=page::SignIn ssr=SsrMode::Async />
                <Route path=path!("/welcome/:token") view=page::Welcome ssr=SsrMode::Async />
                <Route path=path!("/sign-in/code") view=page::SignInCodePage ssr=SsrMode::Async />
                <Route path=path!("/sign-in/second-factor") view=page::SignInSetUpPage ssr=SsrMode::Async />
                <Route path=path!("/confirm") view=page::ConfirmPage ssr=SsrMode::Async />
                <Route path=path!("/me/second-factor") view=page::SecondFactorPage ssr=SsrMode::Async />
                <Route path=path!("/me") view=page::Account ssr=SsrMode::Async />
                <Route path=path!("/admin/users") view=page::UsersPage ssr=SsrMode::Async />
                <Route path=path!("/admin/tenants/new") view=page::AddTenantPage ssr=SsrMode::Async />
                <Route path=path!("/t/:tenant/inventory") view=page::InventoryPage ssr=SsrMode::Async />
                <Route path=path!("/t/:tenant/inventory/:item") view=page::ItemPage ssr=SsrMode::Async />
                <Route path=path!("/t/:tenant/sync") view=page::SyncPage ssr=SsrMode::Async />
                <Route path=path!("/t/:tenant/runs") view=page::RunsPage ssr=SsrMode::Async />
                <Route path=path!("/t/:tenant/runs/:run") view=page::RunPage ssr=SsrMode::Async />
                <Route path=path!("/t/:tenant/audit") view=page::AuditPage ssr=SsrMode::Async />
                <Route path=path!("/t/:tenant/notifications") view=page::NotificationsPage ssr=SsrMode::Async />
                <Route path=path!("/t/:tenant/settings") view=page::SettingsPage ssr=SsrMode::Async />
                <Route path=path!("/t/:tenant/settings/members") view=page::MembersPage ssr=SsrMode::Async />
            </Routes>
        </Router>
    }
}
