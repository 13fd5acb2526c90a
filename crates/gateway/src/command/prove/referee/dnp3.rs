//! The DNP3 row.

use nameplate_field::guard::Dnp3;
use nameplate_field::guard::generate::Granted;

use super::{Carrier, Row, Survivor, rule};

/// READs on one connection (docs/read-only.md).
const READS_MAX: usize = 6;
/// Short answers of each kind on one connection: one for each READ.
const REPLIES_MAX: usize = 6;

/// Frames stand apart, so that each begins a fragment of its own.
pub static ROW: Row = Row {
    protocol: "dnp3",
    port: 20_000,
    carrier: Carrier::Streams,
    settings: &[],
    fields: &[
        "tcp.len",
        "dnp3.len",
        "dnp3.ctl",
        "dnp3.dst",
        "dnp3.src",
        "dnp.hdr.CRC.status",
        "dnp.data_chunk.CRC.status",
        "dnp3.tr.ctl",
        "dnp3.al.ctl",
        "dnp3.al.func",
        "dnp3.al.obj",
        "dnp3.al.objq.prefix",
        "dnp3.al.objq.range",
        "dnp3.al.range.start",
        "dnp3.al.range.stop",
    ],
    allowed,
};

fn allowed(survivor: &Survivor, cells: &[&str], before: &[Vec<&str>]) -> Result<(), &'static str> {
    let &[bytes, length, control, to, from, header_sum, block_sums, transport, application, function, object, prefix, range, start, stop] =
        cells
    else {
        return Err("the referee gave other columns");
    };
    let Granted::Dnp3(Dnp3 { master, outstation, all, confirm_unsolicited, .. }) = &survivor.granted else {
        return Err("granted in another protocol");
    };
    let number = |text: &str| text.strip_prefix("0x").map_or_else(|| text.parse().ok(), |hex| u32::from_str_radix(hex, 16).ok());
    let alike = |function: &str, object: &str| {
        before.iter().filter(|cells| cells[2] == control && cells[9] == function && cells[10] == object).count()
    };
    rule(before.len() < survivor.messages_max.into(), "more messages than the connection may have")?;
    rule(number(to) == Some(u32::from(*outstation)), "another outstation than the configured one")?;
    rule(number(from) == Some(u32::from(*master)), "another master than the configured one")?;
    rule(number(to).is_some_and(|to| to < 0xfff0), "a broadcast or reserved address")?;
    rule(header_sum == "1" && block_sums.split(',').all(|sum| matches!(sum, "" | "1")), "a wrong checksum")?;
    if matches!(number(control), Some(0x80 | 0x8b)) {
        rule(length == "5" && bytes == "10" && function.is_empty(), "an answer that says more")?;
        return rule(alike("", "") < REPLIES_MAX, "more short answers than a connection may have");
    }
    rule(number(control) == Some(0xc4), "another link function than unconfirmed user data")?;
    rule(number(transport).is_some_and(|transport| transport & 0xc0 == 0xc0), "a part of a fragment")?;
    let application = number(application).ok_or("no application header")?;
    if number(function) == Some(0) {
        rule(*confirm_unsolicited && application & 0xf0 == 0xd0, "a confirmation that nobody consents to")?;
        rule(length == "8" && bytes == "15" && object.is_empty(), "a confirmation with objects")?;
        return rule(alike(function, "") == 0, "a second confirmation");
    }
    rule(number(function) == Some(1) && application & 0xf0 == 0xc0, "another function than READ")?;
    let every = |list: &str, of: &str| list.split(',').all(|one| number(one) == number(of));
    rule([prefix, range, start, stop].into_iter().all(|list| every(list, "0")), "another qualifier or range than 00, 0 to 0")?;
    let objects: Vec<Option<u32>> = object.split(',').map(number).collect();
    let variations: Vec<u32> = objects.into_iter().flatten().collect();
    let listed = match variations.as_slice() {
        [254] => *all,
        [242 | 243 | 248 | 250 | 252] | [252, 250, 248, 243, 242] => !*all,
        _ => false,
    };
    rule(listed, "objects that are not on the list")?;
    rule(number(length) == Some(8 + 5 * variations.len() as u32), "a length that is not the objects'")?;
    rule(alike(function, object) == 0, "the same READ again")?;
    rule(before.iter().filter(|cells| number(cells[9]) == Some(1)).count() < READS_MAX, "more READs than the connection may make")
}
