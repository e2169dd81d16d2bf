//! What a server tells the person who started it, on standard output.

use std::io::Write as _;

use crate::cli::output::visible;

/// Lines for the person who started the server.
pub fn say(text: &str) {
    let mut stream = std::io::stdout().lock();
    for line in text.split('\n') {
        let _ = writeln!(stream, "{}", visible(line));
    }
}
