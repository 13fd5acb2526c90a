//! placeholder
use crate::{cli::Options, failure::Failure};
/// x
#[derive(Debug, clap::Args)]
pub struct Prove {}
impl Prove {
    pub fn run(&self, _: &Options) -> Result<(), Failure> {
        Ok(())
    }
}
