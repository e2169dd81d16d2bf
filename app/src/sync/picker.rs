//! The type picker: which policy types a sync reads.
#![allow(missing_docs, reason = "the island macro makes property types whose documentation is the property's")]

use std::sync::Arc;

use leptos::ev::KeyboardEvent;
use leptos::prelude::*;
use leptos::wasm_bindgen::JsCast as _;
use tenantatlas_domain::ids::TenantId;
use web_sys::HtmlElement;

use super::functions::{StartSync, start_sync};
use super::model::{Picker, PickerCategory, PickerType, StartedSync};
use crate::island::{erased, go_to};
use crate::packed::Packed;
use crate::ui::icon::Icon;
use crate::{address, format};
#[cfg(target_arch = "wasm32")]
use web_sys::HtmlInputElement;

#[derive(Clone, Copy)]
struct Choice {
    picker: StoredValue<Arc<Picker>>,
    /// One mark per type, in the order of the groups.
    marks: RwSignal<Vec<bool>>,
    /// Whether every foundation is read as well.
    foundations: RwSignal<bool>,
    /// Whether dependencies are followed.
    dependencies: RwSignal<bool>,
    sought: RwSignal<String>,
    /// Whether what is sought is another name of a type, whole: then only those are shown that have it. A short one, such as
    /// `ca`, would be found within half of all labels.
    named: Memo<bool>,
}

impl Choice {
    fn new(picker: Picker) -> Self {
        let marks = picker
            .categories
            .iter()
            .flat_map(|category| &category.types)
            .map(|entry| picker.chosen.contains(&entry.key))
            .collect();
        let foundations = RwSignal::new(picker.foundations);
        let dependencies = RwSignal::new(picker.dependencies);
        let picker = StoredValue::new(Arc::new(picker));
        let sought = RwSignal::new(String::new());
        let named = Memo::new(move |_| {
            let sought = sought.with(|sought| format::lowercase(sought.trim()));
            let picker = picker.get_value();
            picker.categories.iter().flat_map(|category| &category.types).any(|entry| entry.aliases.contains(&sought))
        });
        Self { marks: RwSignal::new(marks), foundations, dependencies, picker, sought, named }
    }

    fn is_shown(self, entry: &PickerType) -> bool {
        let named = self.named.get();
        self.sought.with(|sought| {
            let sought = format::lowercase(sought.trim());
            if named {
                return entry.aliases.contains(&sought);
            }
            let found = |text: &str| format::lowercase(text).contains(&sought);
            found(&entry.label) || found(&entry.key) || entry.aliases.iter().any(|alias| alias.contains(&sought))
        })
    }

    /// Nothing but this type.
    fn only(self, index: usize) {
        self.mark(|other, _| Some(other == index));
        self.foundations.set(false);
    }

    /// Sets the marks of the types that the predicate holds for; the predicate sees position and type.
    fn mark(self, value: impl Fn(usize, &PickerType) -> Option<bool>) {
        let picker = self.picker.get_value();
        self.marks.update(|marks| {
            for (index, entry) in picker.categories.iter().flat_map(|category| &category.types).enumerate() {
                if let (Some(mark), Some(value)) = (marks.get_mut(index), value(index, entry)) {
                    *mark = value;
                }
            }
        });
    }

    fn chosen(self) -> Vec<String> {
        let picker = self.picker.get_value();
        self.marks.with(|marks| {
            let types = picker.categories.iter().flat_map(|category| &category.types);
            types.zip(marks).filter(|(_, mark)| **mark).map(|(entry, _)| entry.key.clone()).collect()
        })
    }

    /// What the sync will read. Foundations alone are no choice: without a marked type nothing starts.
    fn summary(self) -> String {
        let picker = self.picker.get_value();
        let foundations = self.foundations.get();
        self.marks.with(|marks| {
            let types = picker.categories.iter().flat_map(|category| &category.types);
            let foundations = foundations && marks.contains(&true);
            let mut chosen = 0;
            // Types that are read by the same requests count them once.
            let mut listings: Vec<(u32, u32)> = Vec::new();
            for (entry, mark) in types.zip(marks) {
                if *mark || (foundations && entry.foundation) {
                    chosen += 1;
                    match listings.iter_mut().find(|(listing, _)| *listing == entry.listing) {
                        Some((_, requests)) => *requests = entry.requests.max(*requests),
                        None => listings.push((entry.listing, entry.requests.max(1))),
                    }
                }
            }
            let requests = listings.iter().map(|(_, requests)| u64::from(*requests)).sum();
            format!("{chosen} of {} types · about {}", marks.len(), format::counted(requests, "request", "requests"))
        })
    }
}

/// The picker as a page: works as a plain form, and better once WebAssembly is there. It is the largest island, and is hydrated
/// when somebody comes to it.
#[island(lazy)]
pub fn PickerPage(
    /// The tenant.
    tenant: TenantId,
    /// What it shows.
    #[prop(into)]
    picker: Packed<Picker>,
) -> impl IntoView {
    let done = Callback::new(move |started: StartedSync| go_to_run(tenant, &started));
    let picker = picker.0;
    let draft = Draft::of_page(&picker);
    view! { <PickerFields tenant picker draft done /> }
}

/// What a person marked and typed in the plain form before the picker was hydrated.
#[derive(Clone)]
pub struct Draft {
    marks: Vec<bool>,
    foundations: bool,
    dependencies: bool,
    sought: String,
}

impl Draft {
    #[cfg(target_arch = "wasm32")]
    fn of_page(picker: &Picker) -> Option<Self> {
        let form = document().query_selector("form.picker").ok().flatten()?;
        let field = |selector: &str| form.query_selector(selector).ok().flatten()?.dyn_into::<HtmlInputElement>().ok();
        let is_marked = |selector: &str| field(selector).is_some_and(|field| field.checked());
        let types = picker.categories.iter().flat_map(|category| &category.types);
        Some(Self {
            marks: types.map(|entry| is_marked(&format!("[value=\"{}\"]", entry.key))).collect(),
            foundations: is_marked("[name=include_foundations]"),
            dependencies: is_marked("[name=include_dependencies]"),
            sought: field("[type=search]")?.value(),
        })
    }

    /// On the server nobody has marked anything yet.
    #[cfg(not(target_arch = "wasm32"))]
    fn of_page(_: &Picker) -> Option<Self> {
        None
    }
}

/// The picker: search, presets, groups with three-state boxes, switches, the count, and the button that starts.
#[component]
pub fn PickerFields(
    /// The tenant.
    tenant: TenantId,
    /// What it shows.
    picker: Picker,
    /// What a person marked before.
    #[prop(optional_no_strip)]
    draft: Option<Draft>,
    /// Called when the sync is under way.
    done: Callback<StartedSync>,
) -> impl IntoView {
    let choice = Choice::new(picker);
    // The browser begins with the picture of the server; what a person changed in it comes after.
    Effect::new(move |_| {
        if let Some(draft) = draft.clone() {
            choice.marks.set(draft.marks);
            choice.foundations.set(draft.foundations);
            choice.dependencies.set(draft.dependencies);
            choice.sought.set(draft.sought);
        }
    });
    let picker = choice.picker.get_value();
    let refusal = RwSignal::new(None::<String>);
    let busy = RwSignal::new(false);
    let at = address::tenant(tenant);
    let action = at.function::<StartSync>();
    let submit = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        if busy.get_untracked() {
            return;
        }
        let (foundations, dependencies) = (choice.foundations.get_untracked(), choice.dependencies.get_untracked());
        busy.set(true);
        leptos::task::spawn_local(async move {
            match start_sync(untrack(move || choice.chosen()), foundations, dependencies).await {
                Ok(started) => {
                    refusal.set(None);
                    done.run(started);
                }
                Err(error) => refusal.set(Some(error.message)),
            }
            busy.set(false);
        });
    };
    let presets: Vec<_> = picker
        .presets
        .iter()
        .map(|preset| {
            let (keys, foundations, dependencies) = (preset.keys.clone(), preset.foundations, preset.dependencies);
            let press = move |event: leptos::ev::MouseEvent| {
                event.prevent_default();
                choice.mark(|_, entry| Some(keys.contains(&entry.key)));
                choice.foundations.set(foundations);
                choice.dependencies.set(dependencies);
            };
            view! {
                <a class="chip" href=at.sync_preset(&preset.slug) on:click=press>{preset.label.clone()}</a>
            }
        })
        .collect();
    let mut first = 0;
    let groups: Vec<_> = picker
        .categories
        .iter()
        .map(|category| {
            let start = first;
            first += category.types.len();
            group(choice, category, start)
        })
        .collect();
    let select_shown =
        move |value: bool| choice.mark(move |_, entry| untrack(|| choice.is_shown(entry)).then_some(value));
    let clear = move |_| {
        select_shown(false);
        // What is shown is everything: then nothing is to be read, foundations included.
        if choice.sought.with_untracked(String::is_empty) {
            choice.foundations.set(false);
        }
    };
    // Without a script the server says so: there the button is never disabled.
    let nothing = move || choice.marks.with(|marks| !marks.contains(&true));
    let nothing_found = move || {
        let picker = choice.picker.get_value();
        !picker.categories.iter().flat_map(|category| &category.types).any(|entry| choice.is_shown(entry))
    };
    erased(view! {
        <form class="picker" method="post" action=action on:submit=submit>
            <div class="picker-tools">
                <div class="search">
                    {Icon::Search.view()}
                    <input
                        class="input"
                        type="search"
                        placeholder="Find a policy type"
                        aria-label="Find a policy type"
                        autocomplete="off"
                        prop:value=move || choice.sought.get()
                        on:input:target=move |event| choice.sought.set(event.target().value())
                        on:keydown=move |event: KeyboardEvent| if event.key() == "Enter" { event.prevent_default() } else { step(&event) }
                    />
                </div>
                <div class="chips">
                    {presets}
                    <button class="chip" type="button" on:click=move |_| select_shown(true)>"Select all"</button>
                    <button class="chip" type="button" on:click=clear>"Clear"</button>
                </div>
                <div class="picker-options">
                    {switch(choice.foundations, "include_foundations", "All foundations")}
                    {switch(choice.dependencies, "include_dependencies", "Follow dependencies")}
                </div>
            </div>
            <div class="picker-list" role="group" aria-label="Policy types" on:keydown=|event| step(&event)>
                {groups}
                <p class="menu-head" hidden=move || !nothing_found()>"No policy type of that name."</p>
            </div>
            <div class="dialog-foot">
                <div role="alert">
                    {move || refusal.get().map(|message| view! {
                        <div class="note" data-tone="bad">{Icon::Warning.view()}<p>{message}</p></div>
                    })}
                </div>
                <span class="quiet-text number" aria-live="polite">{move || choice.summary()}</span>
                <span class="spring"></span>
                <button class="button primary" prop:disabled=move || busy.get() || nothing()>{Icon::Turning.view()}"Start sync"</button>
            </div>
        </form>
    })
}

/// Goes to the page of the run that a sync was answered with, which says what differs from what was asked for.
pub(super) fn go_to_run(tenant: TenantId, started: &StartedSync) {
    let address = address::tenant(tenant).run(started.run_id);
    go_to(&started.done().map_or_else(|| address.clone(), |done| done.at(&address)));
}

fn switch(on: RwSignal<bool>, name: &'static str, words: &'static str) -> impl IntoView {
    erased(view! {
        <label class="check">
            <input
                type="checkbox"
                name=name
                value="true"
                checked=on.get_untracked()
                prop:checked=move || on.get()
                on:change:target=move |event| on.set(event.target().checked())
            />
            {words}
        </label>
    })
}

fn group(choice: Choice, category: &PickerCategory, start: usize) -> impl IntoView + use<> {
    let end = start + category.types.len();
    let count = move || {
        choice.marks.with(|marks| marks.get(start..end).unwrap_or_default().iter().filter(|mark| **mark).count())
    };
    let total = category.types.len();
    let slug = category.slug.clone();
    // The box of the group speaks for what the search shows of it.
    let toggle = move |_| {
        let marks = choice.marks.get_untracked();
        let picker = choice.picker.get_value();
        let types = picker.categories.iter().flat_map(|category| &category.types);
        let mut shown =
            types.zip(&marks).skip(start).take(end - start).filter(|(entry, _)| untrack(|| choice.is_shown(entry)));
        let all = shown.all(|(_, mark)| *mark);
        choice
            .mark(|index, entry| ((start..end).contains(&index) && untrack(|| choice.is_shown(entry))).then_some(!all));
    };
    let shown_types = StoredValue::new(category.types.clone());
    let types: Vec<_> =
        category.types.iter().enumerate().map(|(offset, entry)| type_row(choice, entry, start + offset)).collect();
    erased(view! {
        <fieldset
            class="picker-group"
            hidden=move || shown_types.with_value(|types| !types.iter().any(|entry| choice.is_shown(entry)))
        >
            <legend class="visually-hidden">{category.label.clone()}</legend>
            <label class="check">
                <input
                    type="checkbox"
                    data-step=""
                    data-group=slug
                    data-mixed=(1..total).contains(&untrack(count)).then_some("")
                    checked=untrack(count) == total
                    prop:checked=move || count() == total
                    prop:indeterminate=move || (1..total).contains(&count())
                    on:change=toggle
                />
                {category.label.clone()}
                <span class="number">{move || format!("{} / {total}", count())}</span>
            </label>
            <div class="picker-types">{types}</div>
        </fieldset>
    })
}

fn type_row(choice: Choice, entry: &PickerType, index: usize) -> impl IntoView + use<> {
    let marked = move || choice.marks.with(|marks| marks.get(index).copied().unwrap_or_default());
    let shown = StoredValue::new(entry.clone());
    erased(view! {
        <div class="picker-row" hidden=move || shown.with_value(|entry| !choice.is_shown(entry))>
            <label class="check">
                <input
                    type="checkbox"
                    name="policy_types[]"
                    data-step=""
                    value=entry.key.clone()
                    checked=untrack(marked)
                    prop:checked=marked
                    on:change:target=move |event| {
                        let value = event.target().checked();
                        choice.marks.update(|marks| if let Some(mark) = marks.get_mut(index) { *mark = value });
                    }
                />
                <span class="text">
                    {entry.label.clone()}
                    {entry.missing_permission.clone().map(|permission| view! {
                        <small data-tone="warn">{Icon::Key.view()}"needs "{permission}</small>
                    })}
                    {entry.remark.clone().map(|remark| view! { <small>{remark}</small> })}
                </span>
            </label>
            <button class="button quiet small only" type="button" aria-label=format!("Only this: {}", entry.label) on:click=move |_| choice.only(index)>"Only this"</button>
        </div>
    })
}

/// Arrow keys go from box to box.
fn step(event: &KeyboardEvent) {
    let by = match event.key().as_str() {
        "ArrowDown" => 1,
        "ArrowUp" => -1,
        _ => return,
    };
    let Some(target) = event.target().and_then(|target| target.dyn_into::<HtmlElement>().ok()) else { return };
    let Some(form) = target.closest("form").ok().flatten() else { return };
    let Ok(boxes) = form.query_selector_all("[data-step]") else { return };
    let boxes: Vec<HtmlElement> = (0..boxes.length())
        .filter_map(|index| boxes.item(index)?.dyn_into::<HtmlElement>().ok())
        .filter(|field| field.offset_parent().is_some())
        .collect();
    let here = boxes.iter().position(|field| *field == target);
    let next = match here {
        Some(index) => index.checked_add_signed(by),
        None => (by > 0).then_some(0),
    };
    if let Some(field) = next.and_then(|index| boxes.get(index)) {
        event.prevent_default();
        let _ = field.focus();
    }
}
