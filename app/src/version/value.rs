//! How the value of a setting is shown.

use leptos::prelude::*;
use tenantatlas_domain::invisible::visible_on_page;
use tenantatlas_domain::settings::SettingValue;

use crate::format;

/// Values of a list that are shown at once; the rest opens.
const LIST_SHOWN: usize = 20;

/// The value of a setting; content is told by its length unless it is `revealed`.
pub fn value_view(value: &SettingValue, revealed: bool) -> AnyView {
    match value {
        SettingValue::Content(_) if revealed => {
            let text = value.content_text().unwrap_or_default();
            view! { <pre class="content">{lines(&text)}</pre> }.into_any()
        }
        SettingValue::Content(text) => {
            let words = format!("Hidden, {}", format::counted(text.len() as u64, "byte", "bytes"));
            view! { <span class="quiet-text">{words}</span> }.into_any()
        }
        SettingValue::Withheld { .. } => {
            let words = value.words();
            view! { <span class="quiet-text">{words}</span> }.into_any()
        }
        SettingValue::Choice { id, name: None } => {
            let id = visible_on_page(id).into_owned();
            view! { <span class="identifier">{id}</span> }.into_any()
        }
        SettingValue::List(values) if values.is_empty() => "none".into_any(),
        SettingValue::List(values) => list(values, revealed),
        _ => visible_on_page(&value.words()).into_owned().into_any(),
    }
}

fn list(values: &[SettingValue], revealed: bool) -> AnyView {
    let rows = |values: &[SettingValue]| {
        values.iter().map(|value| view! { <li>{value_view(value, revealed)}</li> }).collect_view()
    };
    if values.len() <= LIST_SHOWN {
        return view! { <ul class="values">{rows(values)}</ul> }.into_any();
    }
    let (first, rest) = values.split_at(LIST_SHOWN);
    let more = format!("{} more", format::number(rest.len() as u64));
    view! {
        <ul class="values">{rows(first)}</ul>
        <details><summary>{more}</summary><ul class="values">{rows(rest)}</ul></details>
    }
    .into_any()
}

/// A text of several lines without anything that is not seen.
fn lines(text: &str) -> String {
    let lines = text.lines().map(|line| visible_on_page(&line.replace('\t', "    ")).into_owned());
    lines.collect::<Vec<_>>().join("\n")
}
