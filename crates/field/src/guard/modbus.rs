//! What may leave as Modbus TCP: read-only.md section 2, row "Modbus TCP", as data.
//!
//! Layouts: MODBUS Messaging on TCP/IP Implementation Guide V1.0b, clause 3.1.3 (MBAP header); MODBUS Application Protocol V1.1b3, clauses 6.3 and 6.4
//! (read registers), 6.13 (report server id) and 6.21 (read device identification). No broadcast, no write, no other code is in here, so none can leave.

use super::{
    Refused, modbus_rtu,
    permit::{Grant, HOLD_S_MAX},
    table::{Part, Rises, Row, Slot, Table, Width, any, bytes, count, granted, granted_bytes},
};

/// Requests on one connection (read-only.md section 2, Modbus TCP: 8 requests): a device that says "more follows" for ever gets no ninth.
pub const REQUESTS_MAX: u8 = 8;
/// Registers in one read, by the Modbus application protocol V1.1b3, clauses 6.3 and 6.4.
pub const QUANTITY_MAX: u16 = 125;
/// Literal register reads in one permit: more than [`REQUESTS_MAX`] could never be asked on one connection.
pub const REGISTERS_MAX: usize = REQUESTS_MAX as usize;

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

/// What one unit may be asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Modbus {
    /// The MBAP unit identifier, exactly.
    pub unit: u8,
    /// Function 17 (Report Server ID): only where the profile asks for it.
    pub server_id: bool,
    /// Register reads, literally.
    pub registers: Vec<Registers>,
    /// The owner says that no serial line stands behind this address. Unit 0, which is the broadcast address there, needs it.
    pub no_serial_side: bool,
}

impl Modbus {
    /// The identification objects of one unit and nothing else.
    #[must_use]
    pub const fn unit(unit: u8) -> Self {
        Self { unit, server_id: false, registers: Vec::new(), no_serial_side: false }
    }

    /// The grant.
    ///
    /// # Errors
    /// [`Refused`] by `permit.unit` or `permit.registers`.
    pub fn grant(&self) -> Result<Grant, Refused> {
        let no = |rule, why: String| Err(Refused::before_any_byte(rule, why));
        if self.unit == 0 && !self.no_serial_side {
            return no("permit.unit", "unit 0 is the broadcast address of a serial side, and nobody says that there is none".to_owned());
        }
        if self.registers.len() > REGISTERS_MAX {
            return no("permit.registers", format!("{} register reads, at most {REGISTERS_MAX}", self.registers.len()));
        }
        if let Some(wide) = self.registers.iter().find(|read| !read.is_a_read()) {
            return no("permit.registers", format!("{wide:?} is no read of 1 to {QUANTITY_MAX} holding (3) or input (4) registers"));
        }
        let mut grant = Grant::new(&TABLE, self.unit.to_string()).with(&UNIT, [self.unit]);
        if self.server_id {
            grant = grant.with(&SERVER_ID_ASKED, []);
        }
        Ok(self.registers.iter().fold(grant, |grant, read| grant.with(&REGISTERS, read.literal())))
    }
}

impl Modbus {
    /// The same on a serial line, behind a serial server.
    ///
    /// # Errors
    /// As [`Self::grant`].
    pub fn grant_on_a_line(&self) -> Result<Grant, Refused> {
        modbus_rtu::grant(self.unit, self.grant()?)
    }
}

impl Registers {
    /// The last register must exist: an address past 65,535 wraps in some devices and is an error in others.
    fn is_a_read(self) -> bool {
        matches!(self.function, 3 | 4)
            && (1..=QUANTITY_MAX).contains(&self.quantity)
            && u32::from(self.address) + u32::from(self.quantity) <= 1 << 16
    }

    /// Function, address and quantity as they stand on the wire.
    fn literal(self) -> [u8; 5] {
        let ([a1, a0], [q1, q0]) = (self.address.to_be_bytes(), self.quantity.to_be_bytes());
        [self.function, a1, a0, q1, q0]
    }
}

pub(super) static UNIT: Slot = Slot { name: "unit", mark: "uu", needs: "", secret: false };
pub(super) static SERVER_ID_ASKED: Slot = Slot { name: "server_id", mark: "", needs: "the profile asks for it", secret: false };
pub(super) static REGISTERS: Slot =
    Slot { name: "registers", mark: "rr", needs: "the profile lists function, address and quantity", secret: false };

/// The MBAP header; what counts for its length begins at its last part.
const HEADER: [Part; 4] = [
    any(2, "modbus.transaction", "transaction identifier, free"),
    bytes(&[0, 0], "modbus.protocol", "protocol identifier 0 (Modbus)"),
    count(Width::Two, 3, "modbus.length", "length of what follows"),
    granted(&UNIT, "modbus.unit", "unit identifier, as configured"),
];

/// `2B 0E code object`.
const fn identification(code: &'static [u8], object: Part) -> [Part; 8] {
    let [transaction, protocol, length, unit] = HEADER;
    [
        transaction,
        protocol,
        length,
        unit,
        bytes(&[0x2b], "modbus.function", "function code"),
        bytes(&[0x0e], "modbus.mei", "MEI type 0E: read device identification"),
        bytes(code, "modbus.read_code", "read code: 1 basic, 2 regular, 3 extended, 4 one object"),
        object,
    ]
}

const FIRST_OBJECT: Part = bytes(&[0], "modbus.object", "object to start at");
const ANY_OBJECT: Part = any(1, "modbus.object", "object to start at");

static BASIC: [Part; 8] = identification(&[1], FIRST_OBJECT);
static REGULAR: [Part; 8] = identification(&[2], ANY_OBJECT);
static EXTENDED: [Part; 8] = identification(&[3], ANY_OBJECT);
static OBJECT: [Part; 8] = identification(&[4], ANY_OBJECT);
static SERVER_ID: [Part; 5] = [HEADER[0], HEADER[1], HEADER[2], HEADER[3], bytes(&[0x11], "modbus.function", "function code")];
/// `03`/`04` with one literal address and quantity of the permit.
static READ: [Part; 7] = [
    HEADER[0],
    HEADER[1],
    HEADER[2],
    HEADER[3],
    granted_bytes(&REGISTERS, 0, 1, "modbus.function", "function code"),
    granted_bytes(&REGISTERS, 1, 3, "modbus.address", "first register"),
    granted_bytes(&REGISTERS, 3, 5, "modbus.quantity", "quantity of registers"),
];

/// Read code and object: within one read code the object must rise, so a device that repeats itself cannot keep us.
const OBJECT_RISES: Option<Rises> = Some(Rises { key: 9, value: 10, rule: "modbus.object_rises" });

const fn row(question: &'static str, asks: &'static str, parts: &'static [Part], rises: Option<Rises>) -> Row {
    Row { question, asks, needs: None, parts, times_max: REQUESTS_MAX, rises, goodbye: false }
}

static ROWS: [Row; 6] = [
    row("modbus.identification.basic", "vendor, product code and revision", &BASIC, OBJECT_RISES),
    row("modbus.identification.regular", "the same and URL, product, model and application name", &REGULAR, OBJECT_RISES),
    row("modbus.identification.extended", "the same and the maker's own objects", &EXTENDED, OBJECT_RISES),
    row("modbus.identification.object", "one identification object", &OBJECT, OBJECT_RISES),
    Row { needs: Some(&SERVER_ID_ASKED), ..row("modbus.server_id", "server id and run indicator", &SERVER_ID, None) },
    row("modbus.registers", "registers, literally", &READ, None),
];

/// The row of read-only.md.
pub static TABLE: Table = Table {
    protocol: "modbus",
    port: "TCP 502",
    rows: &ROWS,
    messages_max: REQUESTS_MAX,
    hold_s_max: HOLD_S_MAX,
    order: &[],
    caps: "8 requests and 10 s a connection; one in flight; object ids rise within a read code; at most 125 registers; unit as configured",
};
