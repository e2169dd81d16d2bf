//! The targets.

mod addresses;
mod body;
mod canonical;
mod cookies;
mod cursor;
mod graph_answer;
mod highlight;
mod next;
mod next_link;
mod normalise;
mod redact;
mod references;
mod retry_after;
mod sanitise;
mod selection;
mod settings;
mod time;
mod token_answer;

/// One thing that must hold for any input.
pub struct Target {
    /// Its name, and that of its folder in the corpus.
    pub name: &'static str,
    /// Panics when it does not hold.
    pub check: fn(&[u8]),
}

/// Every target.
pub const TARGETS: &[Target] = &[
    Target { name: "addresses", check: addresses::check },
    Target { name: "body", check: body::check },
    Target { name: "canonical", check: canonical::check },
    Target { name: "cookies", check: cookies::check },
    Target { name: "cursor", check: cursor::check },
    Target { name: "graph_answer", check: graph_answer::check },
    Target { name: "highlight", check: highlight::check },
    Target { name: "next", check: next::check },
    Target { name: "next_link", check: next_link::check },
    Target { name: "normalise", check: normalise::check },
    Target { name: "redact", check: redact::check },
    Target { name: "references", check: references::check },
    Target { name: "retry_after", check: retry_after::check },
    Target { name: "sanitise", check: sanitise::check },
    Target { name: "selection", check: selection::check },
    Target { name: "settings", check: settings::check },
    Target { name: "time", check: time::check },
    Target { name: "token_answer", check: token_answer::check },
];
