//! The folders that records and key lie in: made private, and refused where others may put files of their own into them.

use std::io;
use std::path::Path;

use crate::exit::{Exit, ExitCode};

/// Makes sure that a folder is there and that nobody else may write into it: who can replace the key file or the
/// database needs no password. One that is made is readable by its owner only, whatever the umask; one that others may
/// only read is warned of, and so is one that a group may write, as volumes of Kubernetes with an `fsGroup` are.
///
/// # Errors
/// When it cannot be made (exit code 74), or others may write into it (78).
pub fn ensure(folder: &Path, what: &str, setting: &str) -> Result<(), Exit> {
    let cannot = |error: &io::Error| {
        Exit::new(
            ExitCode::CannotWrite,
            format!("cannot make {what} {}: {error}; set {setting} to a place that can be written", folder.display()),
        )
    };
    if !folder.exists() {
        make(folder).map_err(|error| cannot(&error))?;
    }
    let metadata = std::fs::metadata(folder).map_err(|error| cannot(&error))?;
    if !metadata.is_dir() {
        return Err(cannot(&io::ErrorKind::NotADirectory.into()));
    }
    judge(folder, &metadata, what)
}

#[cfg(unix)]
fn make(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    // A umask may have taken rights of the owner away.
    std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o700))
}

#[cfg(not(unix))]
fn make(folder: &Path) -> io::Result<()> {
    std::fs::create_dir_all(folder)
}

#[cfg(unix)]
fn judge(folder: &Path, metadata: &std::fs::Metadata, what: &str) -> Result<(), Exit> {
    use std::os::unix::fs::PermissionsExt as _;
    const GROUP_WRITES: u32 = 0o020;
    const OTHERS_WRITE: u32 = 0o002;
    const OTHERS: u32 = 0o077;
    const SHARED: u32 = 0o1000;
    let mode = metadata.permissions().mode() & 0o1777;
    if mode & OTHERS_WRITE != 0 {
        // One such as /tmp is meant to be so.
        let advice = if mode & SHARED == 0 { "run chmod go-w on it" } else { "name a folder of its own" };
        return Err(Exit::new(
            ExitCode::Configuration,
            format!(
                "{what} {} can be written by everybody on this machine (mode {mode:03o}): {advice}",
                folder.display()
            ),
        ));
    }
    if mode & GROUP_WRITES != 0 {
        tracing::warn!(folder = %folder.display(), mode = format!("{mode:03o}"), "{what} can be written by its group: unless that is meant, run chmod g-w on it");
    } else if mode & OTHERS != 0 {
        tracing::warn!(folder = %folder.display(), mode = format!("{mode:03o}"), "{what} can be looked into by others: run chmod 700 on it");
    }
    Ok(())
}

#[cfg(not(unix))]
fn judge(_folder: &Path, _metadata: &std::fs::Metadata, _what: &str) -> Result<(), Exit> {
    Ok(())
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    fn mode(path: &Path) -> u32 {
        std::fs::metadata(path).expect("there").permissions().mode() & 0o777
    }

    #[test]
    fn a_folder_that_is_made_is_private_with_those_above_it() {
        let place = tempfile::tempdir().expect("a folder");
        let folder = place.path().join("above/data");
        ensure(&folder, "the data folder", "X").expect("made");
        assert_eq!((mode(&folder), mode(&place.path().join("above"))), (0o700, 0o700));
        ensure(&folder, "the data folder", "X").expect("it may be there already");
    }

    #[test]
    fn a_folder_that_everybody_may_write_is_refused_and_one_that_others_may_read_is_not() {
        let place = tempfile::tempdir().expect("a folder");
        let shared = 0o1777;
        for (rights, taken) in
            [(0o700, true), (0o755, true), (0o775, true), (0o777, false), (0o702, false), (shared, false)]
        {
            std::fs::set_permissions(place.path(), std::fs::Permissions::from_mode(rights)).expect("set");
            let result = ensure(place.path(), "the data folder", "X");
            assert_eq!(result.is_ok(), taken, "{rights:o}");
            assert_eq!(mode(place.path()), rights & 0o777, "what is there is not changed");
            if let Err(error) = result {
                assert_eq!(error.code(), ExitCode::Configuration);
                let advice = if rights == shared { "a folder of its own" } else { "chmod go-w" };
                assert!(error.to_string().contains(advice), "{error}");
            }
        }
    }
}
