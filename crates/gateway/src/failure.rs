//! How a command ends when it does not end well: a sentence that says where, and the exit code that scripts rely on.

use std::fmt;

/// Exit codes as in docs/ARCHITECTURE.md; 0 is done, 1 found what `--fail-on` names, 2 (usage) belongs to the argument parser.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    /// Found what `--fail-on` names.
    Found = 1,
    /// Usage: an argument that only its command can judge.
    Usage = 2,
    /// An input, a profile or the state could not be read or written.
    Input = 3,
    /// The guard refused.
    Refused = 4,
    /// A device did not answer.
    NoAnswer = 5,
    /// A verification, proof, profile test or comparison failed.
    Failed = 6,
}

/// The end of a command.
#[derive(Debug)]
pub struct Failure {
    /// The exit code.
    pub code: Code,
    /// What happened, where, and what to do about it.
    pub why: String,
}

impl Failure {
    /// A failure with its code and sentence.
    pub fn new(code: Code, why: impl Into<String>) -> Self {
        Self { code, why: why.into() }
    }

    /// An input that could not be read: `what` names it.
    pub fn input(what: impl fmt::Display, why: impl fmt::Display) -> Self {
        Self::new(Code::Input, format!("{what}: {why}"))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.why)
    }
}
