//! Reading passwords and client secrets: from a file, from standard input, or asked for without echo.

use std::fs;
use std::io::{self, IsTerminal as _, Read as _};
use std::path::Path;

use secrecy::SecretString;

use crate::exit::{Exit, ExitCode};

/// The longest secret file that is read, in bytes; a private key of 16,384 bits stays below it.
const LIMIT: u64 = 64 * 1024;

/// The first line of a file, or of standard input for `-`.
///
/// # Errors
/// When the file cannot be read or its first line is empty (exit code 64).
pub fn first_line(path: &Path, what: &str) -> Result<SecretString, Exit> {
    let text = read(path, what)?;
    let line = text.lines().next().unwrap_or_default().trim_end_matches('\r');
    if line.trim().is_empty() {
        return Err(Exit::usage(format!("the first line of {} is empty: expected the {what}", path.display())));
    }
    Ok(SecretString::from(line.to_owned()))
}

/// A whole text file, such as a private key.
///
/// # Errors
/// When it cannot be read (exit code 64).
pub fn whole_file(path: &Path, what: &str) -> Result<SecretString, Exit> {
    read(path, what).map(SecretString::from)
}

/// A password: from the file when one is named, else asked for twice on the terminal.
///
/// # Errors
/// When there is neither a file nor a terminal, or the two entries differ (exit code 64).
pub fn new_password(file: Option<&Path>) -> Result<SecretString, Exit> {
    if let Some(path) = file {
        return first_line(path, "password");
    }
    if !io::stdin().is_terminal() {
        return Err(Exit::usage(
            "there is no terminal to ask for the password: use --password-file FILE, or - for standard input",
        ));
    }
    let ask = |prompt| {
        rpassword::prompt_password(prompt)
            .map_err(|error| Exit::new(ExitCode::Failed, format!("cannot read the password: {error}")))
    };
    let first = ask("Password: ")?;
    if ask("Again: ")? != first {
        return Err(Exit::usage("the two passwords differ; nothing was changed"));
    }
    Ok(SecretString::from(first))
}

fn read(path: &Path, what: &str) -> Result<String, Exit> {
    let mut text = String::new();
    let result = if path.as_os_str() == "-" {
        io::stdin().lock().take(LIMIT).read_to_string(&mut text)
    } else {
        fs::File::open(path).and_then(|file| file.take(LIMIT).read_to_string(&mut text))
    };
    match result {
        Ok(_) => Ok(text),
        Err(error) => Err(Exit::usage(format!("cannot read the {what} from {}: {error}", path.display()))),
    }
}

#[cfg(test)]
mod tests {
    use super::first_line;
    use secrecy::ExposeSecret as _;

    #[test]
    fn only_the_first_line_counts_and_an_empty_one_is_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("secret.txt");
        std::fs::write(&path, "correct horse\r\nsecond\n").expect("written");
        assert_eq!(first_line(&path, "secret").expect("read").expose_secret(), "correct horse");
        std::fs::write(&path, "\n").expect("written");
        assert!(first_line(&path, "secret").expect_err("refused").to_string().contains("empty"));
        assert!(first_line(&folder.path().join("absent"), "secret").is_err());
    }
}
