//! The icons: 24 units wide, drawn with one stroke, inheriting the colour of the text.

use leptos::prelude::*;
use leptos::svg;

use crate::island::erased;

/// The icons there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Icon {
    /// Inventory: stacked sheets.
    Inventory,
    /// Runs: a pulse.
    Runs,
    /// Audit: a shield with a tick.
    Audit,
    /// Settings: sliders.
    Settings,
    /// Notifications.
    Bell,
    /// A person.
    Person,
    /// Several people.
    People,
    /// Search.
    Search,
    /// Close, remove.
    Close,
    /// Open below.
    Down,
    /// Sorted upwards.
    Up,
    /// To the next page.
    Next,
    /// To the page before.
    Previous,
    /// Done, succeeded.
    Done,
    /// Failed.
    Failed,
    /// Partly.
    Partly,
    /// Skipped.
    Skipped,
    /// Waiting.
    Waiting,
    /// Turning.
    Turning,
    /// Missing.
    Missing,
    /// Not read.
    Unread,
    /// A warning.
    Warning,
    /// A key: permissions, credentials.
    Key,
    /// A star: favourite.
    Star,
    /// A building: tenants.
    Tenant,
    /// Add.
    Add,
    /// Download.
    Download,
    /// Sun: light.
    Sun,
    /// Moon: dark.
    Moon,
    /// Half: as the system.
    Half,
    /// Leave.
    Leave,
    /// No connection.
    Offline,
    /// A compass: for empty places.
    Compass,
    /// Excluded.
    Excluded,
    /// Included.
    Included,
    /// Copy.
    Copy,
    /// Leads to another site.
    Outside,
    /// Columns of a table.
    Columns,
}

impl Icon {
    const fn path(self) -> &'static str {
        match self {
            Self::Inventory => "M12 3 3 7.5l9 4.5 9-4.5L12 3ZM3 12l9 4.5 9-4.5M3 16.5 12 21l9-4.5",
            Self::Runs => "M3 12h4l3-8 4 16 3-8h4",
            Self::Audit => "M12 3l7.5 3v5.5c0 4.5-3 7.8-7.5 9.5-4.5-1.7-7.5-5-7.5-9.5V6L12 3ZM8.5 12l2.5 2.5 4.5-5",
            Self::Settings => "M4 7h9m4 0h3M4 17h3m4 0h9M15 4.5v5M9 14.5v5",
            Self::Bell => "M6 16.5V11a6 6 0 1 1 12 0v5.5l1.5 1.5h-15L6 16.5ZM10 20.5h4",
            Self::Person => "M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8ZM4.5 20.5c.8-3.8 3.7-6 7.5-6s6.7 2.2 7.5 6",
            Self::People => {
                "M9 11.5a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7ZM2.5 19.5c.6-3.3 3-5 6.5-5s5.9 1.7 6.5 5M16 4.8a3.5 3.5 0 0 1 0 6.4M18 14.9c2 .7 3.1 2.3 3.5 4.6"
            }
            Self::Search => "M10.5 17a6.5 6.5 0 1 0 0-13 6.5 6.5 0 0 0 0 13ZM15.3 15.3 20 20",
            Self::Close => "M6 6l12 12M18 6 6 18",
            Self::Down => "M6 9.5l6 6 6-6",
            Self::Up => "M6 14.5l6-6 6 6",
            Self::Next => "M9.5 6l6 6-6 6",
            Self::Previous => "M14.5 6l-6 6 6 6",
            Self::Done => "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18ZM8 12.2l2.8 2.8L16 9.5",
            Self::Failed => "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18ZM9 9l6 6M15 9l-6 6",
            Self::Partly => "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18ZM12 3v18M12 7.5l4.5 4.5M12 13l4 4",
            Self::Skipped => "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18ZM8 12h8",
            Self::Waiting => "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18ZM12 7v5l3 2",
            Self::Turning => "M20 12a8 8 0 1 1-2.7-6M20 3.5V8h-4.5",
            Self::Missing => {
                "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18ZM9.7 9.5a2.4 2.4 0 1 1 3.5 2.2c-.8.4-1.2.9-1.2 1.8M12 16.7v.1"
            }
            Self::Unread => {
                "M4 4l16 16M9.9 5.3A9.7 9.7 0 0 1 12 5c4.5 0 7.7 3 9.5 7a14 14 0 0 1-2.7 3.9M6.3 7.3A13.5 13.5 0 0 0 2.5 12c1.8 4 5 7 9.5 7a9 9 0 0 0 4.2-1"
            }
            Self::Warning => "M12 4 2.8 19.5h18.4L12 4ZM12 10v4.5M12 17v.1",
            Self::Key => "M8 16.5a4.5 4.5 0 1 0 0-9 4.5 4.5 0 0 0 0 9ZM12.3 11H21v3.5M17.5 11v2.5",
            Self::Star => "M12 4l2.5 5.1 5.6.8-4.1 4 1 5.6-5-2.7-5 2.7 1-5.6-4.1-4 5.6-.8L12 4Z",
            Self::Tenant => {
                "M5 20.5V5.5l8-2v17M13 9.5h6v11M3 20.5h18M8.5 8.5h1M8.5 12h1M8.5 15.5h1M16 13h.5M16 16.5h.5"
            }
            Self::Add => "M12 5v14M5 12h14",
            Self::Download => "M12 4v11M7.5 10.5 12 15l4.5-4.5M4.5 19.5h15",
            Self::Sun => {
                "M12 16a4 4 0 1 0 0-8 4 4 0 0 0 0 8ZM12 2.5v2M12 19.5v2M2.5 12h2M19.5 12h2M5.3 5.3l1.4 1.4M17.3 17.3l1.4 1.4M18.7 5.3l-1.4 1.4M6.7 17.3l-1.4 1.4"
            }
            Self::Moon => "M20 14.5A8.5 8.5 0 0 1 9.5 4a8.5 8.5 0 1 0 10.5 10.5Z",
            Self::Half => "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18ZM12 3v18M12 8h7.5M12 12h9M12 16h7.5",
            Self::Leave => "M14 4.5H5.5v15H14M10 12h10.5M17 8.5l3.5 3.5-3.5 3.5",
            Self::Offline => {
                "M3 4l18 16M8.5 14.5a5 5 0 0 1 5.5-.8M5 11a10 10 0 0 1 4-2.3M13 8.1a10 10 0 0 1 6 2.9M12 18.5v.1"
            }
            Self::Compass => "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18ZM15.5 8.5l-2 5-5 2 2-5 5-2Z",
            Self::Excluded => "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18ZM5.7 5.7l12.6 12.6",
            Self::Included => "M5 12.5l4.5 4.5L19 7.5",
            Self::Copy => "M9 9h11v11H9V9ZM5.5 15H4V4h11v1.5",
            Self::Outside => "M14 4.5h5.5V10M19.5 4.5l-8.5 8.5M10 5.5H4.5v14h14V14",
            Self::Columns => "M4 5h16v14H4ZM9.5 5v14M14.5 5v14",
        }
    }

    /// The drawing. It says nothing to screen readers: the word beside it does.
    #[must_use]
    pub fn view(self) -> impl IntoView + use<> {
        icon(self, "")
    }

    /// The drawing with a class.
    #[must_use]
    pub fn with_class(self, class: &'static str) -> impl IntoView + use<> {
        icon(self, class)
    }
}

fn icon(icon: Icon, class: &'static str) -> impl IntoView + use<> {
    let drawing = svg::svg()
        .attr("class", class)
        .attr("viewBox", "0 0 24 24")
        .attr("fill", "none")
        .attr("stroke", "currentColor")
        .attr("stroke-width", "1.75")
        .attr("stroke-linecap", "round")
        .attr("stroke-linejoin", "round")
        .attr("aria-hidden", "true")
        .child(svg::path().attr("d", icon.path()));
    erased(drawing)
}
