//! What a simulated PROFINET device answers by UDP, tshark reads as the persona, in either byte order.

use nameplate_simulators::language::Carrier;
use nameplate_simulators::pn_io::Persona;

use super::languages::{Story, check, hex};

const LOOK_UP: &str = "04002000 10000000 00000000000000000000000000000000 0883afe11f5dc91191a408002b14a0fa 01000000010001000100000100010001
    00000000 03000000 00000000 0200 ffff ffff 4c00 0000 0000
    00000000 01000000 00000000000000000000000000000000 02000000 0100a0de976cd111827100a02442df7d 0100 0000
    01000000 0000000000000000000000000000000000000000 01000000";
const READ: &str = "04002000 10000000 0000a0de976cd111827100010313002a 0100a0de976cd111827100a02442df7d 01000000010001000100000100010001
    00000000 01000000 01000000 0500 ffff ffff 5400 0000 0000
    40010000 40000000 40010000 00000000 40000000
    0009003c0100 0000 00000000000000000000000000000000 00000000 0000 0001 0000 aff0 00000100
    00000000000000000000000000000000 0000000000000000";

#[test]
fn pn_io_tells_its_line_and_its_record() {
    let sound = Persona { hardware: 840, software: (b'V', [4, 12, 200]), ..Persona::new(b"Galvan 155", b"GX 155-6AU00", b"G-0815") };
    for (name, upper_first) in [("pn-io-lower", false), ("pn-io-upper", true)] {
        check(&Story {
            name,
            persona: &Persona { upper_first, ..sound.clone() },
            over: Carrier::Udp,
            questions: &[hex(LOOK_UP), hex(READ)],
            filter: "udp.srcport == 34964",
            fields: &[
                "dcerpc.pkt_type",
                "dcerpc.obj_id",
                "epm.annotation",
                "epm.proto.udp_port",
                "epm.rc",
                "pn_io.error_code",
                "pn_io.index",
                "pn_io.order_id",
                "pn_io.im_serial_number",
                "pn_io.im_hardware_revision",
                "pn_io.im_sw_revision_functional_enhancement",
                "pn_io.im_revision_bugfix",
                "pn_io.im_sw_revision_internal_change",
            ],
            rows: &[
                &[
                    "2",
                    "dea00000-6c97-11d1-8271-00010313002a",
                    "Galvan 155                GX 155-6AU00           840 V  4 12200",
                    "34964",
                    "0x00000000",
                    "",
                    "",
                    "",
                    "",
                    "",
                    "",
                    "",
                    "",
                ],
                &[
                    "2",
                    "dea00000-6c97-11d1-8271-00010313002a",
                    "",
                    "",
                    "",
                    "0x00",
                    "0xaff0",
                    "GX 155-6AU00        ",
                    "G-0815          ",
                    "0x0348",
                    "0x04",
                    "0x0c",
                    "0xc8",
                ],
            ],
        });
    }
}
