//! All notifications of the person.

use leptos::prelude::*;
use tenantatlas_domain::ids::{NotificationId, TenantId};
use tenantatlas_domain::time::Timestamp;

use super::functions::MarkAllRead;
use super::list::notification_list;
use super::load as notifications;
use crate::error::AppError;
use crate::frame::view::Section;
use crate::page::{plain_page, query, tenant_page};
use crate::ui::drawn::Drawn as _;
use crate::ui::pager::Pager;
use crate::{address, format, scope};

/// The list, newest first, outside of any tenant.
#[component]
pub fn NotificationsPage() -> impl IntoView {
    let before = before();
    plain_page(move || content(None, before))
}

/// The same list within the frame of a tenant.
#[component]
pub fn TenantNotificationsPage() -> impl IntoView {
    let before = before();
    tenant_page(Section::None, move |inside| async move { content(Some(inside.id()), before).await })
}

async fn content(
    tenant: Option<TenantId>,
    before: Option<(Timestamp, NotificationId)>,
) -> Result<(String, AnyView), AppError> {
    let own_address = address::notifications(tenant);
    let (page, next) = notifications::list(before).await?;
    let next = next.map(|(at, id)| address::with_query(&own_address, [("before", format!("{}.{id}", at.as_millis()))]));
    let read_all = (page.unread > 0).then(|| {
        view! {
            <form method="post" action={address::function_in::<MarkAllRead>(tenant)}>
                <button class="button">"Mark all as read"</button>
            </form>
        }
    });
    let lead = match page.unread {
        0 => "Nothing unread.".to_owned(),
        count => format!("{} unread.", format::number(count)),
    };
    let first = before.map(|_| ("Newest", own_address));
    let pager = Pager { first, next: next.map(|href| ("Older", href)), ..Pager::default() };
    let now = scope::engine()?.now().as_millis();
    let content = view! {
        <div id="notification-list" class="stack" data-live="">
            <div class="page-head">
                <div><h1>"Notifications"</h1><p class="lead">{lead}</p></div>
                <div class="actions">{read_all}</div>
            </div>
            <div class="card">{notification_list(&page.entries, tenant, now, None)}</div>
            {pager.view()}
        </div>
    }
    .drawn();
    Ok(("Notifications".to_owned(), content))
}

/// Where the page begins, as its address says.
fn before() -> Option<(Timestamp, NotificationId)> {
    query()("before").and_then(|text| read(&text))
}

fn read(text: &str) -> Option<(Timestamp, NotificationId)> {
    let (at, id) = text.split_once('.')?;
    Some((Timestamp::from_millis(at.parse().ok()?), id.parse().ok()?))
}
