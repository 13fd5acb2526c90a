//! Which advisory concerns which device: one line for a component, a document and a vulnerability.

use nameplate_core::advisory::exploitation::Exploitations;
use nameplate_core::advisory::{Advisory, Score};
use nameplate_core::baseline::Exempted;
use nameplate_core::finding::evaluation::Counts;
use nameplate_core::finding::remediation::{Remediation, Remediations};
use nameplate_core::finding::{Considered, Finding, Library, Proof, Verdict};
use nameplate_core::priority::{Band, Dates, Day, Decision, Factors, Known, Policy};
use nameplate_core::view::View;

use super::subject::Subject;
use crate::print;

/// The verdicts, as the summary counts them.
const VERDICTS: [Verdict; 4] = [Verdict::Affected, Verdict::Contradiction, Verdict::Indeterminate, Verdict::NotAffected];

/// Said where the score of a finding is that of other products.
const BORROWED: &str = "the document scores this vulnerability for other products only; the worst of those scores counts";

/// All that findings are made of.
pub struct Findings {
    library: Library,
    exploitations: Exploitations,
    policy: Policy,
    today: Day,
}

/// A finding with its proof and its priority.
pub struct Found<'a> {
    /// Who.
    pub subject: &'a Subject,
    /// What the documents say.
    pub verdict: Verdict,
    /// Why.
    pub proof: Proof,
    /// The fact that would decide, where one is missing.
    pub would_decide: Option<String>,
    /// How urgent it is; of what is not affected, nothing is.
    pub decision: Option<Decision>,
    /// That it is left as it is, or that this is over.
    pub exempted: Option<Exempted>,
    /// What became of it, where a ledger tells; of what never was affected, nothing.
    pub remediation: Option<Remediation>,
}

impl Findings {
    /// Of these documents and lists.
    pub fn of(library: Library, exploitations: Exploitations, policy: Policy, today: Day) -> Self {
        Self { library, exploitations, policy, today }
    }

    /// Everything that the documents say of a component, each with its proof; what a ledger says of it is left open.
    pub fn judge<'a>(&'a self, subject: &'a Subject) -> impl Iterator<Item = Found<'a>> {
        self.judge_with(subject, None)
    }

    /// As [`Findings::judge`], with what the ledger says: what is left as it is at this time, and what became of it.
    pub fn judge_in<'a>(&'a self, subject: &'a Subject, view: &View, now_ns: u64) -> Vec<Found<'a>> {
        let asset = view.catalog.asset(&subject.installed.asset);
        let remediations = asset.map(|asset| Remediations::of(&self.library, &subject.installed, asset, &view.changes));
        let mut found: Vec<Found<'_>> = self.judge_with(subject, remediations.as_ref()).collect();
        for one in &mut found {
            let names = [one.proof.cve.as_str(), one.proof.advisory.as_str()];
            one.exempted = view.baselines.exempted_finding(&subject.installed.asset, &names, now_ns);
        }
        found
    }

    fn judge_with<'a>(&'a self, subject: &'a Subject, remediations: Option<&Remediations<'_>>) -> impl Iterator<Item = Found<'a>> {
        let findings = self.library.judge(&subject.installed);
        findings.into_iter().filter_map(move |finding| {
            let proof = self.library.proof(&subject.installed, &finding)?;
            let decision = (finding.verdict != Verdict::NotAffected).then(|| self.decide(subject, &finding, &proof));
            let would_decide = finding.missing.as_deref().map(str::to_owned);
            let remediation = remediations.and_then(|known| known.state(&finding, &[&proof.cve, &proof.advisory]));
            let decision = decision.flatten();
            Some(Found { subject, verdict: finding.verdict, proof, would_decide, decision, exempted: None, remediation })
        })
    }

    fn decide(&self, subject: &Subject, finding: &Finding<'_>, proof: &Proof) -> Option<Decision> {
        let advisory = self.library.advisories().get(finding.advisory)?;
        let vulnerability = advisory.vulnerabilities.get(finding.vulnerability)?;
        let is_considered = |product: &u32, counts: &dyn Fn(&Considered) -> bool| {
            let id = advisory.products.get(*product as usize).map(|product| product.id.as_str());
            proof.products.iter().any(|one| counts(one) && Some(one.product_id.as_str()) == id)
        };
        let decides = |product: &u32| is_considered(product, &|one| one.decides);
        let is_its = |products: &[u32]| products.is_empty() || products.iter().any(decides);
        // Where it is open which product the device is, each that it may be can be the worst.
        let may_be = |product: &u32| is_considered(product, &|one| one.decides || one.answer != "outside");
        let is_scored = |score: &&Score| match finding.verdict {
            Verdict::Affected => is_its(&score.products),
            _ => score.products.is_empty() || score.products.iter().any(may_be),
        };
        let own: Vec<&Score> = vulnerability.scores.iter().filter(is_scored).collect();
        let borrowed = own.is_empty() && !vulnerability.scores.is_empty();
        let known = Known {
            // Nobody scored it for this product: it is not taken for milder than the worst that was scored.
            scores: if borrowed { vulnerability.scores.iter().collect() } else { own },
            exploitation: self.exploitations.of(&vulnerability.cve),
            lists: &self.exploitations.lists,
            setting: &subject.setting,
            remediations: vulnerability.remediations.iter().filter(|fix| is_its(&fix.products)).collect(),
        };
        let released = Day::read(&advisory.initial_release);
        let seen = subject.since_ns.map_or(self.today, Day::of_ns);
        // Nobody can have found it before it was published.
        let found_on = released.map_or(seen, |released| released.max(seen));
        let mut decision = self.policy.decide(&Factors::of(&self.policy, &known), Dates { found_on, fix_released: released });
        if borrowed {
            decision.remarks.push(BORROWED.to_owned());
        }
        Some(decision)
    }

    /// The documents, the current revision of each.
    pub fn documents(&self) -> &[Advisory] {
        self.library.advisories()
    }

    /// How many documents there are, and the day of the newest.
    pub fn extent(&self) -> (u64, Option<&str>) {
        let dates = self.library.advisories().iter().filter_map(|advisory| advisory.current_release.get(..10));
        (self.library.advisories().len() as u64, dates.max())
    }

    /// What was looked at, in words: never "safe".
    pub fn corpus(&self) -> String {
        let (documents, newest) = self.extent();
        let documents = print::count(documents, "document");
        newest.map_or(documents.clone(), |newest| format!("{documents}, corpus to {newest}"))
    }
}

/// How many of what.
#[derive(Default)]
pub struct Tally {
    subjects: u64,
    unnamed: u64,
    verdicts: [u64; VERDICTS.len()],
    bands: [u64; Band::ALL.len()],
}

impl Tally {
    /// Counts what was said of one component.
    pub fn take(&mut self, found: &[Found<'_>]) {
        self.subjects += 1;
        self.unnamed += u64::from(found.is_empty());
        for one in found {
            let places = VERDICTS.iter().zip(&mut self.verdicts).filter(|(verdict, _)| **verdict == one.verdict);
            places.for_each(|(_, count)| *count += 1);
            let band = one.decision.as_ref().map(|decision| decision.band);
            Band::ALL.iter().zip(&mut self.bands).filter(|(known, _)| Some(**known) == band).for_each(|(_, count)| *count += 1);
        }
    }

    /// How many components were held against the documents, how many of them no document names, and what came of it.
    pub fn counts(&self) -> (u64, u64, Counts) {
        let of = |verdict| VERDICTS.iter().zip(self.verdicts).filter(|(one, _)| **one == verdict).map(|(_, count)| count).sum();
        let counts = Counts {
            affected: of(Verdict::Affected),
            contradiction: of(Verdict::Contradiction),
            indeterminate: of(Verdict::Indeterminate),
            not_affected: of(Verdict::NotAffected),
        };
        (self.subjects, self.unnamed, counts)
    }

    /// Two sentences; never says more than was looked at.
    pub fn summary(&self, findings: &Findings) -> String {
        let counted = |counts: Vec<(u64, &str)>| {
            let words: Vec<String> =
                counts.into_iter().filter(|(count, _)| *count > 0).map(|(count, word)| format!("{count} {word}")).collect();
            words.join(", ")
        };
        let verdicts = counted(self.verdicts.iter().copied().zip(VERDICTS.map(Verdict::name)).collect());
        let bands = counted(self.bands.iter().copied().zip(Band::ALL.map(Band::name)).collect());
        let bands = if bands.is_empty() { bands } else { format!(" ({bands})") };
        let verdicts = if verdicts.is_empty() { "no finding".to_owned() } else { verdicts };
        let subjects = print::count(self.subjects, "component");
        let corpus = findings.corpus();
        let unnamed = match self.unnamed {
            0 => String::new(),
            number => format!("\n{}: no advisory matched ({corpus})", print::count(number, "component")),
        };
        format!("{subjects} held against {corpus}: {verdicts}{bands}{unnamed}")
    }
}
