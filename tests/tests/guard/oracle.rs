//! The row "Modbus TCP" of read-only.md section 2, written a second time, in terms of what tshark reads. It shares no code with the guard.

use std::{
    collections::HashMap,
    path::Path,
    process::{Command, Stdio},
};

use nameplate_field::guard::{
    Modbus,
    generate::{Conversation, Granted},
};

use crate::flows::Side;

/// What tshark is asked for, in the order of [`Frame::read`].
const FIELDS: [&str; 13] = [
    "ip.src",
    "ip.dst",
    "tcp.dstport",
    "tcp.len",
    "mbtcp.prot_id",
    "mbtcp.len",
    "mbtcp.unit_id",
    "modbus.func_code",
    "modbus.mei",
    "modbus.read_device_id",
    "modbus.object_id",
    "modbus.reference_num",
    "modbus.word_cnt",
];

/// One segment as tshark reads it. Each list has one value for each time the field stands in the frame.
#[derive(Clone, Debug)]
pub struct Frame {
    to_device: bool,
    segment_bytes: u32,
    fields: [Vec<u32>; 9],
}

/// All segments with payload, by capture side and conversation, in their order.
pub type Flows = HashMap<(bool, u16), Vec<Frame>>;

/// One tshark run over the file.
///
/// # Errors
/// tshark is not there, or failed.
pub fn read(file: &Path) -> Result<Flows, String> {
    let mut command = Command::new("tshark");
    command.args(["-n", "-Q", "-r"]).arg(file).args(["-Y", "tcp.len > 0", "-T", "fields", "-E", "separator=;", "-E", "occurrence=a"]);
    // Each segment is judged by itself: a message that leaves in pieces, or glued to another, must not be put right by the dissector.
    command.args(["-o", "mbtcp.tcp.port:502", "-o", "mbtcp.desegment:FALSE", "-o", "tcp.desegment_tcp_streams:FALSE"]);
    command.args(["-o", "tcp.analyze_sequence_numbers:FALSE"]);
    command.args(FIELDS.iter().flat_map(|field| ["-e", field]));
    let output = command.stdin(Stdio::null()).output().map_err(|error| format!("tshark: {error}"))?;
    if !output.status.success() {
        return Err(format!("tshark: {}", String::from_utf8_lossy(&output.stderr)));
    }
    let mut flows = Flows::new();
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        let (key, frame) = Frame::read(line).ok_or_else(|| format!("a line of tshark's that this test cannot read: {line:?}"))?;
        flows.entry(key).or_default().push(frame);
    }
    Ok(flows)
}

impl Frame {
    fn read(line: &str) -> Option<((bool, u16), Self)> {
        let cells: Vec<&str> = line.split(';').collect();
        let [source, destination, port, segment_bytes, fields @ ..] = cells.as_slice() else { return None };
        let to_device = *port == "502";
        let client = if to_device { source } else { destination };
        let octets: Vec<u8> = client.split('.').map(str::parse).collect::<Result<_, _>>().ok()?;
        let [10, out, high, low] = octets.as_slice() else { return None };
        let mut read: [Vec<u32>; 9] = Default::default();
        for (list, cell) in read.iter_mut().zip(fields) {
            *list = cell.split(',').filter(|value| !value.is_empty()).map(number).collect::<Option<_>>()?;
        }
        let frame = Self { to_device, segment_bytes: segment_bytes.parse().ok()?, fields: read };
        Some(((*out == 1, u16::from_be_bytes([*high, *low])), frame))
    }
}

fn number(text: &str) -> Option<u32> {
    text.strip_prefix("0x").map_or_else(|| text.parse().ok(), |hex| u32::from_str_radix(hex, 16).ok())
}

/// The segments of one flow; none where nothing was sent.
pub fn flow(flows: &Flows, side: Side, number: u16) -> &[Frame] {
    flows.get(&(side == Side::Out, number)).map_or(&[], Vec::as_slice)
}

/// How many questions a flow has.
pub fn questions(frames: &[Frame]) -> usize {
    frames.iter().filter(|frame| frame.to_device).count()
}

/// The first question, counted from 0, that the row does not list, and why.
pub fn first_forbidden(frames: &[Frame], conversation: &Conversation) -> Option<(usize, &'static str)> {
    let mut row = RowOfReadOnlyMd { requests: 0, last_object: HashMap::new(), answered: true };
    let mut index = 0;
    for frame in frames {
        if !frame.to_device {
            row.answered = true;
            continue;
        }
        if let Err(why) = row.judge(frame, conversation) {
            return Some((index, why));
        }
        index += 1;
    }
    None
}

struct RowOfReadOnlyMd {
    requests: u32,
    last_object: HashMap<u32, u32>,
    answered: bool,
}

impl RowOfReadOnlyMd {
    fn judge(&mut self, frame: &Frame, conversation: &Conversation) -> Result<(), &'static str> {
        let Granted::Modbus(granted) = &conversation.granted else { return Err("another protocol's permit") };
        let [protocol, length, unit, function, mei, code, object, address, quantity] = &frame.fields;
        let ([0], [length], [unit], [function]) = (protocol.as_slice(), length.as_slice(), unit.as_slice(), function.as_slice()) else {
            return Err("not one Modbus TCP message");
        };
        if length + 6 != frame.segment_bytes {
            return Err("MBAP length");
        }
        if *unit != u32::from(granted.unit) {
            return Err("unit");
        }
        let bytes = match (function, mei.as_slice(), code.as_slice(), object.as_slice(), address.as_slice(), quantity.as_slice()) {
            (0x2b, [0x0e], [1], [0], [], []) => 5,
            (0x2b, [0x0e], [2..=4], [_], [], []) => 5,
            (0x11, [], [], [], [], []) if granted.server_id => 2,
            (3 | 4, [], [], [], [address], [quantity]) if *quantity <= 125 && listed(granted, *function, *address, *quantity) => 6,
            _ => return Err("not in the identity set"),
        };
        if *length != bytes {
            return Err("bytes behind the question");
        }
        if let (&[code], &[object]) = (code.as_slice(), object.as_slice()) {
            match self.last_object.insert(code, object) {
                Some(last) if object <= last => return Err("object id does not rise"),
                _ => {}
            }
        }
        if !std::mem::take(&mut self.answered) {
            return Err("pipelining");
        }
        self.requests += 1;
        if self.requests > 8.min(u32::from(conversation.permit.limits().messages_max)) {
            return Err("too many requests");
        }
        Ok(())
    }
}

fn listed(granted: &Modbus, function: u32, address: u32, quantity: u32) -> bool {
    let listed = granted.registers.iter();
    listed
        .into_iter()
        .any(|read| (u32::from(read.function), u32::from(read.address), u32::from(read.quantity)) == (function, address, quantity))
}
