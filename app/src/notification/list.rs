//! The list of notifications, in the drawer and on its page.

use leptos::either::Either;
use leptos::prelude::*;
use tenantatlas_domain::ids::TenantId;

use super::model::Notification;
use crate::island::erased;
use crate::run::bucket::look;
use crate::ui::icon::Icon;
use crate::{address, format, zone};

/// Notifications, newest first, told at this time of the clock. `tenant` is that of the page: others are named. With
/// `on_read`, in the drawer, they stand below their days, which the browser knows, and each unread one is marked when it is
/// followed; without it, on the page, each says how long ago it was and has a form.
pub fn notification_list(
    entries: &[Notification],
    tenant: Option<TenantId>,
    now: i64,
    on_read: Option<Callback<String>>,
) -> impl IntoView + use<> {
    if entries.is_empty() {
        return Either::Left(erased(view! {
            <div class="empty">
                {Icon::Bell.view()}
                <h2>"No notifications"</h2>
                <p>"When a sync that you started has ended, you read it here."</p>
            </div>
        }));
    }
    let mut days: Vec<(String, Vec<_>)> = Vec::new();
    for entry in entries {
        let day = if on_read.is_some() { zone::day_words(entry.created_at, now) } else { String::new() };
        let row = row(entry, tenant, now, on_read);
        match days.last_mut() {
            Some((last, rows)) if *last == day => rows.push(row),
            _ => days.push((day, vec![row])),
        }
    }
    let days = days.into_iter().map(|(day, rows)| {
        erased(view! {
            <section>
                {(!day.is_empty()).then(|| view! { <h2 class="day">{day}</h2> })}
                {rows}
            </section>
        })
    });
    Either::Right(days.collect_view())
}

fn row(
    entry: &Notification,
    tenant: Option<TenantId>,
    now: i64,
    on_read: Option<Callback<String>>,
) -> impl IntoView + use<> {
    let (tone, icon) = look(entry.bucket, entry.reason);
    let id = entry.id.clone();
    let follow = move |_| {
        if let Some(on_read) = on_read {
            on_read.run(id.clone());
        }
    };
    let mark = if entry.read || on_read.is_some() { None } else { mark_form(entry, tenant) };
    let (icon, tone, address) = if let Some(page) = &entry.page {
        (icon, tone, page.clone())
    } else if entry.account.is_some() {
        (Icon::Key, "info", address::ACCOUNT.to_owned())
    } else {
        (icon, tone, address::tenant(&entry.tenant_id).run(&entry.run_id))
    };
    let elsewhere = !entry.tenant_id.is_empty() && tenant.is_none_or(|tenant| entry.tenant_id != tenant.to_string());
    let at = entry.created_at;
    let time = if on_read.is_some() { zone::clock(at) } else { format::relative(at, now) };
    let relative = on_read.is_none().then(|| at.to_string());
    erased(view! {
        <article class="notification" data-tone=tone data-unread=(!entry.read).then_some("")>
            {icon.view()}
            <div>
                <a href=address on:click=follow>{entry.title()}</a>
                {elsewhere.then(|| view! { <span class="badge">{entry.tenant_name.clone()}</span> })}
                {(!entry.read).then(|| view! { <span class="visually-hidden">" (unread)"</span> })}
                <p>{entry.told()}</p>
            </div>
            <time class="quiet-text" datetime=format::machine(at) title=format::utc_seconds(at) data-relative=relative>{time}</time>
            {mark}
        </article>
    })
}

/// Marks one as read. Only the page has it, and the page never leaves the server.
#[cfg(feature = "ssr")]
fn mark_form(entry: &Notification, tenant: Option<TenantId>) -> Option<AnyView> {
    use crate::notification::functions::MarkRead;
    use crate::ui::drawn::Drawn as _;
    use crate::ui::form::hidden;
    let label = format!("Mark as read: {}, {}", entry.title(), format::utc(entry.created_at));
    Some(
        view! {
            <form method="post" action={address::function_in::<MarkRead>(tenant)}>
                {hidden("notification", entry.id.clone())}
                <button class="button quiet small" aria-label=label>"Mark as read"</button>
            </form>
        }
        .drawn(),
    )
}

#[cfg(not(feature = "ssr"))]
fn mark_form(_: &Notification, _: Option<TenantId>) -> Option<()> {
    None
}
