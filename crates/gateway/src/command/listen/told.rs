//! Which claims were told already: a web server greets each connection alike, and says nothing new with it.

use std::collections::HashMap;
use std::hash::BuildHasher;

use nameplate_core::claim::Claim;
use nameplate_core::observation::Observation;

/// Claims of which the last value is remembered: ten for each of 6,000 speakers, in 1 MiB. When they are full all are forgotten, and what
/// comes again is told again: lines more, never one less.
const CLAIMS_MAX: usize = 65_536;

/// The last value of each speaker's each field by each rule, as digests: its memory does not depend on what is said. They are keyed anew in
/// each run, so that nobody on the wire can choose two that are alike.
#[derive(Default)]
pub struct Told {
    values: HashMap<u64, u64>,
}

impl Told {
    /// True for a claim that was not the last one of this speaker in this field by this rule: it is the first, it changed, or changed back.
    pub(super) fn is_news(&mut self, observation: &Observation, claim: &Claim) -> bool {
        let Observation { protocol, address, .. } = observation;
        let Claim { component, field, value, normal, grade, profile, rule, .. } = claim;
        let hasher = self.values.hasher();
        let kind = hasher.hash_one((protocol, address, component, field, rule));
        let said = hasher.hash_one((value, normal, grade, profile));
        if self.values.len() >= CLAIMS_MAX && !self.values.contains_key(&kind) {
            self.values.clear();
        }
        self.values.insert(kind, said) != Some(said)
    }
}

#[cfg(test)]
mod tests {
    use nameplate_core::claim::{Field, Grade};
    use nameplate_core::observation::{Address, Source};
    use nameplate_core::wire::Reading;
    use nameplate_core::wire::conversation::Over;

    use super::*;

    /// Whether a speaker's claim is told, of as many as are said in this order.
    fn told(said: &[(u16, &str, &str)]) -> Vec<bool> {
        let mut told = Told::default();
        let is_news = |(port, rule, value): &(u16, &str, &str)| {
            let reading = Reading::new("http", Over::Tcp, "http.answer", Default::default());
            let source = Source::Capture { file: "a.pcap".into(), frame: 1 };
            let mut observation = Observation::of(&reading, source, 0);
            observation.address = Address { port: Some(*port), ..Address::default() };
            let claim = Claim {
                component: "self".into(),
                field: Field::Description,
                value: (*value).into(),
                normal: None,
                grade: Grade::Banner,
                profile: "generic/http".into(),
                rule: (*rule).into(),
                message: 0,
                offset: 0,
                length: 1,
            };
            told.is_news(&observation, &claim)
        };
        said.iter().map(is_news).collect()
    }

    #[test]
    fn a_claim_is_told_when_it_is_the_first_or_another_than_before() {
        let (server, title) = ("http.server", "http.title");
        let said = [
            (80, server, "A"),
            (80, server, "A"),
            (80, title, "A"),
            (81, server, "A"),
            (80, server, "B"),
            (80, server, "A"),
            (80, title, "A"),
        ];
        assert_eq!(told(&said), [true, false, true, true, true, true, false]);
    }

    #[test]
    fn what_is_remembered_has_a_bound() {
        let values: Vec<String> = (0..=CLAIMS_MAX).map(|n| n.to_string()).collect();
        let mut said: Vec<(u16, &str, &str)> = values.iter().map(|rule| (80, rule.as_str(), "A")).collect();
        said.extend([(80, "0", "A"), (80, "0", "A")]);
        let told = told(&said);
        assert!(told[..told.len() - 1].iter().all(|told| *told), "forgotten, so told again");
        assert!(!told[told.len() - 1]);
    }
}
