//! Temporary directories, all below one that the watchdog removes.

use super::process::watchdog;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

/// A new directory; it goes with the test process.
pub fn directory(name: &str) -> PathBuf {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let path = root().join(format!("{number}-{name}"));
    std::fs::create_dir(&path).expect("a scratch directory");
    path
}

fn root() -> &'static Path {
    static ROOT: OnceLock<PathBuf> = OnceLock::new();
    ROOT.get_or_init(|| {
        let path = tempfile::Builder::new().prefix("parlour-it-").tempdir().expect("a temporary directory").keep();
        // PostgreSQL may have to run as another user, and must get through to its own directory.
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).expect("permissions");
        watchdog().remove(&path);
        path
    })
}
