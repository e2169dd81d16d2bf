//! The palette: a field that leads anywhere. A combobox whose list is always open (WAI-ARIA Authoring Practices, Combobox
//! pattern, list autocomplete with manual selection).

use std::time::Duration;

use leptos::ev::KeyboardEvent;
use leptos::prelude::*;
use wasm_split_helpers::{SplitLoaderError, wasm_split};

use super::functions::palette;
use super::model::PaletteEntry;
use crate::island::{close_on_backdrop, draw_dialog, go_to};
use crate::ui::icon::Icon;

/// How long nobody types before the server is asked.
const PAUSE: Duration = Duration::from_millis(120);

/// Draws the palette; what it returns opens it.
///
/// # Errors
/// When this part of the program cannot be loaded.
#[wasm_split(palette, fallible)]
pub fn draw() -> Result<Callback<()>, SplitLoaderError> {
    Ok(draw_dialog(palette_dialog))
}

/// What is shown, and which of it is chosen.
#[derive(Clone, Copy)]
struct State {
    found: RwSignal<Vec<PaletteEntry>>,
    at: RwSignal<usize>,
    trouble: RwSignal<String>,
    /// Counts what was asked for: only the newest answer is shown.
    asked: StoredValue<u32>,
    timer: StoredValue<Option<TimeoutHandle>>,
}

impl State {
    fn ask(self, text: String, pause: Duration) {
        if let Some(timer) = self.timer.try_update_value(Option::take).flatten() {
            timer.clear();
        }
        self.asked.update_value(|asked| *asked = asked.wrapping_add(1));
        let turn = self.asked.get_value();
        let later = set_timeout_with_handle(
            move || {
                leptos::task::spawn_local(async move {
                    let answer = palette(text).await;
                    if self.asked.get_value() == turn {
                        self.show(answer.map_err(|error| error.message));
                    }
                });
            },
            pause,
        );
        self.timer.set_value(later.ok());
    }

    fn show(self, answer: Result<Vec<PaletteEntry>, String>) {
        match answer {
            Ok(found) => {
                self.trouble.set(String::new());
                self.at.set(0);
                self.found.set(found);
            }
            Err(message) => self.trouble.set(message),
        }
    }

    fn key(self, event: &KeyboardEvent) {
        let count = self.found.with_untracked(Vec::len);
        if count == 0 {
            return;
        }
        let at = self.at.get_untracked();
        match event.key().as_str() {
            "ArrowDown" => self.at.set((at + 1) % count),
            "ArrowUp" => self.at.set((at + count - 1) % count),
            "Enter" => {
                let href = self.found.with_untracked(|found| found.get(at).map(|entry| entry.href.clone()));
                if let Some(href) = href {
                    go_to(&href);
                }
            }
            _ => return,
        }
        event.prevent_default();
        if let Some(option) = document().get_element_by_id(&option_id(self.at.get_untracked())) {
            option.scroll_into_view_with_bool(false);
        }
    }
}

fn option_id(at: usize) -> String {
    format!("palette-{at}")
}

fn palette_dialog() -> (impl IntoView + use<>, Callback<()>) {
    let dialog = NodeRef::<leptos::html::Dialog>::new();
    let field = NodeRef::<leptos::html::Input>::new();
    let state = State {
        found: RwSignal::new(Vec::new()),
        at: RwSignal::new(0),
        trouble: RwSignal::new(String::new()),
        asked: StoredValue::new(0),
        timer: StoredValue::new(None),
    };
    let open = Callback::new(move |()| {
        let (Some(dialog), Some(field)) = (dialog.get_untracked(), field.get_untracked()) else { return };
        state.ask(field.value(), Duration::ZERO);
        let _ = dialog.show_modal();
        field.select();
    });
    let view = view! {
        <dialog
            node_ref=dialog
            class="palette"
            aria-label="Go to"
            on:click=move |event| if let Some(dialog) = dialog.get_untracked() { close_on_backdrop(&event, &dialog) }
        >
            <div class="search">
                {Icon::Search.view()}
                <input
                    node_ref=field
                    class="input"
                    type="text"
                    role="combobox"
                    aria-label="Go to a tenant, type, group, item, page or action"
                    aria-expanded="true"
                    aria-controls="palette-list"
                    aria-autocomplete="list"
                    aria-activedescendant=move || {
                        state.found.with(|found| !found.is_empty()).then(|| option_id(state.at.get()))
                    }
                    placeholder="Tenant, type, group, item, page or action"
                    autocomplete="off"
                    spellcheck="false"
                    autofocus
                    maxlength="200"
                    on:input:target=move |event| state.ask(event.target().value(), PAUSE)
                    on:keydown=move |event| state.key(&event)
                />
            </div>
            <ul class="palette-list" role="listbox" id="palette-list" aria-label="Results">
                {move || state.found.get().into_iter().enumerate().map(|(at, entry)| option(state, at, entry)).collect::<Vec<_>>()}
            </ul>
            <p class="palette-foot" role="status">
                {move || {
                    let trouble = state.trouble.get();
                    match state.found.with(Vec::len) {
                        _ if !trouble.is_empty() => trouble,
                        0 => "No results".to_owned(),
                        1 => "1 result".to_owned(),
                        count => format!("{count} results"),
                    }
                }}
            </p>
        </dialog>
    };
    (view, open)
}

fn option(state: State, at: usize, entry: PaletteEntry) -> impl IntoView + use<> {
    let href = entry.href;
    view! {
        <li
            id=option_id(at)
            role="option"
            aria-selected=move || if state.at.get() == at { "true" } else { "false" }
            on:click=move |_| go_to(&href)
        >
            <span class="grow">{entry.label}</span>
            <span class="quiet">{entry.detail}</span>
            <span class="badge">{entry.kind}</span>
        </li>
    }
}
