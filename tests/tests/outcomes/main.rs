//! What became of findings, changes and patches, and what reports say of it.

mod evaluated;
mod plant;
mod remediation;
mod reports;
