//! The row of PROFINET DCP.

use nameplate_field::guard::generate::Granted;

use super::{Carrier, Row, Survivor, rule};

/// The row in tshark's terms.
pub static ROW: Row = Row {
    protocol: "pn-dcp",
    port: 0,
    carrier: Carrier::Frames(0x8892),
    settings: &[],
    fields: &[
        "eth.dst.ig",
        "eth.type",
        "pn_rt.frame_id",
        "pn_dcp.service_id",
        "pn_dcp.service_type",
        "pn_dcp.reserved16",
        "pn_dcp.data_length",
        "pn_dcp.option",
        "pn_dcp.suboption_ip",
        "pn_dcp.suboption_device",
        "frame.len",
        "pn_rt.malformed",
    ],
    allowed,
};

/// Frame id FEFD; Get; request; no delay; 18 bytes; MAC address and IP parameters; seven blocks of the device.
const GET: [&str; 8] = ["65277", "3", "0", "0", "18", "1,1,2,2,2,2,2,2,2", "1,2", "1,2,3,4,6,7,8"];
/// Header of Ethernet, of DCP, blocks; the shortest frame is longer.
const FRAME_BYTES: &str = "60";

fn allowed(survivor: &Survivor, cells: &[&str], before: &[Vec<&str>]) -> Result<(), &'static str> {
    let Granted::PnDcp(granted) = &survivor.granted else { return Err("granted in another protocol") };
    rule(granted.consent.is_some(), "nobody consents")?;
    let (Some(["0", "0x8892"]), Some(get), Some([length, malformed])) = (cells.get(..2), cells.get(2..10), cells.get(10..)) else {
        return Err("not PROFINET's to one station");
    };
    rule(get == GET, "not the Get that is on the list")?;
    rule(*length == FRAME_BYTES && malformed.is_empty(), "a frame with more in it")?;
    rule(before.is_empty() && survivor.messages_max >= 1, "a second frame")
}
