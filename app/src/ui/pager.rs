//! The links below a list that is shown page by page.

use crate::ui::drawn::Drawn as _;
use leptos::prelude::*;

use super::icon::Icon;

/// Where the pages around the shown one are. Most lists are read by keyset, so that there is a way on and a way back to the
/// first page, but none to the page before.
#[derive(Default)]
pub struct Pager {
    /// What is said of the shown page, such as how many rows it has.
    pub caption: Option<String>,
    /// Words and address of the link to the first page, where another one is shown.
    pub first: Option<(&'static str, String)>,
    /// Words and address of the link to the page before, where the list knows one.
    pub previous: Option<(&'static str, String)>,
    /// Words and address of the link to the next page, where there is one.
    pub next: Option<(&'static str, String)>,
}

impl Pager {
    /// The navigation, or nothing when everything is on one page.
    pub fn view(self) -> Option<AnyView> {
        let Self { caption, first, previous, next } = self;
        if first.is_none() && previous.is_none() && next.is_none() {
            return None;
        }
        // One arrow leads back: that of the page before, where there is one.
        let arrow = previous.is_none().then(|| Icon::Previous.view());
        let first = first.map(|(words, href)| view! { <a class="button" href=href>{arrow}{words}</a> });
        let previous = previous
            .map(|(words, href)| view! { <a class="button" href=href rel="prev">{Icon::Previous.view()}{words}</a> });
        let next =
            next.map(|(words, href)| view! { <a class="button" href=href rel="next">{words}{Icon::Next.view()}</a> });
        Some(
            view! {
                <nav class="pager" aria-label="Pages">
                    <span>{caption}</span>
                    <span class="actions">{first}{previous}{next}</span>
                </nav>
            }
            .drawn(),
        )
    }
}
