//! What one connection may do. A permit narrows the table, it can never widen it.

use std::{
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use super::Refused;

/// Requests on one connection (read-only.md section 2, Modbus TCP: 8 requests): a device that says "more follows" for ever gets no ninth.
pub const REQUESTS_MAX: u8 = 8;
/// Seconds one device's only socket may be ours before we fall silent (section 3): behind a serial server our hold blocks the master (H9).
pub const HOLD_S_MAX: u64 = 10;
/// Registers in one read, by the Modbus application protocol V1.1b3, clauses 6.3 and 6.4.
pub const QUANTITY_MAX: u16 = 125;
/// Literal register reads in one permit: more than [`REQUESTS_MAX`] could never be asked on one connection.
pub const REGISTERS_MAX: usize = REQUESTS_MAX as usize;
/// Bytes of a work order's text; it stands in every line of the touch record.
pub const REASON_BYTES_MAX: usize = 200;

/// One literal register read that a profile or the site file lists, with nothing left open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Registers {
    /// 3 (holding registers) or 4 (input registers).
    pub function: u8,
    /// First register, as it stands on the wire (from 0).
    pub address: u16,
    /// How many, 1 to [`QUANTITY_MAX`].
    pub quantity: u16,
}

/// What is granted beyond the identification objects, and what is tightened.
#[derive(Clone, Debug, PartialEq)]
pub struct Grants {
    /// Function 17 (Report Server ID): only where the profile asks for it.
    pub server_id: bool,
    /// Register reads, literally.
    pub registers: Vec<Registers>,
    /// The owner says that no serial line stands behind this address. Unit 0, which is the broadcast address there, needs it.
    pub no_serial_side: bool,
    /// At most [`REQUESTS_MAX`].
    pub requests_max: u8,
    /// At most [`HOLD_S_MAX`] seconds.
    pub hold_max: Duration,
    /// What pacing was scaled by, for the record; anything but 1 only towards loopback. The guard's own clocks never shrink with it.
    pub time_factor: f64,
}

impl Default for Grants {
    fn default() -> Self {
        Self {
            server_id: false,
            registers: Vec::new(),
            no_serial_side: false,
            requests_max: REQUESTS_MAX,
            hold_max: Duration::from_secs(HOLD_S_MAX),
            time_factor: 1.0,
        }
    }
}

/// What one Modbus TCP connection may do: to whom, as which unit, for which work order, with which grants.
#[derive(Clone, Debug, PartialEq)]
pub struct Permit {
    target: SocketAddr,
    unit: u8,
    reason: String,
    grants: Grants,
}

impl Permit {
    /// Checks that nothing here is wider than the table.
    ///
    /// # Errors
    /// [`Refused`] with one of the rules `permit.target`, `permit.unit`, `permit.reason`, `permit.registers`, `permit.requests`, `permit.hold`,
    /// `permit.time_factor`.
    pub fn new(target: SocketAddr, unit: u8, reason: &str, grants: Grants) -> Result<Self, Refused> {
        let no = |rule, why: String| Err(Refused::before_any_byte(rule, why));
        if let Some(why) = never_a_device(target) {
            return no("permit.target", format!("{target} {why}"));
        }
        if unit == 0 && !grants.no_serial_side {
            return no("permit.unit", "unit 0 is the broadcast address of a serial side, and nobody says that there is none".to_owned());
        }
        if reason.trim().is_empty() || reason.len() > REASON_BYTES_MAX || reason.chars().any(char::is_control) {
            return no("permit.reason", format!("a reason (work order) of 1 to {REASON_BYTES_MAX} bytes of plain text is required"));
        }
        if grants.registers.len() > REGISTERS_MAX {
            return no("permit.registers", format!("{} register reads, at most {REGISTERS_MAX}", grants.registers.len()));
        }
        if let Some(wide) = grants.registers.iter().find(|read| !read.is_a_read()) {
            return no("permit.registers", format!("{wide:?} is no read of 1 to {QUANTITY_MAX} holding (3) or input (4) registers"));
        }
        if grants.requests_max > REQUESTS_MAX {
            return no("permit.requests", format!("{} requests, at most {REQUESTS_MAX}", grants.requests_max));
        }
        if grants.hold_max > Duration::from_secs(HOLD_S_MAX) {
            return no("permit.hold", format!("a hold of {:?}, at most {HOLD_S_MAX} s", grants.hold_max));
        }
        let scaled = grants.time_factor.to_bits() != 1.0_f64.to_bits();
        if scaled && !(target.ip().to_canonical().is_loopback() && grants.time_factor.is_finite() && grants.time_factor > 0.0) {
            return no("permit.time_factor", format!("time factor {}: only loopback may be asked faster", grants.time_factor));
        }
        Ok(Self { target, unit, reason: reason.to_owned(), grants })
    }

    /// To whom.
    #[must_use]
    pub const fn target(&self) -> SocketAddr {
        self.target
    }

    /// The MBAP unit identifier, exactly.
    #[must_use]
    pub const fn unit(&self) -> u8 {
        self.unit
    }

    /// The work order.
    #[must_use]
    pub fn reason(&self) -> &str {
        &self.reason
    }

    /// What is granted and tightened.
    #[must_use]
    pub const fn grants(&self) -> &Grants {
        &self.grants
    }
}

impl Registers {
    /// The last register must exist: an address past 65,535 wraps in some devices and is an error in others.
    fn is_a_read(self) -> bool {
        matches!(self.function, 3 | 4)
            && (1..=QUANTITY_MAX).contains(&self.quantity)
            && u32::from(self.address) + u32::from(self.quantity) <= 1 << 16
    }
}

/// Why an address can never be one device: one packet there is heard by many, or by nobody.
fn never_a_device(target: SocketAddr) -> Option<&'static str> {
    if target.port() == 0 {
        return Some("has no port");
    }
    match target.ip().to_canonical() {
        ip if ip.is_multicast() => Some("is a multicast address"),
        ip if ip.is_unspecified() => Some("is the unspecified address"),
        IpAddr::V4(ip) if ip.is_broadcast() => Some("is the broadcast address"),
        IpAddr::V4(ip) if ip.octets()[0] == 0 || ip.octets()[0] >= 240 => Some("is a reserved address"),
        _ => None,
    }
}
