//! How the value of a setting is shown.

use leptos::prelude::*;
use tenantatlas_domain::invisible::visible_on_page;
use tenantatlas_domain::settings::SettingValue;
use tenantatlas_domain::time::Timestamp;

use super::highlight::{Kind, Language, Token};
use crate::format;
use crate::ui::drawn::Drawn as _;
use crate::ui::time::day;

/// Values of a list that are shown at once; the rest opens.
const LIST_SHOWN: usize = 20;

/// Whether scripts and payloads are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Contents<'key> {
    /// Only how long they are.
    Hidden,
    /// Themselves, as they were asked for; of an object of this type.
    Shown(&'key str),
}

impl<'key> Contents<'key> {
    /// Of an object of a type, whether they were asked for.
    #[must_use]
    pub const fn of(policy_type: &'key str, revealed: bool) -> Self {
        if revealed { Self::Shown(policy_type) } else { Self::Hidden }
    }
}

/// The value of a setting; of the property that it is, where no catalog describes it.
pub fn value_view(value: &SettingValue, property: Option<&str>, contents: Contents<'_>) -> AnyView {
    match value {
        SettingValue::Content(text) => match contents {
            Contents::Shown(policy_type) => script(policy_type, &value.content_text().unwrap_or_default()),
            Contents::Hidden => {
                let words = format!("Hidden, {}", format::counted(text.len() as u64, "byte", "bytes"));
                view! { <span class="quiet-text">{words}</span> }.drawn()
            }
        },
        SettingValue::Withheld { .. } => {
            let words = value.words();
            view! { <span class="quiet-text">{words}</span> }.drawn()
        }
        SettingValue::Choice { id, name: Some(name) } => {
            let (id, name) = (visible_on_page(id).into_owned(), visible_on_page(name).into_owned());
            view! { <span title=id>{name}</span> }.drawn()
        }
        SettingValue::Choice { id, name: None } => {
            let id = visible_on_page(id).into_owned();
            view! { <span class="identifier">{id}</span> }.drawn()
        }
        SettingValue::Text(text) => match Timestamp::parse_rfc3339(text) {
            Some(at) => day(at.as_millis()),
            None => match value.words_of(property) {
                words if words == *text => visible_on_page(text).into_owned().drawn(),
                words => view! { <span title=visible_on_page(text).into_owned()>{words}</span> }.drawn(),
            },
        },
        SettingValue::List(values) if values.is_empty() => "none".drawn(),
        SettingValue::List(values) => list(values, property, contents),
        _ => visible_on_page(&value.words_of(property)).into_owned().drawn(),
    }
}

fn list(values: &[SettingValue], property: Option<&str>, contents: Contents<'_>) -> AnyView {
    let rows = |values: &[SettingValue]| {
        values.iter().map(|value| view! { <li>{value_view(value, property, contents)}</li> }).collect_view()
    };
    if values.len() <= LIST_SHOWN {
        return view! { <ul class="values">{rows(values)}</ul> }.drawn();
    }
    let (first, rest) = values.split_at(LIST_SHOWN);
    let more = format!("{} more", format::number(rest.len() as u64));
    view! {
        <ul class="values">{rows(first)}</ul>
        <details><summary>{more}</summary><ul class="values">{rows(rest)}</ul></details>
    }
    .drawn()
}

/// A script or payload, with its words told apart where its language is known.
fn script(policy_type: &str, text: &str) -> AnyView {
    let text = lines(text);
    let tokens = match Language::of(policy_type, &text) {
        Some(language) => language.tokens(&text).into_iter().map(token).collect_view().drawn(),
        None => text.drawn(),
    };
    // What scrolls can be reached by keys.
    view! { <pre class="content" tabindex="0" role="group" aria-label="Content">{tokens}</pre> }.drawn()
}

fn token(token: Token<'_>) -> AnyView {
    let class = match token.kind {
        Kind::Plain => return token.text.to_owned().drawn(),
        Kind::Keyword => "code-keyword",
        Kind::Text => "code-text",
        Kind::Comment => "code-comment",
        Kind::Variable => "code-variable",
    };
    view! { <span class=class>{token.text.to_owned()}</span> }.drawn()
}

/// A text of several lines without anything that is not seen.
pub(super) fn lines(text: &str) -> String {
    let lines = text.lines().map(|line| visible_on_page(&line.replace('\t', "    ")).into_owned());
    lines.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_that_the_portal_has_words_for_are_told_in_these_and_keep_what_microsoft_sent() {
        let told = |value: SettingValue, property| value_view(&value, Some(property), Contents::Hidden).to_html();
        let kind = told(SettingValue::Text("deviceDefault".to_owned()), "passwordRequiredType");
        assert!(kind.contains("title=\"deviceDefault\"") && kind.contains("Device default"), "{kind}");
        let grants = SettingValue::List(vec![SettingValue::Text("mfa".to_owned())]);
        assert!(told(grants, "builtInControls").contains("Require multifactor authentication"));
        assert!(told(SettingValue::Flag(true), "securityBlockJailbrokenDevices").contains("Block"));
        assert!(told(SettingValue::Text("mfa".to_owned()), "ssid").contains("mfa"), "a text of a person stays");
    }

    #[test]
    fn a_script_is_hidden_until_it_is_asked_for_and_then_its_words_are_told_apart() {
        let value = SettingValue::Content("if ($a) { 'x</pre><script>' } # done".to_owned());
        let hidden = value_view(&value, None, Contents::of("deviceManagementScript", false)).to_html();
        assert!(hidden.contains("Hidden, 36 bytes") && !hidden.contains("done"), "{hidden}");
        let shown = value_view(&value, None, Contents::of("deviceManagementScript", true)).to_html();
        for expected in [
            "<span class=\"code-keyword\">if</span>",
            "<span class=\"code-variable\">$a</span>",
            "<span class=\"code-text\">'x&lt;/pre&gt;&lt;script&gt;'</span>",
            "<span class=\"code-comment\"># done</span>",
        ] {
            assert!(shown.contains(expected), "{expected} in {shown}");
        }
        let payload = value_view(&value, None, Contents::of("deviceConfiguration", true)).to_html();
        assert!(!payload.contains("code-") && payload.contains("# done"), "{payload}");
    }
}
