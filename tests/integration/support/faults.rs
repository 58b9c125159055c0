//! A disk that fails on request: `faults.c`, compiled once and preloaded into a server, and the files that command it.

use super::tempdir;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// A fault in the files of a database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// A sync fails with an I/O error.
    SyncFails,
    /// There is no space left.
    Full,
    /// There is space for a transaction of three pages, which no message fits in.
    Cramped,
    /// No host name can be resolved.
    NoNames,
    /// A sync takes until the fault is over.
    SyncWaits,
}

impl Fault {
    fn file(self) -> &'static str {
        match self {
            Self::SyncFails => "eio",
            Self::Full => "enospc",
            Self::Cramped => "cramped",
            Self::NoNames => "nonames",
            Self::SyncWaits => "block",
        }
    }
}

/// The disk of one site.
pub struct Faults {
    library: PathBuf,
    directory: PathBuf,
}

impl Faults {
    /// A disk without faults.
    pub fn none() -> Self {
        static LIBRARY: OnceLock<PathBuf> = OnceLock::new();
        let library = LIBRARY.get_or_init(compile).clone();
        Self { library, directory: tempdir::directory("faults") }
    }

    /// Returns the environment variables of a server on this disk.
    pub fn environment(&self) -> [(&'static str, &Path); 2] {
        [("LD_PRELOAD", &self.library), ("FAULTS", &self.directory)]
    }

    /// From now on.
    pub fn begin(&self, fault: Fault) {
        let _ = std::fs::remove_file(self.directory.join("blocked"));
        std::fs::write(self.directory.join(fault.file()), "").expect("a file");
    }

    /// No longer.
    pub fn end(&self, fault: Fault) {
        std::fs::remove_file(self.directory.join(fault.file())).expect("the fault had begun");
    }

    /// Whether a sync waits, or has waited since [`Fault::SyncWaits`] began.
    pub fn a_sync_waits(&self) -> bool {
        self.directory.join("blocked").exists()
    }
}

fn compile() -> PathBuf {
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/integration/support/faults.c");
    let library = tempdir::directory("library").join("faults.so");
    let mut cc = Command::new("cc");
    cc.args(["-shared", "-fPIC", "-O1", "-Wall", "-o"]).arg(&library).arg(source).arg("-ldl");
    let compiled = cc.output().expect("a C compiler, cc");
    assert!(compiled.status.success(), "{}", String::from_utf8_lossy(&compiled.stderr));
    library
}
