//! The document around every page.

use leptos::nonce::use_nonce;
use leptos::prelude::*;
use leptos_meta::MetaTags;

use crate::App;
use crate::scope::Theme;

/// Paths of the built files, each with the hash of its content in its name.
#[derive(Debug, Clone)]
pub struct AssetPaths {
    /// The JavaScript module that loads the WebAssembly.
    pub js: String,
    /// The WebAssembly module.
    pub wasm: String,
    /// The style sheet.
    pub css: String,
}

/// The document. The nonce of its scripts is the [`leptos::nonce::Nonce`] in the context: the server provides one per
/// answer and names it in the Content-Security-Policy header.
pub fn shell(assets: &AssetPaths) -> impl IntoView + use<> {
    if let Some(context) = Owner::current_shared_context() {
        // Only islands are taken over by the browser; the page around them carries no hydration data.
        context.set_is_hydrating(false);
    }
    let nonce = use_nonce();
    let theme = use_context::<Theme>().map(|Theme(theme)| theme).filter(|theme| !theme.is_empty());
    let starter = include_str!("hydrate.js").replace("ARGUMENTS", &script_data(&[&assets.js, &assets.wasm]));
    view! {
        <!DOCTYPE html>
        <html lang="en" data-theme=theme>
            <head>
                <meta charset="utf-8" />
                <meta name="viewport" content="width=device-width, initial-scale=1, viewport-fit=cover" />
                <meta name="color-scheme" content="light dark" />
                <link rel="stylesheet" href=assets.css.clone() />
                <link rel="icon" href="/icon.svg" r#type="image/svg+xml" />
                <MetaTags />
                <script type="module" nonce=nonce>{starter}</script>
            </head>
            <body>
                <App />
            </body>
        </html>
    }
}

/// Texts as a JavaScript array that may stand in a `<script>` element, whose content is not escaped: no text in it can end
/// the element or begin a comment (HTML standard, section 4.12.1.3, restrictions for contents of script elements).
fn script_data(texts: &[&str]) -> String {
    serde_json::Value::from(texts).to_string().replace('<', "\\u003c")
}

#[cfg(test)]
mod tests {
    use super::script_data;

    #[test]
    fn a_text_in_a_script_ends_neither_the_text_nor_the_script() {
        assert_eq!(script_data(&["/pkg/a.js", "\"</script>"]), r#"["/pkg/a.js","\"\u003c/script>"]"#);
    }
}
