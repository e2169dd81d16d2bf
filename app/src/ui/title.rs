//! The title of a page.

use crate::ui::drawn::Drawn as _;
use leptos::prelude::*;
use leptos_meta::Title;

/// The name of the product, as it ends every title.
const PRODUCT: &str = "TenantAtlas";

/// Names the page in its tab. The words may hold anything that is stored: [`TitleFormat`] makes them harmless.
pub fn page_title(words: impl Into<String>) -> AnyView {
    let words: String = words.into();
    view! { <Title text=words /> }.drawn()
}

/// How every title of the application is written. `leptos_meta` puts the text between `<title>` and `</title>` as it is,
/// and there a tag ends the element (HTML standard, section 13.2.5.2, RCDATA state), so the text is escaped here: once,
/// for every title, whoever set it. Titles are made on the server alone, where nothing escapes them a second time.
#[component]
pub fn TitleFormat() -> impl IntoView {
    view! { <Title formatter=|words: String| document_title(&words) /> }
}

/// The markup of the title of a page with these words.
fn document_title(words: &str) -> String {
    if words.is_empty() { PRODUCT.to_owned() } else { format!("{} · {PRODUCT}", html_escape::encode_text(words)) }
}

#[cfg(test)]
mod tests {
    use super::document_title;

    #[test]
    fn the_words_of_a_title_are_text() {
        assert_eq!(document_title(""), "TenantAtlas");
        assert_eq!(document_title("R&D"), "R&amp;D · TenantAtlas");
        assert_eq!(document_title("</title><form>"), "&lt;/title&gt;&lt;form&gt; · TenantAtlas");
    }
}
