//! The rows of servers that greet: FTP, SSH, Telnet.

use nameplate_field::guard::generate::Granted;

use super::{Carrier, Row, Survivor, rule};

/// FTP's in tshark's terms.
pub static FTP: Row = Row {
    protocol: "ftp",
    port: 21,
    carrier: Carrier::Streams,
    settings: &[],
    fields: &["tcp.payload", "ftp.request.command", "ftp.request.arg"],
    allowed: ftp,
};

/// SSH's: nothing may be there to read.
pub static SSH: Row = Row {
    protocol: "ssh",
    port: 22,
    carrier: Carrier::Streams,
    settings: &[],
    fields: &["tcp.payload"],
    allowed: |_, _, _| Err("a byte to SSH"),
};

/// Telnet's.
pub static TELNET: Row = Row {
    protocol: "telnet",
    port: 23,
    carrier: Carrier::Streams,
    settings: &[],
    fields: &["tcp.payload", "telnet.cmd", "telnet.data"],
    allowed: telnet,
};

fn ftp(_: &Survivor, cells: &[&str], before: &[Vec<&str>]) -> Result<(), &'static str> {
    let &[payload, command, argument] = cells else { return Err("the referee gave other columns") };
    rule(before.is_empty(), "more than one line")?;
    rule(command == "QUIT" && argument.is_empty(), "a command other than QUIT")?;
    rule(payload == "515549540d0a", "bytes beside QUIT and its line end")
}

fn telnet(survivor: &Survivor, cells: &[&str], before: &[Vec<&str>]) -> Result<(), &'static str> {
    let Granted::Telnet(named) = &survivor.granted else { return Err("another protocol's grant") };
    let &[payload, command, text] = cells else { return Err("the referee gave other columns") };
    rule(before.len() < 16, "more than 16 refusals")?;
    rule(before.iter().all(|cells| cells.first() != Some(&payload)), "an option that was refused before")?;
    rule(text.is_empty(), "text")?;
    // Its numbers of the verbs: WONT is 252, DONT is 254; what they answer, DO and WILL, 253 and 251.
    let verb = match command {
        "252" => 253,
        "254" => 251,
        _ => return Err("a command other than WONT and DONT"),
    };
    let option = payload.get(4..6).filter(|_| payload.len() == 6).and_then(|digits| u8::from_str_radix(digits, 16).ok());
    rule(option.is_some_and(|option| named.contains(&[verb, option])), "an option that the device did not name so")
}
