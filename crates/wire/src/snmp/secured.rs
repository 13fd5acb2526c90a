//! A question in a message of version 3, before it is authenticated and encrypted. RFC 3412, 6; RFC 3414, 2.4.

use super::message::OCTETS;
use super::question::{Question, element};

/// The longest answer that we take: what fits into a datagram (RFC 3417, 3).
const SIZE_MAX_BYTES: [u8; 5] = [2, 3, 0, 0xff, 0xe3];
/// The user-based security model. RFC 3411, 5.
const USM: [u8; 3] = [2, 1, 3];

/// What stands around the question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Secured<'a> {
    /// Message id and request id, written in four bytes: at least 0x40000000 and below 0x80000000.
    pub id: u32,
    /// RFC 3412, 6.4.
    pub flags: u8,
    /// The engine that is asked; empty while it is not known.
    pub engine: &'a [u8],
    /// How often it started.
    pub boots: u32,
    /// Seconds since then.
    pub time: u32,
    /// Who asks.
    pub user: &'a [u8],
    /// Bytes left zero for the authentication.
    pub mac_bytes: usize,
    /// Bytes left zero for the salt.
    pub salt_bytes: usize,
}

impl Secured<'_> {
    /// The whole message, still readable.
    #[must_use]
    pub fn encode(&self, question: &Question) -> Vec<u8> {
        let zeros = |bytes| element(OCTETS, &vec![0; bytes]);
        let [i3, i2, i1, i0] = self.id.to_be_bytes();
        let header = [&[2, 4, i3, i2, i1, i0][..], &SIZE_MAX_BYTES, &[OCTETS, 1, self.flags], &USM].concat();
        let security = [
            element(OCTETS, self.engine),
            integer(self.boots),
            integer(self.time),
            element(OCTETS, self.user),
            zeros(self.mac_bytes),
            zeros(self.salt_bytes),
        ];
        let scoped = [element(OCTETS, self.engine), element(OCTETS, b""), question.pdu(self.id)];
        let parts =
            [vec![2, 1, 3], element(0x30, &header), element(OCTETS, &element(0x30, &security.concat())), element(0x30, &scoped.concat())];
        element(0x30, &parts.concat())
    }
}

/// An INTEGER in the fewest bytes. X.690, 8.3.2.
fn integer(number: u32) -> Vec<u8> {
    let bytes = number.to_be_bytes();
    let bits = 33 - number.leading_zeros();
    let width = bits.div_ceil(8) as usize;
    let sign = vec![0; width.saturating_sub(4)];
    element(2, &[&sign[..], bytes.get(4_usize.saturating_sub(width)..).unwrap_or_default()].concat())
}

#[cfg(test)]
mod tests {
    use super::super::tests::hex;
    use super::*;

    #[test]
    fn numbers_are_written_in_the_fewest_bytes() {
        for (number, bytes) in [
            (0, "020100"),
            (0x7f, "02017f"),
            (0x80, "02020080"),
            (0x7fff, "02027fff"),
            (0x8000, "0203008000"),
            (0x7fff_ffff, "02047fffffff"),
            (u32::MAX, "020500ffffffff"),
        ] {
            assert_eq!(integer(number), hex(bytes));
        }
    }

    /// Laid out by hand from RFC 3414, 4 (discovery), and 3.1 (a question to a known engine).
    #[test]
    fn messages_are_laid_out_as_the_standards_say() {
        let nobody = Secured { id: 0x4e50_0001, flags: 4, engine: b"", boots: 0, time: 0, user: b"", mac_bytes: 0, salt_bytes: 0 };
        let discovery = "303e 020103 3011 02044e500001 020300ffe3 040104 020103 0410 300e 0400 020100 020100 0400 0400 0400
                         3014 0400 0400 a00e 02044e500001 020100 020100 3000";
        assert_eq!(nobody.encode(&Question::Discovery), hex(discovery));
        let engine = hex("8000000001");
        let known = Secured { flags: 7, engine: &engine, boots: 3, time: 300, user: b"ot", mac_bytes: 12, salt_bytes: 8, ..nobody };
        let objects = Question::Objects(vec!["1.3.6.1".parse().expect("a name")]);
        let asked = "3068 020103 3011 02044e500001 020300ffe3 040107 020103
                     042c 302a 04058000000001 020103 0202012c 04026f74 040c000000000000000000000000 04080000000000000000
                     3022 04058000000001 0400 a017 02044e500001 020100 020100 3009 3007 0603 2b0601 0500";
        assert_eq!(known.encode(&objects), hex(asked));
    }
}
