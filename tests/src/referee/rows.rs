//! What may leave, per protocol, in the terms of tshark: written here without a look at the guard.

use super::{FIRST_PAGE, HTTP, PASSWORD, SEL_ACC};

/// A protocol to the referee.
pub(super) struct Row {
    /// As `--via` spells it.
    pub(super) protocol: &'static str,
    /// How tshark is told where it is spoken: a preference that takes ports, or layers below that it is decoded as.
    pub(super) at: At,
    pub(super) fields: &'static [&'static str],
    /// Cells of the fields with `/` between. A star at the end of a cell stands for anything; a plus at its end for one value or several, each of
    /// them so.
    pub(super) allowed: &'static [&'static str],
}

pub(super) enum At {
    /// A preference that takes TCP ports.
    Preference(&'static str),
    Above(&'static [&'static str]),
    /// No dissector, or one that finds it by itself; what carries it.
    Bare(&'static [&'static str]),
}

impl Row {
    /// What carries it, in the words of filters: a number of a port means one thing by TCP and another by UDP.
    pub(super) fn carriers(&self) -> Vec<&'static str> {
        match self.at {
            At::Preference(_) => vec!["tcp"],
            At::Above(layers) => layers.iter().filter_map(|layer| Some(layer.split_once('.')?.0)).collect(),
            At::Bare(carriers) => carriers.to_vec(),
        }
    }
}

/// Of OPC UA: the message, the policy of its channel, the service, the mode of a new channel, the attributes that are read.
const OPCUA: &[&str] =
    &["opcua.transport.type", "opcua.security.spu", "opcua.servicenodeid.numeric", "opcua.MessageSecurityMode", "opcua.AttributeId"];
const OPCUA_AT: At = At::Above(&["tcp.port=={},opcua"]);
pub(super) static ROWS: [Row; 21] = [
    Row {
        protocol: "bacnet",
        at: At::Above(&["udp.port=={},bvlc"]),
        fields: &["bvlc.function", "bacapp.type", "bacapp.confirmed_service", "bacapp.objectType", "bacapp.property_identifier"],
        allowed: &[
            "0x0a/0/12/8/75",
            "0x0a/0/12/8/120",
            "0x0a/0/12/8/121",
            "0x0a/0/12/8/70",
            "0x0a/0/12/8/44",
            "0x0a/0/12/8/12",
            "0x0a/0/12/8/77",
            "0x0a/0/12/8/372",
        ],
    },
    Row {
        protocol: "cip",
        at: At::Above(&["tcp.port=={},enip"]),
        fields: &["enip.command", "cip.service"],
        allowed: &["0x0065/", "0x0066/", "0x006f/0x52|0x01", "0x006f/0x52|0x0e"],
    },
    Row {
        protocol: "dnp3",
        at: At::Above(&["tcp.port=={},dnp3", "udp.port=={},dnp3"]),
        fields: &["dnp3.ctl.prifunc", "dnp3.ctl.secfunc", "dnp3.al.func", "dnp3.al.obj"],
        allowed: &["4//1/0x00*+", "/0//", "/11//", "4//0/"],
    },
    Row { protocol: "enip", at: At::Above(&["udp.port=={},enip", "tcp.port=={},enip"]), fields: &["enip.command"], allowed: &["0x0063"] },
    Row {
        protocol: "fins",
        at: At::Above(&["tcp.port=={},omron", "udp.port=={},omron"]),
        fields: &["omron.tcp.command", "omron.command"],
        allowed: &["0x00000000/", "0x00000002/0x0501", "/0x0501"],
    },
    Row { protocol: "ftp", at: At::Above(&["tcp.port=={},ftp"]), fields: &["ftp.request.command", "ftp.request.arg"], allowed: &["QUIT/"] },
    Row {
        protocol: "hart-ip",
        at: At::Above(&["tcp.port=={},hart_ip", "udp.port=={},hart_ip"]),
        fields: &["hart_ip.message_type", "hart_ip.message_id", "hart_ip.pt.command"],
        allowed: &["0/0/", "0/1/", "0/3/0", "0/3/13", "0/3/20"],
    },
    Row { protocol: "http", at: At::Above(&["tcp.port=={},http"]), fields: HTTP, allowed: &[FIRST_PAGE] },
    Row {
        protocol: "mms",
        at: At::Above(&["tcp.port=={},tpkt"]),
        fields: &[
            "cotp.type",
            "ses.type",
            "mms.confirmedServiceRequest",
            "mms.objectClass",
            "mms.conclude_RequestPDU_element",
            "mms.itemId",
        ],
        // The call, the association, Identify, the names of domains, the values of two plates, the conclusion.
        allowed: &[
            "0x0e/////",
            "0x0f/13////",
            "0x0f/1|1/2///",
            "0x0f/1|1/1/9//",
            "0x0f/1|1/4///LPHD1$DC$PhyNam$*+",
            "0x0f/1|1/4///LLN0$DC$NamPlt$*+",
            "0x0f/1|1///1/",
        ],
    },
    Row {
        protocol: "modbus",
        at: At::Preference("mbtcp.tcp.port"),
        fields: &["modbus.func_code", "modbus.mei", "modbus.read_device_id", "modbus.reference_num", "modbus.word_cnt"],
        // The registers are those of SunSpec's common model, and of the lists that profiles cite.
        allowed: &[
            "43/14/1//",
            "43/14/2//",
            "43/14/3//",
            "43/14/4//",
            "17////",
            "3///0/4",
            "3///0/6",
            "3///0/12",
            "3///0/64",
            "3///2/1",
            "3///4/3",
            "3///29/60",
            "3///64/40",
            "3///192/16",
            "3///1307/16",
            "3///1323/8",
            "3///1636/5",
            "3///9800/10",
            "3///9820/5",
            "3///10609/1",
            "3///40000/69",
            "3///64001/27",
            "4///500/1",
            "4///770/6",
        ],
    },
    Row {
        protocol: "modbus-rtu",
        at: At::Preference("mbrtu.tcp.port"),
        fields: &["modbus.func_code", "modbus.mei", "modbus.read_device_id", "modbus.reference_num", "modbus.word_cnt"],
        allowed: &[
            "43/14/1//",
            "43/14/2//",
            "43/14/3//",
            "43/14/4//",
            "3///0/4",
            "3///0/6",
            "3///0/12",
            "3///0/64",
            "3///2/1",
            "3///4/3",
            "3///29/60",
            "3///64/40",
            "3///192/16",
            "3///1307/16",
            "3///1323/8",
            "3///1636/5",
            "3///9800/10",
            "3///9820/5",
            "3///10609/1",
            "3///40000/69",
            "3///64001/27",
            "4///500/1",
            "4///770/6",
        ],
    },
    // In clear: OpenSecureChannel, GetEndpoints, CreateSession, ActivateSession, Read of values, Browse, CloseSession, CloseSecureChannel.
    Row {
        protocol: "opcua",
        at: OPCUA_AT,
        fields: OPCUA,
        allowed: &[
            "HEL////",
            "OPN/None/446/0x00000001/",
            "MSG//428//",
            "MSG//461//",
            "MSG//467//",
            "MSG//631//0x0000000d+",
            "MSG//527//",
            "MSG//473//",
            "CLO//452//",
        ],
    },
    // Signed: what opens the channel is sealed, and what tshark makes of it means nothing.
    Row {
        protocol: "opcua-sign",
        at: OPCUA_AT,
        fields: OPCUA,
        allowed: &[
            "HEL////",
            "OPN/None/446/0x00000001/",
            "OPN/Basic256Sha256/*/*/*",
            "OPN/Aes128_Sha256_RsaOaep/*/*/*",
            "OPN/Aes256_Sha256_RsaPss/*/*/*",
            "MSG//428//",
            "MSG//461//",
            "MSG//467//",
            "MSG//631//0x0000000d+",
            "MSG//527//",
            "MSG//473//",
            "CLO//452//",
        ],
    },
    // Encrypted: in clear are the endpoints alone; of the session the kinds of its messages are seen.
    Row {
        protocol: "opcua-encrypt",
        at: OPCUA_AT,
        fields: OPCUA,
        allowed: &[
            "HEL////",
            "OPN/None/446/0x00000001/",
            "OPN/Basic256Sha256/*/*/*",
            "OPN/Aes128_Sha256_RsaOaep/*/*/*",
            "OPN/Aes256_Sha256_RsaPss/*/*/*",
            "MSG//428//",
            "MSG////",
            "CLO//452//",
            "CLO////",
        ],
    },
    Row {
        protocol: "pn-io",
        at: At::Bare(&["udp"]),
        fields: &["dcerpc.pkt_type", "dcerpc.dg_if_id", "dcerpc.opnum", "pn_io.index"],
        allowed: &["0/e1af8308-5d1f-11c9-91a4-08002b14a0fa/2/", "0/dea00001-6c97-11d1-8271-00a02442df7d/5/0xaff0"],
    },
    Row {
        protocol: "s7comm",
        at: At::Above(&["tcp.port=={},tpkt"]),
        fields: &[
            "cotp.type",
            "s7comm.header.rosctr",
            "s7comm.param.func",
            "s7comm.param.userdata.funcgroup",
            "s7comm.data.userdata.szl_id",
        ],
        allowed: &["0x0e////", "0x0f/1/0xf0//", "0x0f/7//4/0x0011", "0x0f/7//4/0x001c", "0x0f/7//4/"],
    },
    // No dissector: whole lines, byte for byte. The empty one, ID, ACC, a password that the test tells, QUI.
    Row {
        protocol: "sel-ascii",
        at: At::Bare(&["tcp"]),
        fields: &["tcp.payload"],
        allowed: &["0d", "49440d", "5354410d", SEL_ACC, PASSWORD, "5155490d"],
    },
    // No dissector: the one message, byte for byte (SH-080956ENG, 4.2 and 5.2, with a timer of 2 s).
    Row {
        protocol: "slmp",
        at: At::Bare(&["tcp", "udp"]),
        fields: &["tcp.payload", "udp.payload"],
        allowed: &["500000ffff03000600080001010000/", "/500000ffff03000600080001010000"],
    },
    Row {
        protocol: "snmp",
        at: At::Above(&["udp.port=={},snmp"]),
        fields: &["snmp.version", "snmp.msgVersion", "snmp.data"],
        allowed: &["0//0", "1//0", "0//1", "1//5", "/3/*"],
    },
    // Not a byte.
    Row { protocol: "ssh", at: At::Above(&["tcp.port=={},ssh"]), fields: &["tcp.payload"], allowed: &[] },
    // WONT and DONT, and no text.
    Row { protocol: "telnet", at: At::Above(&["tcp.port=={},telnet"]), fields: &["telnet.cmd", "telnet.data"], allowed: &["252/", "254/"] },
];
