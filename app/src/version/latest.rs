//! What a policy sets, on its page: the settings of its latest version, folded where they are many.

use leptos::prelude::*;
use tenantatlas_domain::invisible::visible_on_page;
use tenantatlas_domain::settings::Setting;
use tenantatlas_engine::ReadVersion;
use tenantatlas_store::inventory::Item;

use super::page::{categories, tree};
use super::value::Contents;
use crate::error::AppError;
use crate::format::{counted, number};
use crate::scope::Inside;
use crate::ui::card::section_card;
use crate::ui::drawn::Drawn as _;
use crate::ui::time::moment;

/// Settings that lie open; of more each category is folded.
const OPEN: u64 = 15;
/// Settings that the page holds, at most: those of the largest policies stand on the page of the version.
const MOST: u64 = 300;

/// The settings of the latest version; what is wrong where it cannot be read, since the rest of the page can.
pub fn latest(inside: &Inside, item: &Item, read: &Result<ReadVersion, AppError>) -> AnyView {
    let body = match read {
        Ok(read) => settings(inside, item, read),
        Err(error) => {
            view! { <p class="quiet-text">"Its latest version cannot be shown: "{error.message.clone()}</p> }.drawn()
        }
    };
    section_card("settings", "Settings", body)
}

fn settings(inside: &Inside, item: &Item, read: &ReadVersion) -> AnyView {
    let (version, count) = (&read.version, read.settings.count());
    let href = inside.address().version(item.id, version.number);
    let lead = view! {
        <p class="quiet-text">
            {counted(count, "setting", "settings")}" of "<a href=href.clone()>{format!("version {}", version.number)}</a>
            ", read "{moment(version.read_at.as_millis())}{(!version.lacks.is_empty()).then_some(", which is not whole")}
        </p>
    };
    let mut left = MOST;
    let shown = categories(read).into_iter().map(|category| {
        let settings: Vec<&Setting> = fitting(&category.settings, &mut left);
        let label = visible_on_page(&category.label).into_owned();
        folded(&label, &settings, count)
    });
    let shown = shown.collect_view();
    let more = (count > MOST).then(|| view! { <p><a href=href>{format!("All {} settings", number(count))}</a></p> });
    view! { {lead} {shown} {more} }.drawn()
}

/// The first settings of a category, with all that stands below them, as long as there is room left.
fn fitting<'read>(settings: &[&'read Setting], left: &mut u64) -> Vec<&'read Setting> {
    let fits = settings.iter().copied().take_while(|setting| {
        let rest = left.checked_sub(setting.count());
        *left = rest.unwrap_or_default();
        rest.is_some()
    });
    fits.collect()
}

fn folded(label: &str, settings: &[&Setting], of: u64) -> Option<AnyView> {
    if settings.is_empty() {
        return None;
    }
    let count: u64 = settings.iter().map(|setting| setting.count()).sum();
    let open = of <= OPEN;
    let tree = tree(settings.iter().copied(), Contents::Hidden);
    Some(
        view! {
            <details class="settings-fold" open=open>
                <summary>{label.to_owned()}" "<span class="quiet">{number(count)}</span></summary>
                {tree}
            </details>
        }
        .drawn(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_of_a_policy_with_thousands_of_settings_stays_small() {
        let mut setting = Setting::default();
        setting.counts = true;
        let (many, mut left) = (vec![&setting; 3_000], MOST);
        assert_eq!(fitting(&many, &mut left).len() as u64, MOST);
        assert!(fitting(&many, &mut left).is_empty(), "another category finds no room");
    }

    #[test]
    fn settings_are_folded_where_they_are_many_and_lie_open_where_they_are_few() {
        let mut setting = Setting::default();
        setting.name = Some("Block </summary>".to_owned());
        let html = |of| folded("Storage", &[&setting], of).map(RenderHtml::to_html).unwrap_or_default();
        assert!(html(OPEN).contains(" open") && !html(OPEN + 1).contains(" open"));
        assert!(!html(1).contains("Block </summary>"));
        assert!(folded("Storage", &[], 1).is_none());
    }
}
