//! How a connection ended.

use std::{fmt, io};

/// How a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// Our FIN, the device's FIN: as it should be.
    Fin,
    /// The device did not close within [`CLOSE_MS_MAX`]; the system may send a RST.
    TimeOut,
    /// The device reset the connection.
    Reset,
    /// Another IO error.
    Error,
    /// The stream was dropped without [`Guarded::close`].
    Dropped,
    /// The connection was refused (RST to our SYN).
    Refused,
}

impl Ended {
    /// The end that an IO error means.
    #[must_use]
    pub fn of(error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionAborted | io::ErrorKind::BrokenPipe | io::ErrorKind::NotConnected => {
                Self::Reset
            }
            io::ErrorKind::ConnectionRefused => Self::Refused,
            io::ErrorKind::TimedOut => Self::TimeOut,
            _ => Self::Error,
        }
    }
}

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Fin => "fin",
            Self::TimeOut => "time-out",
            Self::Reset => "reset",
            Self::Error => "error",
            Self::Dropped => "dropped",
            Self::Refused => "connection-refused",
        })
    }
}
