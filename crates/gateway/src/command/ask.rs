//! placeholder
use crate::{cli::Common, failure::Failure};
/// x
#[derive(Debug, clap::Args)]
pub struct Ask {}
impl Ask {
    pub fn run(&self, _: &Common) -> Result<(), Failure> { Ok(()) }
}
