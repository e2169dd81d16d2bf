//! Files as they are met: what is no file, what others may read, and why something cannot be written.

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use crate::StoreError;

/// Written to find out why SQLite could not write: more than it needs to open a database.
const PROBE_BYTES: usize = 256 * 1024;

/// Opens a file to read it. `None` when there is none. What is no regular file is not opened: to open a pipe waits for
/// whoever writes into it.
///
/// # Errors
/// What is wrong, as the rest of a sentence that begins with the file.
pub(crate) fn open_regular(path: &Path) -> Result<Option<File>, String> {
    let unreadable = |error: io::Error| format!("cannot be read ({error})");
    match std::fs::metadata(path) {
        Ok(metadata) if metadata.is_file() => {}
        Ok(metadata) => return Err(format!("is {} and no file", kind_of(&metadata))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return if path.is_symlink() { Err("is a link that leads nowhere".to_owned()) } else { Ok(None) };
        }
        Err(error) => return Err(unreadable(error)),
    }
    let mut options = OpenOptions::new();
    options.read(true);
    // Should it have become a pipe since, this does not wait either.
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::custom_flags(&mut options, libc::O_NONBLOCK | libc::O_NOCTTY);
    let file = match options.open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(unreadable(error)),
    };
    let metadata = file.metadata().map_err(unreadable)?;
    if metadata.is_file() { Ok(Some(file)) } else { Err(format!("is {} and no file", kind_of(&metadata))) }
}

/// What something that is no regular file is.
fn kind_of(metadata: &std::fs::Metadata) -> &'static str {
    #[cfg(unix)]
    {
        use std::os::unix::fs::FileTypeExt as _;
        let kind = metadata.file_type();
        if kind.is_fifo() {
            return "a named pipe";
        }
        if kind.is_socket() {
            return "a socket";
        }
        if kind.is_block_device() || kind.is_char_device() {
            return "a device";
        }
    }
    if metadata.is_dir() { "a folder" } else { "something else" }
}

/// Makes the file of a SQLite database if there is none, readable by its owner only from its first moment: SQLite gives
/// its other files the rights of this one. What is there must be a regular file.
///
/// # Errors
/// [`StoreError::NoFile`], and what [`why_unwritable`] finds.
pub(crate) fn prepare_database(path: &Path) -> Result<(), StoreError> {
    match std::fs::metadata(path) {
        Ok(metadata) if metadata.is_file() => return Ok(()),
        Ok(metadata) => return Err(StoreError::NoFile { path: path.to_owned(), kind: kind_of(&metadata) }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(unwritable(path, &error)),
    }
    match private().write(true).create_new(true).open(path) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(unwritable(path, &error)),
    }
}

/// The files hold sealed secrets and the configuration of tenants: nobody else on the machine needs to read them.
///
/// # Errors
/// [`StoreError::Unwritable`].
pub(crate) fn keep_private(path: &Path) -> Result<(), StoreError> {
    #[cfg(unix)]
    for suffix in ["", "-wal", "-shm"] {
        use std::os::unix::fs::PermissionsExt as _;
        let name = with_suffix(path, suffix);
        let kept = std::fs::metadata(&name).and_then(|metadata| match metadata.permissions().mode() & 0o077 {
            0 => Ok(()),
            _ => std::fs::set_permissions(&name, std::fs::Permissions::from_mode(0o600)),
        });
        match kept {
            Ok(()) => {}
            // Another process may remove the last two at any moment, and who does not own the file cannot change it.
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::PermissionDenied) => {}
            // A file system that cannot be written says so where something is to be written.
            Err(error) if error.kind() == io::ErrorKind::ReadOnlyFilesystem => {}
            Err(error) => return Err(unwritable(&name, &error)),
        }
    }
    Ok(())
}

/// Waits until everything that was committed to a SQLite file is on the disk. With `synchronous = NORMAL` a commit lies in
/// the write-ahead log and may be lost with the power until a checkpoint copies it, which waits for the disk itself.
///
/// # Errors
/// When the disk fails.
pub(crate) fn sync_commits(path: &Path) -> io::Result<()> {
    // SQLite holds no lock on this file that closing it here would give up.
    match File::open(with_suffix(path, "-wal")) {
        Ok(file) => file.sync_all(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

/// Writes a file that replaces the one at `path` at once, readable by its owner only.
///
/// # Errors
/// When the folder cannot be written; the file is then as it was.
pub(crate) fn replace_private(path: &Path, write: impl FnOnce(&mut File) -> io::Result<()>) -> io::Result<()> {
    let beside = unique_beside(path);
    let written = (|| {
        let mut file = private().write(true).create_new(true).open(&beside)?;
        write(&mut file)?;
        // Before the rename: after a loss of power the name must not stand for an empty file.
        file.sync_all()?;
        std::fs::rename(&beside, path)
    })();
    if written.is_err() {
        // The cause is told; that nothing could be tidied up has the same one.
        let _ = std::fs::remove_file(&beside);
    }
    written
}

/// Finds out why a database file cannot be written, which SQLite tells in words that fit many causes, by writing another
/// file beside it. `None` when that works: then it is the file itself.
pub(crate) fn why_unwritable(path: &Path) -> Option<StoreError> {
    let probe = unique_beside(path);
    let written = private().write(true).create_new(true).open(&probe).and_then(|mut file| {
        file.write_all(&vec![0; PROBE_BYTES])?;
        file.sync_all()
    });
    let error = written.err();
    if let Err(error) = std::fs::remove_file(&probe)
        && error.kind() != io::ErrorKind::NotFound
    {
        tracing::debug!(%error, "a file that was written for a test could not be removed");
    }
    error.map(|error| unwritable(path, &error))
}

/// The error for a file that cannot be written: a full disk is told from everything else.
pub(crate) fn unwritable(path: &Path, error: &io::Error) -> StoreError {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => StoreError::DiskFull,
        _ => StoreError::Unwritable { path: path.to_owned(), cause: error.to_string() },
    }
}

/// Options for a file that only its owner can read.
fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

fn unique_beside(path: &Path) -> PathBuf {
    with_suffix(path, &format!(".{}", uuid::Uuid::new_v4().simple()))
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}
