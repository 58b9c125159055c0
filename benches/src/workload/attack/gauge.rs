//! Resources of the server during an attack: resident memory, memory of the kernel for its sockets, disk.

use crate::report::rounded;
use serde_json::{Map, Value, json};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread::JoinHandle;
use std::time::Duration;

/// Time between two samples.
const INTERVAL: Duration = Duration::from_millis(200);

/// Size of a page of the kernel's memory, in which `/proc/net/sockstat` counts.
const KERNEL_PAGE: u64 = 4096;

/// Samples a server until it is finished.
pub struct Gauge {
    done: Arc<AtomicBool>,
    sampler: JoinHandle<Held>,
}

/// The first sample, and the highest of each figure.
pub struct Held {
    before: Sample,
    peak: Sample,
    /// Highest sum of memory and sockets, in bytes.
    together: u64,
}

#[derive(Clone, Copy)]
struct Sample {
    resident: u64,
    sockets: u64,
    disk: u64,
}

impl Gauge {
    /// Takes the first sample and starts a thread for the others.
    pub fn start(pids: Vec<u32>, port: u16, data: PathBuf) -> Self {
        let done = Arc::new(AtomicBool::new(false));
        let before = Sample::take(&pids, port, &data);
        let is_done = done.clone();
        let sampler = std::thread::spawn(move || {
            let mut held = Held { before, peak: before, together: before.resident + before.sockets };
            while !is_done.load(Relaxed) {
                held.add(Sample::take(&pids, port, &data));
                std::thread::sleep(INTERVAL);
            }
            held.add(Sample::take(&pids, port, &data));
            held
        });
        Self { done, sampler }
    }

    /// Takes the last sample.
    pub fn finish(self) -> Held {
        self.done.store(true, Relaxed);
        self.sampler.join().expect("the sampler does not panic")
    }
}

impl Held {
    fn add(&mut self, sample: Sample) {
        self.peak.resident = self.peak.resident.max(sample.resident);
        self.peak.sockets = self.peak.sockets.max(sample.sockets);
        self.peak.disk = self.peak.disk.max(sample.disk);
        self.together = self.together.max(sample.resident + sample.sockets);
    }

    /// Growth in MB: resident memory, memory of sockets, both together, disk.
    pub fn figures(&self) -> Map<String, Value> {
        let grown = |peak: u64, before: u64| json!(rounded(peak.saturating_sub(before) as f64 / 1e6));
        let mut figures = Map::new();
        figures.insert("rss_mb".to_owned(), grown(self.peak.resident, self.before.resident));
        figures.insert("kernel_mb".to_owned(), grown(self.peak.sockets, self.before.sockets));
        figures.insert("memory_mb".to_owned(), grown(self.together, self.before.resident + self.before.sockets));
        figures.insert("disk_mb".to_owned(), grown(self.peak.disk, self.before.disk));
        figures
    }
}

impl Sample {
    fn take(pids: &[u32], port: u16, data: &Path) -> Self {
        let resident = pids.iter().filter_map(|&pid| resident(pid)).sum();
        Self { resident, sockets: sockets(port).unwrap_or_else(all_sockets), disk: disk(data) }
    }
}

/// Resident memory of a process, in bytes.
fn resident(pid: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    Some(line.trim().trim_end_matches(" kB").parse::<u64>().ok()? * 1024)
}

/// Memory that the kernel holds for the server's ends of its connections, in bytes; `None` without `ss` (iproute2).
fn sockets(port: u16) -> Option<u64> {
    let listed = Command::new("ss").args(["-tmnHO", &format!("sport = :{port}")]).output().ok()?;
    listed.status.success().then_some(())?;
    let text = String::from_utf8_lossy(&listed.stdout);
    let of_line = |line: &str| -> Option<u64> {
        let memory = line.split_once("skmem:(")?.1.split(')').next()?;
        // Received and not read, queued to be sent, reserved.
        let counted = |field: &str| field.strip_prefix(['r', 'w', 'f']).and_then(|number| number.parse::<u64>().ok());
        Some(memory.split(',').filter_map(counted).sum())
    };
    Some(text.lines().filter_map(of_line).sum())
}

/// Memory that the kernel holds for all TCP sockets of this machine, in bytes.
fn all_sockets() -> u64 {
    let text = fs::read_to_string("/proc/net/sockstat").unwrap_or_default();
    let line = text.lines().find(|line| line.starts_with("TCP:"));
    let pages = line.and_then(|line| line.rsplit(' ').next()).and_then(|pages| pages.parse::<u64>().ok());
    pages.unwrap_or_default() * KERNEL_PAGE
}

/// Bytes that the files below this directory occupy.
fn disk(directory: &Path) -> u64 {
    use std::os::unix::fs::MetadataExt;
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    let size = |entry: fs::DirEntry| match entry.metadata() {
        Ok(metadata) if metadata.is_dir() => disk(&entry.path()),
        Ok(metadata) => metadata.blocks() * 512,
        Err(_) => 0,
    };
    entries.map(size).sum()
}
