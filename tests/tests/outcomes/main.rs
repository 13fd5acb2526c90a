//! What became of findings, changes and patches, and what reports say of it.

mod plant;
mod remediation;
