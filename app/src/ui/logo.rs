//! The mark of the product, and the chart beside the sign-in form.

use crate::ui::drawn::Drawn as _;
use leptos::prelude::*;

/// The mark: a sheet of an atlas with one place found.
pub fn logo() -> AnyView {
    view! {
        <svg viewBox="0 0 32 32" aria-hidden="true">
            <rect width="32" height="32" rx="8" fill="#17616e" />
            <g fill="#fff">
                <rect x="7" y="7" width="8" height="8" rx="2" />
                <rect x="17" y="7" width="8" height="8" rx="2" opacity=".55" />
                <rect x="7" y="17" width="8" height="8" rx="2" opacity=".55" />
                <path d="M21 16.5c-2.5 0-4.3 1.8-4.3 4.2 0 3 4.3 6.3 4.3 6.3s4.3-3.3 4.3-6.3c0-2.4-1.8-4.2-4.3-4.2Z" />
            </g>
            <circle cx="21" cy="20.6" r="1.5" fill="#17616e" />
        </svg>
    }
    .drawn()
}

/// Contour lines with a grid of degrees: drawn, so that it weighs nothing.
pub fn chart() -> AnyView {
    let contours: Vec<_> = (0..9)
        .map(|ring| {
            let (x, y) = (60 + ring * 16, 44 + ring * 13);
            let path = format!(
                "M{} 240C{} {} {} {} 320 {}S{} {} {} 250S{} {} 320 {}S{} {} {} 240Z",
                320 - x * 2,
                320 - x * 2,
                240 - y,
                320 - x,
                236 - y * 2,
                232 - y,
                320 + x,
                250 - y / 2,
                330 + x,
                320 + x,
                260 + y,
                262 + y,
                320 - x * 2,
                250 + y / 2,
                320 - x * 2,
            );
            view! { <path d=path opacity=format!("{:.2}", 0.62 - f64::from(ring) * 0.055) /> }
        })
        .collect();
    let meridians: Vec<_> =
        (0..9).map(|line| view! { <path d=format!("M{} 0V640", line * 80) opacity="0.13" /> }).collect();
    let parallels: Vec<_> =
        (0..9).map(|line| view! { <path d=format!("M0 {}H640", line * 80) opacity="0.13" /> }).collect();
    view! {
        <svg viewBox="0 0 640 640" preserveAspectRatio="xMidYMin slice" aria-hidden="true">
            <g fill="none" stroke="currentColor" stroke-width="1.25">{meridians}{parallels}</g>
            <g fill="none" stroke="currentColor" stroke-width="1.5" transform="translate(20 -10)">{contours}</g>
            <g transform="translate(20 -10)">
                <circle cx="326" cy="226" r="7" fill="#fff" />
                <circle cx="326" cy="226" r="17" fill="none" stroke="#fff" stroke-width="2" opacity="0.6" />
            </g>
        </svg>
    }
    .drawn()
}
