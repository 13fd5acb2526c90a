//! Where there is no live capture: the same names, and opening says so.

use std::convert::Infallible;
use std::io::{self, ErrorKind};

use nameplate_wire::capture::Frame;
use nameplate_wire::filter::Filter;

/// As on Linux.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// As on Linux.
    pub received: u64,
    /// As on Linux.
    pub dropped: u64,
    /// As on Linux.
    pub frozen: u64,
}

/// As on Linux.
pub struct Voice {
    /// As on Linux.
    pub does: String,
    /// As on Linux.
    pub silenced_by: String,
}

/// There is none.
pub struct Live(Infallible);

impl Live {
    /// Listens to nothing.
    ///
    /// # Errors
    /// Always.
    pub fn open(_: &str, _: &Filter, _: u16) -> io::Result<Self> {
        let why = "listening to an interface is Linux only; record a file with another program and listen to that";
        Err(io::Error::new(ErrorKind::Unsupported, why))
    }

    /// Listens to nothing.
    ///
    /// # Errors
    /// Where an interface is named.
    pub fn open_all(interfaces: &[String], filter: &Filter, ring_mib: u16) -> io::Result<Vec<Self>> {
        interfaces.iter().map(|interface| Self::open(interface, filter, ring_mib)).collect()
    }

    /// Cannot be called.
    #[must_use]
    pub fn name(&self) -> &str {
        match self.0 {}
    }

    /// Cannot be called.
    #[must_use]
    pub fn voices(&self) -> Vec<Voice> {
        match self.0 {}
    }

    /// Cannot be called.
    ///
    /// # Errors
    /// None.
    pub fn hear(&mut self, _: &mut dyn FnMut(&Frame<'_>) -> bool) -> io::Result<()> {
        match self.0 {}
    }

    /// Cannot be called.
    ///
    /// # Errors
    /// None.
    pub fn finish(&mut self, _: &mut dyn FnMut(&Frame<'_>) -> bool) -> io::Result<()> {
        match self.0 {}
    }

    /// Cannot be called.
    ///
    /// # Errors
    /// None.
    pub fn counters(&mut self) -> io::Result<Counters> {
        match self.0 {}
    }
}
