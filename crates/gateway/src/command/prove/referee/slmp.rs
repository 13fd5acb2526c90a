//! The SLMP row. tshark has no dissector for it: it hands out the payload, and the row is held against the bytes.

use super::{Carrier, Row, Survivor, rule};

/// SH-080956ENG, 4.2 and 5.2: subheader 5000, network 00, station FF, processor 03FF, multidrop 00, length 0006, timer 0008 (2 s), command 0101,
/// subcommand 0000; numbers have their lower byte first.
const TYPE_NAME: &str = "500000ffff03000600080001010000";

/// The row in tshark's terms.
pub static ROW: Row = Row { protocol: "slmp", port: 5007, carrier: Carrier::OneStream, settings: &[], fields: &["tcp.payload"], allowed };

fn allowed(_: &Survivor, cells: &[&str], before: &[Vec<&str>]) -> Result<(), &'static str> {
    rule(before.is_empty(), "more than one message on a connection")?;
    rule(cells == [TYPE_NAME], "not Read Type Name of the station that is connected")
}
