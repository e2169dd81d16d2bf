//! A run as it goes on: one bar per running type and one in total; plain lines when nobody watches a terminal.

use std::collections::BTreeMap;
use std::io::{self, IsTerminal as _, Write as _};
use std::pin::pin;
use std::time::{Duration, Instant};

use futures::StreamExt as _;
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use tenantatlas_app::format::counted;
use tenantatlas_domain::live::RunState;
use tenantatlas_engine::Engine;
use tenantatlas_store::tenants::Tenant;

use super::output::{Output, visible};
use crate::exit::Exit;

/// After so long without news the database is asked whether it can still be written.
const SILENCE: Duration = Duration::from_secs(3);

/// Follows a run to its end and shows it. Answers its last state.
///
/// # Errors
/// When the database fails.
pub async fn follow(engine: &Engine, tenant: &Tenant, begin: &RunState, output: Output) -> Result<RunState, Exit> {
    let mut progress = Progress::new(output.json);
    let mut states = pin!(engine.runs().follow(tenant.id, begin.id));
    let mut last = begin.clone();
    loop {
        match tokio::time::timeout(SILENCE, states.next()).await {
            Ok(Some(state)) => {
                last = state?;
                progress.show(&tenant.name, &last);
            }
            Ok(None) => break,
            // Where the database takes no write any more, the run cannot even note its end: nobody would ever wait
            // long enough. It goes on where it stopped once there is room.
            Err(_) => engine.probe_write().await?,
        }
    }
    progress.finish();
    Ok(last)
}

/// How often a plain line is written at most.
const LINE_INTERVAL: Duration = Duration::from_secs(2);

/// Shows one or several runs on standard error; standard output stays free for the result.
pub enum Progress {
    /// Nothing is shown (`--json`).
    Silent,
    /// Bars on a terminal.
    Bars(Bars),
    /// Lines elsewhere.
    Lines(Lines),
}

impl Progress {
    /// Bars on a terminal, lines elsewhere, nothing when silent.
    pub fn new(silent: bool) -> Self {
        if silent {
            Self::Silent
        } else if io::stderr().is_terminal() {
            Self::Bars(Bars { all: MultiProgress::with_draw_target(ProgressDrawTarget::stderr()), ..Bars::default() })
        } else {
            Self::Lines(Lines::default())
        }
    }

    /// Shows the newest state of a run. `title` names its tenant.
    pub fn show(&mut self, title: &str, state: &RunState) {
        let title = &visible(title);
        match self {
            Self::Silent => {}
            Self::Bars(bars) => bars.show(title, state),
            Self::Lines(lines) => lines.show(title, state),
        }
    }

    /// Takes the bars away.
    pub fn finish(&mut self) {
        if let Self::Bars(bars) = self {
            bars.finish();
        }
    }
}

/// Bars on a terminal.
#[derive(Default)]
pub struct Bars {
    all: MultiProgress,
    totals: BTreeMap<String, ProgressBar>,
    types: BTreeMap<(String, String), ProgressBar>,
}

impl Bars {
    fn show(&mut self, title: &str, state: &RunState) {
        let total = self.totals.entry(title.to_owned()).or_insert_with(|| {
            let bar = self.all.add(ProgressBar::new(u64::from(state.counters.total)));
            bar.set_style(style("{prefix:.bold} {bar:32.cyan/238} {pos:>3} / {msg}  {elapsed}"));
            bar.set_prefix(title.to_owned());
            bar.enable_steady_tick(Duration::from_millis(250));
            bar
        });
        total.set_length(u64::from(state.counters.total));
        total.set_position(u64::from(state.counters.processed));
        total.set_message(format!("{}  {}{}", units(state), things(state, state.items), failed(state)));
        let running: Vec<(String, String)> =
            state.current.iter().map(|item| (title.to_owned(), item.key.clone())).collect();
        self.types.retain(|key, bar| {
            let keep = key.0 != title || running.contains(key);
            if !keep {
                bar.finish_and_clear();
            }
            keep
        });
        for item in &state.current {
            let bar = self.types.entry((title.to_owned(), item.key.clone())).or_insert_with(|| {
                let bar = self.all.add(ProgressBar::new_spinner());
                bar.set_style(style("  {spinner:.cyan} {prefix:40} {msg}"));
                bar.set_prefix(visible(&item.label).into_owned());
                bar.enable_steady_tick(Duration::from_millis(100));
                bar
            });
            bar.set_message(if item.items > 0 { things(state, item.items) } else { String::new() });
        }
        if state.status.is_terminal() {
            total.finish();
        }
    }

    fn finish(&mut self) {
        for bar in self.types.values() {
            bar.finish_and_clear();
        }
        for bar in self.totals.values() {
            bar.finish();
        }
    }
}

/// Plain lines: one when something was finished, at most every two seconds, and the last.
#[derive(Default)]
pub struct Lines {
    last: BTreeMap<String, (Instant, u32, bool)>,
}

impl Lines {
    fn show(&mut self, title: &str, state: &RunState) {
        let ended = state.status.is_terminal();
        let processed = state.counters.processed;
        if let Some((at, shown, shown_end)) = self.last.get(title)
            && (*shown_end || (!ended && (*shown == processed || at.elapsed() < LINE_INTERVAL)))
        {
            return;
        }
        self.last.insert(title.to_owned(), (Instant::now(), processed, ended));
        let now: Vec<String> = state.current.iter().take(3).map(|item| visible(&item.label).into_owned()).collect();
        let now = if now.is_empty() { String::new() } else { format!(", now {}", now.join(", ")) };
        // A closed standard error must not end the sync.
        let _ = writeln!(
            io::stderr().lock(),
            "{title}: {processed} / {}, {}{}{now}",
            units(state),
            things(state, state.items),
            failed(state),
        );
    }
}

fn failed(state: &RunState) -> String {
    match state.counters.failed {
        0 => String::new(),
        failed => format!(", {failed} failed"),
    }
}

/// `3,481 items`, in the words of the operation.
fn things(state: &RunState, count: u64) -> String {
    let (one, many) = &state.words.things;
    counted(count, one, many)
}

/// `103 types`, in the words of the operation.
fn units(state: &RunState) -> String {
    let (one, many) = &state.words.units;
    counted(u64::from(state.counters.total), one, many)
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template)
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .progress_chars("━╸─")
        .tick_chars("⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏ ")
}
