//! Messages around values that somebody else decoded, so that they go the same way as those of a device.

use nameplate_simulators::modbus::{self, Persona};

/// A BER or DER value.
pub fn tlv(tag: u8, contents: &[u8]) -> Vec<u8> {
    let length = contents.len();
    let head = match length {
        0..128 => vec![tag, length as u8],
        128..256 => vec![tag, 0x81, length as u8],
        _ => vec![tag, 0x82, (length >> 8) as u8, length as u8],
    };
    [head, contents.to_vec()].concat()
}

fn oid(text: &str) -> Vec<u8> {
    let numbers: Vec<u64> = text.trim_start_matches('.').split('.').map(|part| part.parse().expect("a number")).collect();
    let first = numbers[0] * 40 + numbers.get(1).copied().unwrap_or(0);
    let base128 = |number: u64| {
        let mut groups = vec![(number & 0x7f) as u8];
        let mut rest = number >> 7;
        while rest > 0 {
            groups.push((rest & 0x7f) as u8 | 0x80);
            rest >>= 7;
        }
        groups.reverse();
        groups
    };
    std::iter::once(first).chain(numbers.into_iter().skip(2)).flat_map(base128).collect()
}

/// sysObjectID.0: its value is an object identifier.
const OBJECT_ID: &str = "1.3.6.1.2.1.1.2.0";

/// A response of SNMP v2c with these objects, all texts but sysObjectID.
pub fn snmp(objects: &[(String, String)]) -> Vec<u8> {
    let value = |name: &str, text: &str| match name {
        OBJECT_ID => tlv(6, &oid(text)),
        _ => tlv(4, text.as_bytes()),
    };
    let bindings: Vec<u8> = objects
        .iter()
        .flat_map(|(name, text)| tlv(0x30, &[tlv(6, &oid(name)), value(name.trim_start_matches('.'), text)].concat()))
        .collect();
    let pdu = tlv(0xa2, &[tlv(2, &[1]), tlv(2, &[0]), tlv(2, &[0]), tlv(0x30, &bindings)].concat());
    tlv(0x30, &[tlv(2, &[1]), tlv(4, b"public"), pdu].concat())
}

/// A ReadPropertyMultiple-ACK of BACnet with these text properties of device 1.
pub fn bacnet(properties: &[(u8, String)]) -> Vec<u8> {
    let mut apdu = vec![0x30, 1, 0x0e, 0x0c, 2, 0, 0, 1, 0x1e];
    for (property, text) in properties {
        let length = u8::try_from(text.len() + 1).expect("a short text");
        apdu.extend([0x29, *property, 0x4e]);
        if length < 5 {
            apdu.push(0x70 | length)
        } else {
            apdu.extend([0x75, length])
        }
        apdu.push(0);
        apdu.extend(text.as_bytes());
        apdu.push(0x4f);
    }
    apdu.push(0x1f);
    let length = u16::try_from(apdu.len() + 6).expect("a short message");
    [&[0x81, 0x0a][..], &length.to_be_bytes(), &[1, 0], &apdu].concat()
}

/// What a device with these objects answers to function 43/14.
pub fn identification(objects: Vec<(u8, Vec<u8>)>) -> Vec<Vec<u8>> {
    modbus::answers(&Persona::from_objects(objects), &modbus::wrap(1, 255, &[0x2b, 0x0e, 3, 0]))
}

/// A page, a header or a refusal of a web server.
pub fn http(title: Option<&str>, header: Option<(&str, &str)>) -> Vec<u8> {
    let body = title.map(|title| format!("<html><title>{title}</title></html>")).unwrap_or_default();
    let header = header.map(|(name, value)| format!("{name}: {value}\r\n")).unwrap_or_default();
    let status = if header.starts_with("WWW") { "401 Unauthorized" } else { "200 OK" };
    format!("HTTP/1.1 {status}\r\n{header}Content-Type: text/html\r\nContent-Length: {}\r\n\r\n{body}", body.len()).into_bytes()
}

/// A server's hello of TLS 1.2 and a certificate with this subject: CN, OU, O of a line as OpenSSL prints it.
pub fn certificate(subject: &str) -> Vec<u8> {
    let plain = subject.replace("\\,", "\u{1}");
    let part = |name: &str| plain.split(',').find_map(|part| Some(part.strip_prefix(name)?.replace('\u{1}', ",")));
    let attribute = |last: u8, text: &str| tlv(0x31, &tlv(0x30, &[tlv(6, &[0x55, 4, last]), tlv(0x0c, text.as_bytes())].concat()));
    let names = [(10, part("O=")), (11, part("OU=")), (3, part("CN="))];
    let name: Vec<u8> =
        names.iter().flat_map(|(last, text)| text.as_deref().map(|text| attribute(*last, text)).unwrap_or_default()).collect();
    let validity = tlv(0x30, &[tlv(0x17, b"200101000000Z"), tlv(0x17, b"400101000000Z")].concat());
    let body = [tlv(2, &[2]), tlv(0x30, &[]), tlv(0x30, &[]), validity, tlv(0x30, &name), tlv(0x30, &[])].concat();
    let certificate = tlv(0x30, &[tlv(0x30, &body), tlv(0x30, &[]), tlv(3, &[0])].concat());
    let three = |bytes: &[u8]| [&(bytes.len() as u32).to_be_bytes()[1..], bytes].concat();
    let hello = [&[3, 3][..], &[7; 32], &[0, 0, 0x2f, 0]].concat();
    let flight = [&[2][..], &three(&hello), &[11], &three(&three(&three(&certificate)))].concat();
    [&[22, 3, 3][..], &(flight.len() as u16).to_be_bytes(), &flight].concat()
}

/// S7comm: list 0x001C with the module's type (index 7) and its serial number (index 5).
pub fn names(kind: &str, serial: &str) -> Vec<u8> {
    let record = |index: u8, text: &str| {
        let mut record = vec![0, index];
        record.extend(text.as_bytes());
        record.resize(34, 0);
        record
    };
    let list = [&[0, 0x1c, 0, 0, 0, 34, 0, 2][..], &record(5, serial), &record(7, kind)].concat();
    let data = [&[0xff, 9][..], &(list.len() as u16).to_be_bytes(), &list].concat();
    let header = [&[0x32, 7, 0, 0, 0, 1, 0, 12][..], &(data.len() as u16).to_be_bytes()].concat();
    let parameters = [0, 1, 0x12, 8, 0x12, 0x84, 1, 1, 0, 0, 0, 0];
    let packet = [&[2, 0xf0, 0x80][..], &header, &parameters, &data].concat();
    [&[3, 0][..], &(packet.len() as u16 + 4).to_be_bytes(), &packet].concat()
}
