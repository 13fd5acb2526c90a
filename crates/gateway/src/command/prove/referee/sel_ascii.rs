//! The row of SEL's ASCII protocol. tshark has no dissector for it: it hands out the payload, and the row is held against the bytes.

use nameplate_core::observation::hex;
use nameplate_field::guard::generate::Granted;

use super::{Carrier, Row, Survivor, rule};

const EMPTY: &str = "0d";
const ID: &str = "49440d";
const STA: &str = "5354410d";
const ACC: &str = "4143430d";
const QUI: &str = "5155490d";

/// The row in tshark's terms; at a port of which it thinks nothing.
pub static ROW: Row =
    Row { protocol: "sel-ascii", port: 2_323, carrier: Carrier::OneStream, settings: &[], fields: &["tcp.payload"], allowed };

fn allowed(survivor: &Survivor, cells: &[&str], before: &[Vec<&str>]) -> Result<(), &'static str> {
    let Granted::SelAscii(granted) = &survivor.granted else { return Err("another protocol's grant") };
    let [line] = *cells else { return Err("no line") };
    let count = |line: &str| before.iter().filter(|cells| cells[..] == [line]).count();
    rule(before.len() < usize::from(survivor.messages_max) || line == QUI, "more than 6 lines")?;
    let password = granted.password.as_ref().map(|password| hex(&[password.bytes(), b"\r"].concat()));
    let is_password = password.as_deref() == Some(line);
    let consents = password.is_some();
    match line {
        EMPTY => rule(count(EMPTY) < 2, "a third empty line"),
        ID => rule(count(ID) < 2, "ID three times"),
        STA => {
            rule(consents && count(ACC) == 1 && count(STA) == 0, "STA twice, or outside a login of ours")?;
            rule(before.last().is_some_and(|cells| cells[..] == [ID]), "STA that is not directly behind ID")
        }
        ACC => rule(consents && count(ACC) == 0, "ACC twice, or without consent"),
        QUI => rule(consents && count(ACC) == 1 && count(QUI) == 0, "QUI that ends no login of ours"),
        _ if is_password => rule(before.last().is_some_and(|cells| cells[..] == [ACC]), "a password that is not directly behind ACC"),
        _ => Err("a line that is not on the list"),
    }
}
