//! The frame around every page.

use leptos::prelude::*;
use tenantatlas_domain::invisible::visible_on_page;
use tenantatlas_domain::role::Action;

use super::load::{FrameData, LiveData};
use super::views;
use crate::account::theme_switch::ThemeSwitch;
use crate::address::TenantAddress;
use crate::notification::bell::Bell;
use crate::palette::help_page::VERSION;
use crate::run::progress_widget::ProgressWidget;
use crate::scope::Inside;
use crate::session::current::CurrentSession;
use crate::session::functions::SignOut;
use crate::tenant::switcher::TenantSwitcher;
use crate::ui::drawn::Drawn as _;
use crate::ui::icon::Icon;
use crate::ui::logo::logo;
use crate::ui::title::page_title;
use crate::{address, format};

/// The pages of a tenant, as the navigation has them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Section {
    /// What is there.
    Inventory,
    /// What was and is being done.
    Runs,
    /// What drifted.
    Findings,
    /// What policies set.
    PolicySettings,
    /// Who asked.
    Audit,
    /// How it is connected.
    Settings,
    /// A page beside these.
    None,
}

impl Section {
    const ALL: [Self; 6] =
        [Self::Inventory, Self::PolicySettings, Self::Runs, Self::Findings, Self::Audit, Self::Settings];

    const fn slug(self) -> &'static str {
        match self {
            Self::Inventory | Self::None => "inventory",
            Self::Runs => "runs",
            Self::Findings => "findings",
            Self::PolicySettings => "policy-settings",
            Self::Audit => "audit",
            Self::Settings => "settings",
        }
    }

    const fn label(self) -> &'static str {
        match self {
            Self::Inventory | Self::None => "Inventory",
            Self::Runs => "Runs",
            Self::Findings => "Findings",
            Self::PolicySettings => "Search",
            Self::Audit => "Audit",
            Self::Settings => "Settings",
        }
    }

    /// The list to go back to from something in this section that is not there.
    pub(crate) fn list(self, at: &TenantAddress) -> Option<(String, &'static str)> {
        (self != Self::None).then(|| (at.section(self.slug()), self.label()))
    }

    const fn icon(self) -> Icon {
        match self {
            Self::Inventory | Self::None => Icon::Inventory,
            Self::Runs => Icon::Runs,
            Self::Findings => Icon::Warning,
            Self::PolicySettings => Icon::Search,
            Self::Audit => Icon::Audit,
            Self::Settings => Icon::Settings,
        }
    }
}

/// Where a page stands in its tenant.
#[derive(Debug, Clone)]
pub struct Place {
    /// The page of the navigation that it belongs to.
    pub section: Section,
    /// What the address of the list of items says of it, where that list is the page; empty where it says nothing.
    pub list: Option<String>,
}

impl From<Section> for Place {
    fn from(section: Section) -> Self {
        Self { section, list: None }
    }
}

/// A page of a tenant: top bar, navigation, content, and the corner that is live.
pub fn tenant_frame(inside: &Inside, frame: FrameData, place: &Place, title: &str, content: AnyView) -> AnyView {
    let FrameData { theme, tenant, near, live, single_keys, saved_views } = frame;
    let Place { section, list } = place;
    let section = *section;
    let LiveData { unread, runs, now, fingerprint } = live;
    let session = &inside.session;
    let (id, at) = (tenant.id, address::tenant(tenant.id));
    let full_title = format!("{title} · {}", tenant.name);
    let links = Section::ALL
        .into_iter()
        .filter(|entry| *entry != Section::PolicySettings || inside.role.allows(Action::SeeBodies))
        .map(|entry| {
            view! {
                <a
                    class=(entry == Section::PolicySettings).then_some("with-room")
                    href=at.section(entry.slug()) aria-current=(entry == section).then_some("page")>
                    {entry.icon().view()}
                    <span>{entry.label()}</span>
                </a>
            }
        })
        .collect_view();
    view! {
        {page_title(full_title)}
        <div class="frame" data-runs=fingerprint data-made=now.to_string() data-single-keys=single_keys.then_some("")>
            <a class="skip" href="#main">"Skip to content"</a>
            <header class="top">
                <a class="brand" href=address::HOME aria-label="TenantAtlas, all tenants">{logo()}<span>"TenantAtlas"</span></a>
                <TenantSwitcher current=tenant section=section.slug().to_owned() near />
                <span class="spring"></span>
                {palette_button()}
                <Bell tenant=Some(id) unread />
                {person_menu(session, theme)}
            </header>
            <nav class="side" aria-label="Tenant">
                {links}
                {views::saved_views(&at, &saved_views, list.as_deref())}
                <p class="side-foot">
                    <a href=address::HELP data-keys="">"Keys"</a>
                    <a href=address::HELP>"Help"</a>
                    <span>"Version "{VERSION}</span>
                </p>
            </nav>
            <main class="main" id="main" tabindex="-1">{content}</main>
            <p class="visually-hidden" role="status" id="said"></p>
            <ProgressWidget tenant=Some(id) user=session.user_id runs now />
        </div>
    }
    .drawn()
}

/// A page outside of any tenant. What is live comes with it for whoever is signed in, unless it could not be loaded.
pub fn plain_frame(
    session: Option<&CurrentSession>,
    live: Option<LiveData>,
    theme: String,
    title: String,
    content: AnyView,
) -> AnyView {
    let single_keys = session.and_then(|session| session.preferences.single_keys.then_some(""));
    let menu = session.map(|session| person_menu(session, theme));
    let made = live.as_ref().map(|live| (live.fingerprint.clone(), live.now.to_string()));
    let (fingerprint, made) = made.unzip();
    let (bell, widget) = session
        .zip(live)
        .map(|(session, LiveData { unread, runs, now, .. })| {
            let bell = view! { <Bell tenant=None unread /> };
            (bell, view! { <ProgressWidget tenant=None user=session.user_id runs now /> })
        })
        .unzip();
    view! {
        {page_title(title)}
        <div class="frame plain" data-runs=fingerprint data-made=made data-single-keys=single_keys>
            <a class="skip" href="#main">"Skip to content"</a>
            <header class="top">
                <a class="brand" href=address::HOME aria-label="TenantAtlas, all tenants">{logo()}<span>"TenantAtlas"</span></a>
                <span class="spring"></span>
                {session.map(|_| palette_button())}
                {bell}
                {menu}
            </header>
            <main class="main" id="main" tabindex="-1">{content}</main>
            {widget}
        </div>
    }
    .drawn()
}

/// What opens the palette; without a script there is none.
fn palette_button() -> AnyView {
    view! {
        <button class="icon-button with-script" type="button" data-palette="" aria-label="Go to anything" aria-keyshortcuts="Control+K" title="Go to anything (Ctrl K)">
            {Icon::Search.view()}
        </button>
    }
    .drawn()
}

/// In which time zone times are told. Without a script they are in UTC.
fn zone_switch() -> AnyView {
    view! {
        <div class="segments with-script" role="group" aria-label="Time zone">
            <button type="button" data-zone="own" aria-pressed="true">{Icon::Waiting.view()}"My time zone"</button>
            <button type="button" data-zone="utc" aria-pressed="false">"UTC"</button>
        </div>
    }
    .drawn()
}

fn person_menu(session: &CurrentSession, theme: String) -> AnyView {
    let sign_out = address::function::<SignOut>();
    view! {
        <button class="icon-button" type="button" popovertarget="person-menu" aria-label=format!("{}, account of {}", format::initials(&session.name), session.name)>
            <span class="avatar" aria-hidden="true">{format::initials(&session.name)}</span>
        </button>
        <div class="menu" id="person-menu" popover="auto">
            <div class="menu-head">
                <strong>{session.name.clone()}</strong>
                <span>{visible_on_page(&session.email).into_owned()}</span>
            </div>
            <ThemeSwitch theme />
            {zone_switch()}
            <hr />
            <a class="menu-item" href=address::ACCOUNT>{Icon::Person.view()}"Profile and sessions"</a>
            <a class="menu-item" href=address::HOME>{Icon::Tenant.view()}"All tenants"</a>
            <a class="menu-item" href=address::RUNS>{Icon::Runs.view()}"Runs of all tenants"</a>
            <a class="menu-item" href=address::SETTINGS>{Icon::Search.view()}"Policy settings"</a>
            <a class="menu-item" href=address::HELP>{Icon::Compass.view()}<span class="grow">"Help and keys"</span><span class="quiet-text">"Version "{VERSION}</span></a>
            {session.platform_admin.then(|| view! {
                <a class="menu-item" href=address::USERS>{Icon::People.view()}"Administration"</a>
            })}
            <hr />
            <form method="post" action=sign_out>
                <button class="menu-item">{Icon::Leave.view()}"Sign out"</button>
            </form>
        </div>
    }
    .drawn()
}
