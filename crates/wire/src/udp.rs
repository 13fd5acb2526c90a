//! UDP (RFC 768): the datagram header.

use crate::Malformed;

/// Ports, length, checksum (RFC 768, "Format").
const HEADER_BYTES: usize = 8;

/// One UDP datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Datagram<'a> {
    /// Source port.
    pub src_port: u16,
    /// Destination port.
    pub dst_port: u16,
    /// The payload as far as it was captured.
    pub payload: &'a [u8],
    /// Bytes that the payload had on the wire beyond `payload`.
    pub missing: usize,
}

impl<'a> Datagram<'a> {
    /// Reads a datagram from an IP payload that had `missing` more bytes on the wire.
    ///
    /// # Errors
    /// [`Malformed`] where the header is not whole, or its length field is less than the header. A length of 0 is one that segmentation
    /// offload (or a jumbogram, RFC 2675) left out: the payload ends with the packet then.
    #[inline]
    pub fn read(bytes: &'a [u8], missing: usize) -> Result<Self, Malformed> {
        let Some((&[s0, s1, d0, d1, l0, l1, _, _], rest)) = bytes.split_first_chunk::<HEADER_BYTES>() else {
            return Err(Malformed::short("udp", 0, HEADER_BYTES, bytes.len(), "a UDP header (RFC 768)"));
        };
        let sent = rest.len().saturating_add(missing);
        let length = match usize::from(u16::from_be_bytes([l0, l1])) {
            0 => sent,
            length => length.checked_sub(HEADER_BYTES).ok_or(Malformed::wrong("udp", 4, "length is at least 8 (RFC 768)"))?.min(sent),
        };
        let payload = rest.get(..length).unwrap_or(rest);
        Ok(Self {
            src_port: u16::from_be_bytes([s0, s1]),
            dst_port: u16::from_be_bytes([d0, d1]),
            payload,
            missing: length - payload.len(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(bytes: &[u8], missing: usize, expected: Result<(&[u8], usize), &'static str>) {
        let read = Datagram::read(bytes, missing);
        let read = read.map(|datagram| (datagram.payload, datagram.missing)).map_err(|malformed| malformed.said_by);
        assert_eq!(read, expected, "{bytes:02x?}");
    }

    #[test]
    fn a_datagram_ends_where_its_length_says() {
        check(&[0, 161, 4, 0, 0, 10, 0, 0, 7, 8], 0, Ok((&[7, 8], 0)));
        check(&[0, 161, 4, 0, 0, 9, 0, 0, 7, 8], 0, Ok((&[7], 0)));
        check(&[0, 161, 4, 0, 0, 12, 0, 0, 7, 8], 2, Ok((&[7, 8], 2)));
        check(&[0, 161, 4, 0, 0, 12, 0, 0, 7, 8], 0, Ok((&[7, 8], 0)));
        check(&[0, 161, 4, 0, 0, 0, 0, 0, 7, 8], 0, Ok((&[7, 8], 0)));
        check(&[0, 161, 4, 0, 0, 7, 0, 0], 0, Err("length is at least 8 (RFC 768)"));
        check(&[0, 161, 4, 0, 0, 7, 0], 0, Err("a UDP header (RFC 768)"));
    }
}
