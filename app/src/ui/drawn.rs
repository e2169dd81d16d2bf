//! Views of the server drawn to text where they are made.

use leptos::prelude::*;
use leptos::tachys::html::InertElement;
use leptos::tachys::view::Position;

/// A view of which the HTML alone is wanted.
///
/// `into_any` makes of every view what the browser needs to build it and change it, and what the server needs to wait for
/// its parts, which is several times as much code as drawing it: most of the time that this crate took to compile. What the
/// server sends is drawn once.
pub(crate) trait Drawn {
    /// Its HTML, as a view that any other may hold.
    ///
    /// It must have nothing in it that is still waited for (`Suspend`): that would be left out. Signals are read now.
    fn drawn(self) -> AnyView;
}

impl<V: RenderHtml> Drawn for V {
    fn drawn(self) -> AnyView {
        let mut html = String::with_capacity(self.html_len());
        self.to_html_with_buf(&mut html, &mut Position::FirstChild, true, false, Vec::new());
        InertElement::new(html).into_any()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_drawn_is_neither_escaped_twice_nor_left_out() {
        let list = || {
            let rows = ["<b>", "a & b", ""].into_iter().map(|text| view! { <li title=text>{text}</li> });
            view! { <ul>{rows.collect_view()}</ul> }
        };
        let html = view! { <p>"before"</p>{list().drawn()}<p>"after"</p> }.to_html();
        assert_eq!(html, view! { <p>"before"</p>{list()}<p>"after"</p> }.to_html());
        assert!(html.contains("<li title=\"a &amp; b\">a &amp; b</li>"), "{html}");
    }
}
