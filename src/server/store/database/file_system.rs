//! Detection of network file systems: SQLite's write-ahead log needs shared memory and reliable locks.

use crate::server::store::OpenError;
use std::path::Path;

/// The kind of a file system, by how far SQLite can rely on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// A local file system, as far as the magic number tells.
    Local,
    /// A file system that may be remote.
    Doubtful(&'static str),
    /// A remote file system.
    Network(&'static str),
}

/// Returns the kind of a file system by its magic number (statfs(2)).
fn kind(magic: u32) -> Kind {
    match magic {
        0x6969 => Kind::Network("NFS"),
        0x517B | 0xFF53_4D42 | 0xFE53_4D42 => Kind::Network("SMB"),
        0x5346_414F | 0x6B41_4653 => Kind::Network("AFS"),
        0x7375_7245 => Kind::Network("Coda"),
        0x0102_1997 => Kind::Doubtful("9p"),
        0x6573_5546 => Kind::Doubtful("FUSE"),
        0x00C3_6400 => Kind::Doubtful("Ceph"),
        0x0BD0_0BD0 => Kind::Doubtful("Lustre"),
        _ => Kind::Local,
    }
}

/// Checks the file system of a database at `file`. Logs a warning if it may be remote.
///
/// # Errors
///
/// Returns an error if it is a network file system.
pub(crate) fn examine(file: &Path) -> Result<(), OpenError> {
    // A directory that does not exist yet will be on the file system of its parent.
    let there =
        directory_of(file).ancestors().map(|path| if path.as_os_str().is_empty() { Path::new(".") } else { path });
    let Some(directory) = there.into_iter().find(|path| path.exists()) else { return Ok(()) };
    // For a symbolic link, the file system of its target counts.
    let target = file.canonicalize();
    let Ok(found) = rustix::fs::statfs(target.as_deref().unwrap_or(directory)) else { return Ok(()) };
    match kind(found.f_type as u32) {
        Kind::Local => Ok(()),
        Kind::Doubtful(name) => {
            let path = directory.display();
            tracing::warn!("{path} is on {name}: if that is a remote file system, SQLite is not safe there");
            Ok(())
        }
        Kind::Network(name) => {
            let remedy = "SQLite loses data there; use a local disk (--data), or PostgreSQL (--database-url)";
            let what = format!("is on a network file system ({name}): {remedy}");
            Err(OpenError::File { path: directory.display().to_string(), what })
        }
    }
}

/// Returns the directory of a file.
pub(crate) fn directory_of(file: &Path) -> &Path {
    file.parent().filter(|directory| !directory.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn network_file_systems_are_refused() {
        for magic in [0x6969, 0x517B, 0xFF53_4D42, 0xFE53_4D42] {
            assert!(matches!(kind(magic), Kind::Network(_)), "{magic:x}");
        }
        assert!(matches!(kind(0x6573_5546), Kind::Doubtful(_)));
        // ext4, XFS, Btrfs, ZFS, tmpfs, overlay.
        for magic in [0xEF53, 0x5846_5342, 0x9123_683E, 0x2FC1_2FC1, 0x0102_1994, 0x794C_7630] {
            assert_eq!(kind(magic), Kind::Local, "{magic:x}");
        }
    }
}
