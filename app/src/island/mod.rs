//! The parts that the browser takes over.

mod theme;

pub use theme::ThemeSwitch;
