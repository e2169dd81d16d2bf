//! What the system lets this process have: files, which are connections too, and no core dumps.

/// Takes as many open files as the system gives without asking (the hard limit: the soft one is 1,024 where programs are
/// expected that use `select`), and forbids core dumps, which would hold session tokens and secrets (CWE-528).
#[cfg(unix)]
pub fn apply() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let none = Rlimit { current: Some(0), maximum: Some(0) };
    // What is so already is not set again: a service manager may have taken the right to set it away.
    if getrlimit(Resource::Core) != none
        && let Err(error) = setrlimit(Resource::Core, none)
    {
        tracing::warn!(%error, "core dumps could not be forbidden");
    }
    let files = getrlimit(Resource::Nofile);
    if files.current == files.maximum {
        return;
    }
    if let Err(error) = setrlimit(Resource::Nofile, Rlimit { current: files.maximum, ..files }) {
        tracing::warn!(%error, "the limit of open files could not be raised");
    }
}

/// Files that the process may have open; none when that is not limited.
#[cfg(unix)]
pub fn open_files() -> Option<u64> {
    rustix::process::getrlimit(rustix::process::Resource::Nofile).current
}

/// Where there are no such limits there is nothing to do.
#[cfg(not(unix))]
pub fn apply() {}

/// Where there are no such limits nothing is limited.
#[cfg(not(unix))]
pub fn open_files() -> Option<u64> {
    None
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use rustix::process::{Resource, getrlimit};

    #[test]
    fn no_core_is_dumped_and_every_file_that_is_allowed_may_be_opened() {
        apply();
        let core = getrlimit(Resource::Core);
        assert_eq!((core.current, core.maximum), (Some(0), Some(0)));
        assert_eq!(open_files(), getrlimit(Resource::Nofile).maximum);
    }
}
