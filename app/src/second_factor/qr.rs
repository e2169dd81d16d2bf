//! QR codes, drawn on the server.

use crate::ui::drawn::Drawn as _;
use std::fmt::Write as _;

use leptos::prelude::*;
use qrcodegen::{QrCode, QrCodeEcc};

/// Empty modules around a code (ISO/IEC 18004, section 6.3.8).
const BORDER: i32 = 4;

/// A QR code as an image with a name; nothing when the text is too long for one.
pub fn code(text: &str, name: &'static str) -> Option<AnyView> {
    let code = QrCode::encode_text(text, QrCodeEcc::Medium).ok()?;
    let side = code.size() + 2 * BORDER;
    let path = path(&code);
    Some(
        view! {
            <svg class="qr" viewBox=format!("0 0 {side} {side}") role="img" aria-label=name shape-rendering="crispEdges">
                <path d=path fill="currentColor" />
            </svg>
        }
        .drawn(),
    )
}

/// One rectangle for each run of dark modules of a row.
fn path(code: &QrCode) -> String {
    let mut path = String::new();
    for y in 0..code.size() {
        let mut x = 0;
        while x < code.size() {
            let length = (x..code.size()).take_while(|x| code.get_module(*x, y)).count();
            let length = i32::try_from(length).unwrap_or_default();
            if length > 0 {
                let _ = write!(path, "M{} {}h{length}v1h-{length}z", x + BORDER, y + BORDER);
            }
            x += length + 1;
        }
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_picture_has_each_dark_module_once() {
        let code = QrCode::encode_text("otpauth://totp/x?secret=MZXW6", QrCodeEcc::Medium).expect("a code");
        let all = (0..code.size()).flat_map(|y| (0..code.size()).map(move |x| (x, y)));
        let dark = all.filter(|(x, y)| code.get_module(*x, *y)).count();
        let drawn: usize =
            path(&code).split('h').skip(1).filter_map(|rest| rest.split('v').next()?.parse::<usize>().ok()).sum();
        assert_eq!(drawn, dark);
    }
}
