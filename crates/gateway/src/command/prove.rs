//! placeholder
use crate::{cli::Common, failure::Failure};
/// x
#[derive(Debug, clap::Args)]
pub struct Prove {}
impl Prove {
    pub fn run(&self, _: &Common) -> Result<(), Failure> { Ok(()) }
}
