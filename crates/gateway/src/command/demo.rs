//! placeholder
use crate::{cli::Common, failure::Failure};
/// x
#[derive(Debug, clap::Args)]
pub struct Demo {}
impl Demo {
    pub fn run(&self, _: &Common) -> Result<(), Failure> { Ok(()) }
}
