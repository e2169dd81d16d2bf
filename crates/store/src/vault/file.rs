//! The key file: one line per key, the newest first. It has one line but while a key takes the place of another.

use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use zeroize::Zeroizing;

use super::root::RootKey;
use crate::{StoreError, files};

const PREFIX: &str = "tenantatlas-key-1:";
/// A key is one short line, and few are in use at a time.
const LIMIT: u64 = 1_024;
const NO_KEY: &str = "holds no key: expected a line that begins with tenantatlas-key-1";

pub(super) fn problem(path: &Path, problem: &str) -> StoreError {
    StoreError::KeyFile { path: path.to_owned(), problem: problem.to_owned() }
}

/// The keys of a file, the newest first; `None` when there is no file.
pub(super) fn read(path: &Path) -> Result<Option<Vec<RootKey>>, StoreError> {
    let Some(file) = files::open_regular(path).map_err(|reason| problem(path, &reason))? else { return Ok(None) };
    check_permissions(&file, path)?;
    let mut text = Zeroizing::new(String::new());
    file.take(LIMIT + 1).read_to_string(&mut text).map_err(|_| problem(path, NO_KEY))?;
    if text.trim().is_empty() {
        return Err(problem(path, "is empty: restore it, or remove it if no database was made with it"));
    }
    if text.len() as u64 > LIMIT {
        return Err(problem(path, "is too large for a key: expected a line that begins with tenantatlas-key-1"));
    }
    let keys: Option<Vec<RootKey>> = text.trim().lines().map(|line| parse(line.trim())).collect();
    keys.map(Some).ok_or_else(|| problem(path, NO_KEY))
}

fn parse(line: &str) -> Option<RootKey> {
    let bytes = BASE64.decode(line.strip_prefix(PREFIX)?).ok().map(Zeroizing::new)?;
    <[u8; 32]>::try_from(bytes.as_slice()).ok().map(|bytes| RootKey::new(Zeroizing::new(bytes)))
}

fn text_of<'a>(keys: impl IntoIterator<Item = &'a RootKey>) -> Zeroizing<String> {
    let mut text = Zeroizing::new(String::with_capacity(256));
    for key in keys {
        let encoded = Zeroizing::new(BASE64.encode(key.bytes()));
        text.push_str(PREFIX);
        text.push_str(&encoded);
        text.push('\n');
    }
    text
}

/// Writes a new key beside the wanted name and links it there: whoever reads the name sees the whole key or none,
/// and of two processes that start at once both use the key of the one that came first.
pub(super) fn create(path: &Path) -> Result<Vec<RootKey>, StoreError> {
    write_new(path, &text_of([&RootKey::random()]))?;
    read(path)?.ok_or_else(|| problem(path, "vanished while it was being made"))
}

/// Makes a file, unless there is one of this name.
fn write_new(path: &Path, text: &str) -> Result<(), StoreError> {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{}", uuid::Uuid::new_v4().simple()));
    let beside = PathBuf::from(name);
    let written = (|| {
        let mut options = std::fs::OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(&beside)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        std::fs::hard_link(&beside, path)
    })();
    let _ = std::fs::remove_file(&beside);
    match written {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(files::unwritable(path, &error)),
    }
}

/// Replaces the file at once by one with these keys.
pub(super) fn replace<'a>(path: &Path, keys: impl IntoIterator<Item = &'a RootKey>) -> Result<(), StoreError> {
    let text = text_of(keys);
    files::replace_private(path, |file| file.write_all(text.as_bytes()))
        .map_err(|error| files::unwritable(path, &error))?;
    sync_folder(path).map_err(|error| files::unwritable(path, &error))
}

/// Waits until the name stands on the disk: the database is changed next, and fits no other key then.
fn sync_folder(path: &Path) -> std::io::Result<()> {
    #[cfg(unix)]
    if let Some(folder) = path.parent() {
        let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        return std::fs::File::open(folder)?.sync_all();
    }
    Ok(())
}

/// Where a key is kept that is being replaced.
pub(super) fn kept_path(path: &Path, name: &str) -> PathBuf {
    let mut beside = path.as_os_str().to_owned();
    beside.push(format!(".former-{name}"));
    PathBuf::from(beside)
}

/// Keeps a key that is being replaced in a file of its own: backups made before are opened with it.
pub(super) fn keep(path: &Path, key: &RootKey) -> Result<PathBuf, StoreError> {
    let kept = kept_path(path, &key.name());
    write_new(&kept, &text_of([key]))?;
    Ok(kept)
}

fn check_permissions(file: &std::fs::File, path: &Path) -> Result<(), StoreError> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let metadata = file.metadata().map_err(|error| problem(path, &format!("cannot be read ({error})")))?;
        let mode = metadata.permissions().mode() & 0o777;
        if mode & 0o077 != 0 {
            return Err(problem(path, &format!("can be read by others (mode {mode:03o}): run chmod 600 on it")));
        }
    }
    Ok(())
}
