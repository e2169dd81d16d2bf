//! All notifications of the person.

use super::functions::MarkAllRead;
use super::list::notification_list;
use super::load as notifications;
use crate::frame::view::Section;
use crate::page::{query, tenant_page};
use crate::ui::pager::Pager;
use crate::{address, format};
use leptos::prelude::*;
use tenantatlas_domain::ids::NotificationId;
use tenantatlas_domain::time::Timestamp;

/// The list, newest first.
#[component]
pub fn NotificationsPage() -> impl IntoView {
    let before = query()("before").and_then(|text| read(&text));
    tenant_page(Section::None, move |inside| async move {
        let (page, next) = notifications::list(&inside, before).await?;
        let next = next.map(|(at, id)| {
            address::with_query(&inside.address().notifications(), [("before", format!("{}.{id}", at.as_millis()))])
        });
        let pager = Pager { next: next.map(|href| ("Older", href)), ..Pager::default() };
        let read_all = (page.unread > 0).then(|| {
            view! {
                <form method="post" action={inside.address().function::<MarkAllRead>()}>
                    <button class="button">"Mark all as read"</button>
                </form>
            }
        });
        let lead = match page.unread {
            0 => "Nothing unread.".to_owned(),
            count => format!("{} unread.", format::number(count)),
        };
        let content = view! {
            <div id="notifications" class="stack" data-live="">
                <div class="page-head">
                    <div><h1>"Notifications"</h1><p class="lead">{lead}</p></div>
                    <div class="actions">{read_all}</div>
                </div>
                <div class="card">{notification_list(&page.entries, inside.id(), None)}</div>
                {pager.view()}
            </div>
        }
        .into_any();
        Ok(("Notifications".to_owned(), content))
    })
}

fn read(text: &str) -> Option<(Timestamp, NotificationId)> {
    let (at, id) = text.split_once('.')?;
    Some((Timestamp::from_millis(at.parse().ok()?), id.parse().ok()?))
}
