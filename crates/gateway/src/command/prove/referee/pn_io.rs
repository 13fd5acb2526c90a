//! The row of PROFINET IO over UDP.

use nameplate_field::guard::generate::Granted;

use super::{Carrier, Row, Survivor, rule};

/// The row in tshark's terms. It prints the device's start as a date and passes padding over, so the payload is asked for, too.
pub static ROW: Row = Row {
    protocol: "pn-io",
    port: 34964,
    carrier: Carrier::Datagrams,
    settings: &[],
    fields: &[
        "udp.payload",
        "dcerpc.ver",
        "dcerpc.pkt_type",
        "dcerpc.dg_flags1",
        "dcerpc.dg_flags2",
        "dcerpc.drep",
        "dcerpc.dg_serial_hi",
        "dcerpc.obj_id",
        "dcerpc.dg_if_id",
        "dcerpc.dg_if_ver",
        "dcerpc.dg_seqnum",
        "dcerpc.opnum",
        "dcerpc.dg_ihint",
        "dcerpc.dg_ahint",
        "dcerpc.dg_frag_len",
        "dcerpc.dg_frag_num",
        "dcerpc.dg_auth_proto",
        "dcerpc.dg_serial_lo",
        "epm.inq_type",
        "dcerpc.referent_id",
        "epm.object",
        "epm.if_id",
        "epm.ver_maj",
        "epm.ver_min",
        "epm.ver_opt",
        "epm.hnd",
        "epm.max_ents",
        "pn_io.args_max",
        "pn_io.args_len",
        "pn_io.array_max_count",
        "pn_io.array_offset",
        "pn_io.array_act_count",
        "pn_io.block_type",
        "pn_io.block_length",
        "pn_io.block_version_high",
        "pn_io.block_version_low",
        "pn_io.seq_number",
        "pn_io.ar_uuid",
        "pn_io.api",
        "pn_io.slot_nr",
        "pn_io.subslot_nr",
        "pn_io.index",
        "pn_io.record_data_length",
        "pn_io.target_ar_uuid",
    ],
    allowed,
};

const NIL: &str = "00000000-0000-0000-0000-000000000000";
const MAPPER: &str = "e1af8308-5d1f-11c9-91a4-08002b14a0fa";
const DEVICE: &str = "dea00001-6c97-11d1-8271-00a02442df7d";
const CONTROLLER: &str = "dea00002-6c97-11d1-8271-00a02442df7d";
const OBJECT: &str = "dea00000-6c97-11d1-8271-";
/// The columns before the object: version 4, a request, idempotent, no second flags, lower byte first.
const HEAD: [&str; 6] = ["4", "0", "0x20", "0x00", "100000", "0x00"];
/// Behind the operation: no hints, how long, one fragment, no authentication.
const LOOK_UP_TAIL: [&str; 6] = ["0xffff", "0xffff", "76", "0", "0", "0x00"];
const READ_TAIL: [&str; 6] = ["0xffff", "0xffff", "84", "0", "0", "0x00"];
/// All elements, references, nobody's object, PROFINET's interface, any version, no handle, one entry.
const INQUIRY: [&str; 9] = ["0", "0x00000001,0x00000002", NIL, DEVICE, "1", "0", "1", "0000000000000000000000000000000000000000", "1"];
/// Arguments; IODReadReqHeader of version 1.0; no relation, API 0, slot 0, subslot 1, I&M0, 256 bytes at most.
const READ: [&str; 17] =
    ["320", "64", "320", "0", "64", "0x0009", "60", "1", "0", "0", NIL, "0x00000000", "0x0000", "0x0001", "0xaff0", "256", NIL];

fn allowed(survivor: &Survivor, cells: &[&str], before: &[Vec<&str>]) -> Result<(), &'static str> {
    let Granted::PnIo(granted) = &survivor.granted else { return Err("granted in another protocol") };
    rule(granted.consent.is_some(), "nobody consents")?;
    let (Some(head), Some(tail)) = (cells.get(1..7), cells.get(12..18)) else { return Err("the referee gave other columns") };
    let (Some(inquiry), Some(read)) = (cells.get(18..27), cells.get(27..)) else { return Err("the referee gave other columns") };
    let &[payload, _, _, _, _, _, _, object, interface, version, number, operation, ..] = cells else {
        return Err("the referee gave other columns");
    };
    let zeros = |from: usize, to: usize| payload.get(2 * from..2 * to).is_some_and(|digits| digits.bytes().all(|digit| digit == b'0'));
    rule(head == HEAD, "not a request that may be repeated, whole, with the lower byte first")?;
    rule(zeros(56, 60), "it says when the device started")?;
    rule(before.len() < usize::from(survivor.messages_max).min(2), "more messages than the connection may have")?;
    match operation {
        "2" => {
            rule((object, interface, version) == (NIL, MAPPER, "3"), "not the endpoint mapper")?;
            rule(number == "0" && before.is_empty(), "not the first message of its activity")?;
            rule(tail == LOOK_UP_TAIL && payload.len() == 2 * (80 + 76), "another length, or more than one fragment")?;
            rule(inquiry == INQUIRY, "not a look-up of one entry from the start")?;
            rule(read.iter().all(|cell| cell.is_empty()), "a look-up that reads")
        }
        "5" => {
            rule(object.starts_with(OBJECT) && [DEVICE, CONTROLLER].contains(&interface) && version == "1", "not an object of PROFINET's")?;
            rule(number == "1" && before.len() == 1, "not behind the look-up")?;
            rule(tail == READ_TAIL && payload.len() == 2 * (80 + 84), "another length, or more than one fragment")?;
            rule(inquiry.iter().all(|cell| cell.is_empty()), "a read that looks up")?;
            rule(read == READ && zeros(132, 134) && zeros(156, 164), "not I&M0 of slot 0, subslot 1, without a relation")
        }
        _ => Err("an operation that is not on the list"),
    }
}
