//! The standards, their versions and the parts that are looked at. What a part asks is told in our words; the standard's own count.

use clap::ValueEnum;

use crate::failure::{Code, Failure};

/// A standard in one version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Standard {
    /// Systems security management, in force.
    #[value(name = "CIP-007-6")]
    Cip007V6,
    /// The same, approved by FERC Order No. 919.
    #[value(name = "CIP-007-7")]
    Cip007V7,
    /// Configuration change management and vulnerability assessments, in force.
    #[value(name = "CIP-010-4")]
    Cip010V4,
    /// The same, approved by FERC Order No. 919.
    #[value(name = "CIP-010-5")]
    Cip010V5,
}

impl Standard {
    /// Those in force.
    pub const IN_FORCE: [Self; 2] = [Self::Cip007V6, Self::Cip010V4];
}

/// A part of a requirement.
pub struct Part {
    /// `CIP-007 R2.1`: as the versions in force number it.
    pub number: &'static str,
    /// What it asks, in our words.
    pub asks: &'static str,
    /// What is shown of that.
    pub shown: &'static str,
    /// What is not, and has to come from elsewhere.
    pub not_checked: &'static str,
}

/// All of them, in the order of the standards. Source: CIP-007-6, table R2; CIP-010-4, tables R1 and R2.
pub const PARTS: [Part; 11] = [
    Part {
        number: "CIP-007 R2.1",
        asks: "a process for tracking, evaluating and installing security patches, with the sources that are tracked",
        shown: "publishers whose advisories were taken in, and when; makers of devices that no document names",
        not_checked: "the process itself; patches that no advisory announces",
    },
    Part {
        number: "CIP-007 R2.2",
        asks: "at least once every 35 calendar days, patches that the sources released since the last evaluation are evaluated for applicability",
        shown: "evaluations that a person recorded (check --record), what they were held against, and the days between them",
        not_checked: "",
    },
    Part {
        number: "CIP-007 R2.3",
        asks: "within 35 calendar days of the evaluation an applicable patch is applied, or a dated mitigation plan is made, or one is revised",
        shown: "for each device and document: since when it is known, evaluated, applied as a reading shows, or planned until when",
        not_checked: "what a mitigation plan says it will do",
    },
    Part {
        number: "CIP-007 R2.4",
        asks: "a plan is carried out within its time frame, unless a revision or an extension is approved by the CIP Senior Manager or delegate",
        shown: "plans whose day is over; revisions and extensions with who decided and who agreed",
        not_checked: "whether these persons are the CIP Senior Manager or a delegate",
    },
    Part {
        number: "CIP-010 R1.1",
        asks: "a baseline configuration: operating system or firmware, software, custom software, logical ports, security patches",
        shown: "firmware and other revisions that devices report, with when and how they were read, and what is approved for them",
        not_checked: "software that is installed beside the firmware, custom software, logical network accessible ports",
    },
    Part {
        number: "CIP-010 R1.2",
        asks: "changes that deviate from the baseline configuration are authorized and documented",
        shown: "every revision that changed between two readings, with the work order that expected it and who approved that",
        not_checked: "changes of what R1.1 does not show here",
    },
    Part {
        number: "CIP-010 R1.3",
        asks: "the baseline configuration is updated within 30 calendar days of completing such a change",
        shown: "for each changed revision the decision that approves it, and the days from the change to it",
        not_checked: "",
    },
    Part {
        number: "CIP-010 R1.4",
        asks: "before a change the controls of CIP-005 and CIP-007 that it could impact are determined, afterwards verified, and that is documented",
        shown: "a line for each work order, with room for your evidence",
        not_checked: "all of it: no control and no logical port is looked at",
    },
    Part {
        number: "CIP-010 R1.5",
        asks: "high impact: where technically feasible, a change is tested in a test environment or so that harm is small, and that is documented",
        shown: "nothing; rings and pilots are in `report changes`",
        not_checked: ALL_OF_IT,
    },
    Part {
        number: "CIP-010 R1.6",
        asks: "before such a change, where the source offers a method, the identity of the software's source and its integrity are verified",
        shown: "the software checks of each work order: source, hash, how it is known to be the vendor's, or that the source offers nothing",
        not_checked: "",
    },
    Part {
        number: "CIP-010 R2.1",
        asks: "high impact: changes to the baseline configuration are monitored for at least once every 35 calendar days; unauthorized ones are investigated",
        shown: "the last reading of each device's revisions; what changed without an order stands under R1.2",
        not_checked: "readings before the last one; the investigation",
    },
];

/// How the words begin that say that nothing of a part is looked at.
const ALL_OF_IT: &str = "all of it";

impl Part {
    /// Nothing of it is looked at.
    pub fn is_not_checked(&self) -> bool {
        self.not_checked.starts_with(ALL_OF_IT)
    }
}

/// The versions that a report is made for.
pub struct Versions {
    /// Of CIP-007.
    pub patching: Option<Standard>,
    /// Of CIP-010.
    pub configuration: Option<Standard>,
}

impl Standard {
    const fn name(self) -> &'static str {
        match self {
            Self::Cip007V6 => "CIP-007-6",
            Self::Cip007V7 => "CIP-007-7",
            Self::Cip010V4 => "CIP-010-4",
            Self::Cip010V5 => "CIP-010-5",
        }
    }

    const fn is_patching(self) -> bool {
        matches!(self, Self::Cip007V6 | Self::Cip007V7)
    }

    const fn is_coming(self) -> bool {
        matches!(self, Self::Cip007V7 | Self::Cip010V5)
    }
}

impl Versions {
    /// Of what was asked for.
    ///
    /// # Errors
    /// Usage: one standard in two versions.
    pub fn of(standards: &[Standard]) -> Result<Self, Failure> {
        let of = |patching: bool| {
            let mut own = standards.iter().copied().filter(|one| one.is_patching() == patching);
            let first = own.next();
            match own.next() {
                Some(second) if Some(second) != first => {
                    Err(Failure::new(Code::Usage, "--standard names one standard in two versions: a report is made for one of them"))
                }
                _ => Ok(first),
            }
        };
        Ok(Self { patching: of(true)?, configuration: of(false)? })
    }

    fn all(&self) -> impl Iterator<Item = Standard> {
        [self.patching, self.configuration].into_iter().flatten()
    }

    /// `CIP-007-6 and CIP-010-4`.
    pub fn title(&self) -> String {
        self.all().map(Standard::name).collect::<Vec<_>>().join(" and ")
    }

    /// Whether a part belongs to the report.
    pub fn holds(&self, part: &str) -> bool {
        self.all().any(|one| one.name().starts_with(part.split(' ').next().unwrap_or_default()))
    }

    /// A part with the version: `CIP-007-6 R2.1`.
    pub fn named(&self, part: &str) -> String {
        let (standard, number) = part.split_once(' ').unwrap_or((part, ""));
        let version = self.all().map(Standard::name).find(|name| name.starts_with(standard));
        format!("{} {number}", version.unwrap_or(standard))
    }

    /// What is to be said of the versions.
    pub fn words(&self) -> Vec<String> {
        let mut words = Vec::new();
        if self.all().any(|one| !one.is_coming()) {
            words.push("CIP-007-6 and CIP-010-4 are the versions in force.".to_owned());
        }
        if self.all().any(Standard::is_coming) {
            words.push(
                "CIP-007-7 and CIP-010-5 were approved by FERC Order No. 919 (19 March 2026, docket RM24-8-000) and come into force in 2028. Their \
                 parts are named here by the numbers of CIP-007-6 and CIP-010-4, and shown by the same rules: hold them against the new text."
                    .to_owned(),
            );
        }
        words
    }
}
