//! What one connection may do. A permit narrows a protocol's table, it can never widen it.

use std::{
    fmt,
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use super::{
    Endpoint, Refused, Secret,
    table::{Slot, Table},
};

/// Seconds one device's only socket may be ours before we fall silent (read-only.md section 3): behind a serial server our hold blocks the master
/// (H9). Protocols that cannot be asked without a session may have twice that; their table says so.
pub const HOLD_S_MAX: u64 = 10;
/// Bytes of a work order's text; it stands in every line of the touch record.
pub const REASON_BYTES_MAX: usize = 200;

/// Ports that an address is named without (RFC 9110, 4.2.1 and 4.2.2).
const HTTP_PORT: u16 = 80;
const HTTPS_PORT: u16 = 443;

/// Tables of which the messages are those of a serial line.
const ON_A_LINE: [&str; 3] = ["dnp3", "modbus-rtu", "sel-ascii"];

/// The one table of which the messages are frames of layer 2.
const ON_LAYER_2: &str = "pn-dcp";

/// What a protocol's file in this folder grants: its table, who is asked behind the endpoint, and the literals that only the owner or a profile knows.
#[derive(Clone)]
pub struct Grant {
    pub(super) table: &'static Table,
    pub(super) station: String,
    pub(super) literals: Vec<(&'static str, Vec<u8>)>,
    messages_max: u8,
    session: Option<Arc<dyn Session>>,
    /// Under which slot its messages name the endpoint.
    named: Option<&'static Slot>,
    is_sealed_by_tls: bool,
    any_port: bool,
}

/// What a protocol does to messages behind its table, and what the table takes from the device's own words: for protocols that encrypt.
pub trait Session: Send + Sync {
    /// A message that may leave, as it goes onto the wire. `n` tells the messages of a connection apart.
    ///
    /// # Errors
    /// In words, why that cannot be.
    fn seal(&self, plain: &[u8], n: u64) -> Result<Vec<u8>, &'static str>;

    /// Literals that a message of the device gives: who it is, what its clock says.
    fn learn(&self, message: &[u8]) -> Vec<(&'static Slot, Vec<u8>)>;

    /// How many literals of one slot it may teach; of more the newest count.
    fn learned_max(&self) -> usize {
        LITERALS_LEARNED_MAX
    }

    /// Whether what the device sends is opened before anybody reads it: where the whole stream is sealed.
    fn opens(&self) -> bool {
        false
    }

    /// The next bytes of such a stream, as they read in clear; whole messages only, the beginning of one is kept.
    ///
    /// # Errors
    /// In words, where they are not authentic: nothing more of them is read.
    fn open(&self, came: &[u8]) -> Result<Vec<u8>, &'static str> {
        Ok(came.to_vec())
    }
}

/// Literals of one slot that a device may teach us: the newest count. Its clock goes on, and strays come in between.
const LITERALS_LEARNED_MAX: usize = 8;

impl fmt::Debug for Grant {
    /// Without the literals: some are secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let slots: Vec<&str> = self.literals.iter().map(|(slot, _)| *slot).collect();
        write!(f, "Grant({} {:?} {slots:?})", self.table.protocol, self.station)
    }
}

impl Grant {
    /// Nothing literal yet. `station` tells devices behind one endpoint apart; empty where there is but one.
    pub(super) const fn new(table: &'static Table, station: String) -> Self {
        let messages_max = table.messages_max;
        Self { table, station, literals: Vec::new(), messages_max, session: None, named: None, is_sealed_by_tls: false, any_port: false }
    }

    /// Who is asked behind the endpoint; empty where there is but one.
    #[must_use]
    pub fn station(&self) -> &str {
        &self.station
    }

    /// With what is done to its messages behind the table.
    pub(super) fn in_session(self, session: Arc<dyn Session>) -> Self {
        Self { session: Some(session), ..self }
    }

    /// Its messages name the endpoint that is connected to, and no other, under this slot.
    pub(super) fn naming_its_endpoint(self, slot: &'static Slot) -> Self {
        Self { named: Some(slot), ..self }
    }

    /// It goes through TLS, which stands between the guard and the wire.
    pub(super) fn sealed_by_tls(self) -> Self {
        Self { is_sealed_by_tls: true, ..self }
    }

    /// The endpoint as its messages name it: without the port that is usual.
    fn naming(self, endpoint: &Endpoint) -> Self {
        let (Some(slot), Some(address)) = (self.named, endpoint.address()) else { return self };
        let usual = if self.is_sealed_by_tls { HTTPS_PORT } else { HTTP_PORT };
        let host = match address {
            _ if address.port() != usual => address.to_string(),
            SocketAddr::V4(address) => address.ip().to_string(),
            SocketAddr::V6(address) => format!("[{}]", address.ip()),
        };
        self.with(slot, host)
    }

    /// For datagrams that the device may answer from another of its ports than the one that is asked.
    pub(super) fn answered_from_any_port(self) -> Self {
        Self { any_port: true, ..self }
    }

    /// Fewer messages than the table has, where their number depends on what is granted.
    pub(super) fn at_most(self, messages: u8) -> Self {
        Self { messages_max: messages.min(self.table.messages_max), ..self }
    }

    /// The same by another table, which knows the same slots.
    pub(super) fn by(self, table: &'static Table) -> Self {
        Self { table, messages_max: table.messages_max, ..self }
    }

    /// One more literal under a slot.
    pub(super) fn with(mut self, slot: &'static Slot, literal: impl Into<Vec<u8>>) -> Self {
        self.literals.push((slot.name, literal.into()));
        self
    }
}

/// What is tightened, and how fast time runs.
#[derive(Clone, Debug, PartialEq)]
pub struct Limits {
    /// At most so many messages; never more than the grant has.
    pub messages_max: u8,
    /// At most so long; never longer than the table has.
    pub hold_max: Duration,
    /// What pacing was scaled by, for the record; anything but 1 only towards loopback. The guard's own clocks never shrink with it.
    pub time_factor: f64,
}

impl Limits {
    /// What the grant allows, at the speed of the plant.
    #[must_use]
    pub const fn of(grant: &Grant) -> Self {
        Self { messages_max: grant.messages_max, hold_max: Duration::from_secs(grant.table.hold_s_max), time_factor: 1.0 }
    }
}

/// What one connection may do: to whom, for which work order, with which grant.
#[derive(Clone, Debug)]
pub struct Permit {
    endpoint: Endpoint,
    reason: String,
    class: Option<String>,
    from: Option<IpAddr>,
    grant: Grant,
    limits: Limits,
}

impl Permit {
    /// Checks that nothing here is wider than the table.
    ///
    /// # Errors
    /// [`Refused`] with one of the rules `permit.target`, `permit.reason`, `permit.requests`, `permit.hold`, `permit.time_factor`.
    pub fn new(endpoint: Endpoint, grant: Grant, reason: &str, limits: Limits) -> Result<Self, Refused> {
        let no = |rule, why: String| Err(Refused::before_any_byte(rule, why));
        let widest = Limits::of(&grant);
        if let Some(why) = endpoint.never_a_device() {
            return no("permit.target", format!("{endpoint} {why}"));
        }
        if reason.trim().is_empty() || reason.len() > REASON_BYTES_MAX || reason.chars().any(char::is_control) {
            return no("permit.reason", format!("a reason (work order) of 1 to {REASON_BYTES_MAX} bytes of plain text is required"));
        }
        if limits.messages_max > widest.messages_max {
            return no("permit.requests", format!("{} requests, at most {}", limits.messages_max, widest.messages_max));
        }
        if limits.hold_max > widest.hold_max {
            return no("permit.hold", format!("a hold of {:?}, at most {:?}", limits.hold_max, widest.hold_max));
        }
        let scaled = limits.time_factor.to_bits() != 1.0_f64.to_bits();
        let table = grant.table.protocol;
        if matches!(endpoint, Endpoint::Serial(_)) && !ON_A_LINE.contains(&table) {
            return no("permit.target", format!("{table} is not spoken on a serial line"));
        }
        if matches!(endpoint, Endpoint::Station(_)) != (table == ON_LAYER_2) {
            return no(
                "permit.target",
                format!("{endpoint} is not asked over {table}: stations on layer 2 are asked over {ON_LAYER_2} alone, and nobody else is"),
            );
        }
        if scaled && !(endpoint.host().is_this_machine() && limits.time_factor.is_finite() && limits.time_factor > 0.0) {
            return no(
                "permit.time_factor",
                format!("time factor {}: only this machine (loopback, a pseudo-terminal) may be asked faster", limits.time_factor),
            );
        }
        let grant = grant.naming(&endpoint);
        Ok(Self { endpoint, reason: reason.to_owned(), class: None, from: None, grant, limits })
    }

    /// The same for a device of this class: it stands in the record of the connection.
    #[must_use]
    pub fn of_class(self, class: Option<String>) -> Self {
        Self { class, ..self }
    }

    /// Its class, where one is known.
    #[must_use]
    pub fn class(&self) -> Option<&str> {
        self.class.as_deref()
    }

    /// The same on a connection that is open: our own address on it.
    #[must_use]
    pub(super) fn from(self, own: Option<IpAddr>) -> Self {
        Self { from: own, ..self }
    }

    /// Our own address, once a connection is open.
    pub(super) const fn own_address(&self) -> Option<IpAddr> {
        self.from
    }

    /// The same endpoint, for the same reason, as fast, with another grant.
    ///
    /// # Errors
    /// [`Refused`] as [`Permit::new`].
    pub fn onward(&self, grant: Grant) -> Result<Self, Refused> {
        let limits = Limits { time_factor: self.limits.time_factor, ..Limits::of(&grant) };
        Ok(Self::new(self.endpoint.clone(), grant, &self.reason, limits)?.of_class(self.class.clone()))
    }

    /// The same without what is done to messages behind the table: for what is only shown.
    #[must_use]
    pub fn in_clear(mut self) -> Self {
        self.grant.session = None;
        self
    }

    /// Where.
    #[must_use]
    pub const fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// Who behind it: a Modbus unit, a DNP3 link address; empty where there is but one.
    #[must_use]
    pub fn station(&self) -> &str {
        &self.grant.station
    }

    /// The protocol's name.
    #[must_use]
    pub const fn protocol(&self) -> &'static str {
        self.grant.table.protocol
    }

    /// The work order.
    #[must_use]
    pub fn reason(&self) -> &str {
        &self.reason
    }

    /// Whether the device may answer datagrams from another of its ports.
    pub(super) const fn answered_from_any_port(&self) -> bool {
        self.grant.any_port
    }

    /// What is tightened.
    #[must_use]
    pub const fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Whether TLS stands between the guard and the wire.
    pub(super) const fn is_sealed_by_tls(&self) -> bool {
        self.grant.is_sealed_by_tls
    }

    /// A message with every secret in it overwritten.
    #[must_use]
    pub fn without_secrets(&self, message: &[u8]) -> Vec<u8> {
        super::Judge::new(self).without_secrets(message)
    }

    /// A message that may leave, as it goes onto the wire.
    pub(super) fn seal(&self, plain: &[u8], n: u64) -> Result<Vec<u8>, &'static str> {
        self.grant.session.as_ref().map_or_else(|| Ok(plain.to_vec()), |session| session.seal(plain, n))
    }

    /// What does it, where what the device sends has to be opened.
    pub(super) fn opener(&self) -> Option<Arc<dyn Session>> {
        self.grant.session.clone().filter(|session| session.opens())
    }

    /// Takes what a message of the device says about the literals that are the device's; true where that is new.
    pub(super) fn learn(&mut self, message: &[u8]) -> bool {
        let learned = self.grant.session.as_ref().map_or_else(Vec::new, |session| session.learn(message));
        let learned_max = self.grant.session.as_ref().map_or(0, |session| session.learned_max());
        let mut is_new = false;
        for (slot, literal) in learned {
            if self.literals(slot).any(|known| known == literal) {
                continue;
            }
            is_new = true;
            self.grant.literals.push((slot.name, literal));
            if self.literals(slot).count() > learned_max
                && let Some(oldest) = self.grant.literals.iter().position(|(name, _)| *name == slot.name)
            {
                self.grant.literals.remove(oldest);
            }
        }
        is_new
    }

    pub(super) const fn table(&self) -> &'static Table {
        self.grant.table
    }

    /// What no record may hold.
    pub(super) fn secrets(&self) -> Vec<Secret> {
        let slots = self.grant.table.rows.iter().flat_map(|row| row.slots()).filter(|slot| slot.secret);
        let mut secrets: Vec<Vec<u8>> = slots.flat_map(|slot| self.literals(slot)).map(<[u8]>::to_vec).collect();
        secrets.sort_unstable();
        secrets.dedup();
        secrets.into_iter().map(Secret::new).collect()
    }

    /// What is granted under a slot.
    pub(super) fn literals(&self, slot: &Slot) -> impl Iterator<Item = &[u8]> {
        let name = slot.name;
        self.grant.literals.iter().filter(move |(known, _)| *known == name).map(|(_, literal)| literal.as_slice())
    }
}
