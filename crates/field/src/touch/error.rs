//! Why the touch record cannot be kept. It belongs to the IO family; the guard turns it into a refusal.

use std::{fmt, io, path::PathBuf};

use super::{FILE_NAME, LINE_BYTES_MAX};

/// A touch record that cannot be opened, read or written. Every message names the path.
#[derive(Debug)]
pub enum TouchError {
    /// The system said no: read-only, full, not permitted, not a directory.
    Io {
        /// `create`, `open for writing`, `lock`, `measure`, `read`, `write`, `sync`.
        operation: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Another process holds the exclusive lock.
    Locked {
        /// The record.
        path: PathBuf,
    },
    /// The file has another content.
    NotARecord {
        /// The file.
        path: PathBuf,
        /// What is missing.
        why: String,
    },
    /// Written by a later release.
    Newer {
        /// The record.
        path: PathBuf,
        /// The format it says it has.
        format: u32,
    },
    /// A line that is not the last is no touch line.
    Broken {
        /// The record.
        path: PathBuf,
        /// The byte at which it begins.
        at: u64,
        /// What is wrong with it.
        why: String,
    },
    /// A line longer than [`LINE_BYTES_MAX`] was about to be written.
    TooLong {
        /// How long.
        why: String,
    },
}

impl fmt::Display for TouchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io { operation, path, source } => {
                write!(f, "touch record: cannot {operation} {}: {source}; without it nothing may be asked", path.display())
            }
            Self::Locked { path } => {
                write!(
                    f,
                    "touch record {} is locked by another process: one nameplate at a time may ask from this state directory",
                    path.display()
                )
            }
            Self::NotARecord { path, why } => {
                write!(f, "{} is not a touch record ({why}); move it away, or name another state directory", path.display())
            }
            Self::Newer { path, format } => {
                write!(
                    f,
                    "touch record {} has format {format}: a newer nameplate wrote it; use that one, or another state directory",
                    path.display()
                )
            }
            Self::Broken { path, at, why } => write!(f, "touch record {}, the line at byte {at}: {why}", path.display()),
            Self::TooLong { why } => write!(f, "a line for {FILE_NAME} is too long ({why}, limit {LINE_BYTES_MAX} bytes)"),
        }
    }
}

impl std::error::Error for TouchError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io { source, .. } => Some(source),
            _ => None,
        }
    }
}
