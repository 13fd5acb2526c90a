//! `nameplate release`: a class of devices that failures or a restart stopped is asked again because a person says so.

use clap::Args;
use nameplate_core::text::printable;
use nameplate_field::ask::stopped_classes;
use nameplate_field::touch::{Kind, Line};

use super::ask::touch_record;
use crate::cli::Options;
use crate::failure::{Code, Failure};
use crate::{print, state};

/// List the classes of devices that are stopped, or release one.
#[derive(Debug, Args)]
#[command(
    after_help = "A class is a protocol and what was known of a device before it was asked: maker, model, firmware. Where three devices of\n\
                        a class fail within a day, none of it is asked any more: what one read does to them, it may do to all. Find out why\n\
                        they failed before you release it. It stands in the touch record, and so in the ledger.\n\n\
                        Examples:\n  nameplate release\n  nameplate release \"modbus Acme M1 1.0\" --by \"J. Doe\" --why \"a switch had lost power\""
)]
pub struct Release {
    /// The class, as the list and the refusals write it
    #[arg(value_name = "CLASS", requires = "by")]
    class: Option<String>,
    /// Who releases it
    #[arg(long, value_name = "NAME", requires = "class")]
    by: Option<String>,
    /// Why its devices had failed
    #[arg(long, value_name = "TEXT", default_value = "no reason given")]
    why: String,
}

impl Release {
    /// Runs the command.
    ///
    /// # Errors
    /// The state, or a class that is not stopped.
    pub fn run(&self, options: &Options) -> Result<(), Failure> {
        let touch = touch_record(&state::directory(options.state.as_ref())?)?;
        let stopped = stopped_classes(&touch).map_err(|refused| Failure::new(Code::Input, refused.to_string()))?;
        let (Some(class), Some(by)) = (&self.class, &self.by) else {
            return print::out(&stopped.iter().map(|class| format!("{}\n", printable(class))).collect::<String>());
        };
        if !stopped.contains(class) {
            return Err(Failure::new(Code::Usage, format!("the class {class:?} is not stopped; `nameplate release` lists those that are")));
        }
        let mut line = Line::new(Kind::Released);
        (line.class, line.why) = (Some(class.clone()), Some(format!("{by}: {}", self.why)));
        touch.append(line).map_err(|e| Failure::new(Code::Refused, e.to_string()))
    }
}
