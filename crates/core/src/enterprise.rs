//! Whose a private enterprise number is: IANA's register, of which the makers of devices for industry stand in `enterprise.tsv`.

/// A number and a name on each line, in the order of the numbers; `#` begins a line that is neither.
const REGISTER: &str = include_str!("enterprise.tsv");

/// The maker who registered this number, as he is called there; `None` for whom the table does not have.
#[must_use]
pub fn name(number: u32) -> Option<&'static str> {
    entries().find(|(known, _)| *known == number).map(|(_, name)| name)
}

fn entries() -> impl Iterator<Item = (u32, &'static str)> {
    REGISTER.lines().filter_map(|line| line.split_once('\t')).filter_map(|(number, name)| Some((number.parse().ok()?, name)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_somebodys() {
        assert_eq!(name(248), Some("Richard Hirschmann GmbH & Co."));
        assert_eq!(name(4329), Some("Siemens AG"));
        assert_eq!(name(8072), None, "an agent for whichever host");
        assert_eq!(entries().count(), REGISTER.lines().count() - 1, "each line but the first is an entry");
        assert!(entries().zip(entries().skip(1)).all(|((one, _), (next, _))| one < next), "in order, each once");
    }
}
