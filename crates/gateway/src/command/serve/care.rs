//! What the desk's loop does besides: it tells the service manager that it is alive, looks for room on the disk, and reads the configuration again
//! when it is asked to.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use nameplate_core::text::printable;

use super::config::Config;
use crate::disk::{Room, Size};
use crate::failure::{Code, Failure};
use crate::house::House;
use crate::log::{self, say};
use crate::service::{Hangup, Service};

/// Between two looks at the disk. The limit leaves room for much more than is written meanwhile.
const LOOK_EVERY: Duration = Duration::from_secs(10);

/// Of the process, beside its work.
pub struct Care {
    /// Who started it.
    pub service: Service,
    hangup: Hangup,
    file: PathBuf,
    /// The state directory.
    directory: PathBuf,
    looked: Option<Instant>,
    scarce: bool,
    halted: bool,
}

impl Care {
    /// Of a desk with this configuration file and this state directory.
    ///
    /// # Errors
    /// A signal cannot be waited for.
    pub fn of(file: &Path, directory: &Path) -> Result<Self, Failure> {
        let hangup = Hangup::when_asked().map_err(|e| Failure::input("serve", e))?;
        let (file, directory) = (file.to_owned(), directory.to_owned());
        Ok(Self { service: Service::of_environment(), hangup, file, directory, looked: None, scarce: false, halted: false })
    }

    /// Whether the configuration is to be read again: the conversation with the field side begins anew then.
    pub fn is_asked_to_reload(&self) -> bool {
        self.hangup.is_asked()
    }

    /// Reads the configuration again, where somebody asked for it. One with a mistake changes nothing.
    pub fn reload(&mut self, config: &mut Config) {
        if !self.hangup.take() {
            return;
        }
        self.service.reloading();
        let told = match Config::read(&self.file) {
            Ok(new) => {
                if new.page != config.page {
                    say!(CONFIG_LATER, "what [page] says now holds from the next start");
                }
                let page = config.page.clone();
                *config = Config { page, ..new };
                self.looked = None;
                log::take(config.log);
                let told = format!("the configuration was read again: {}", crate::print::count(config.plans.len() as u64, "plan"));
                say!(CONFIG_READ { count = config.plans.len() as u64 }, "{told}");
                told
            }
            Err(failure) => {
                let told = format!("the configuration was read again and is not taken; what held goes on: {failure}");
                say!(CONFIG_REFUSED, "{told}");
                told
            }
        };
        self.service.ready(told.lines().next().unwrap_or_default());
    }

    /// Whether there is room for what asking brings; says so when that changes. A file system that says nothing of itself has room: the ledger tells
    /// when it has not.
    pub fn may_ask(&mut self, config: &Config) -> bool {
        if self.looked.is_some_and(|looked| looked.elapsed() < LOOK_EVERY) {
            return !self.scarce;
        }
        self.looked = Some(Instant::now());
        let Ok(room) = Room::at(&self.directory) else { return true };
        let scarce = room.is_scarce(config.disk_free_min);
        if scarce != std::mem::replace(&mut self.scarce, scarce) {
            let (free, least) = (Size(room.free_bytes), Size(config.disk_free_min.bytes_of(room.all_bytes)));
            let told = if scarce {
                format!("{free} are free, and disk_free_min is {least}: nobody is asked by plan until there is room")
            } else {
                format!("{free} are free again: plans go on")
            };
            if scarce {
                say!(DISK_SCARCE { bytes = room.free_bytes }, "{told}");
            } else {
                say!(DISK_FREE { bytes = room.free_bytes }, "{told}");
            }
            self.service.tell(&told);
        }
        !scarce
    }

    /// Whether the ledger can be written; where it could not be, it is tried again, as soon as there is room. Says so when that changes.
    ///
    /// # Errors
    /// The ledger is not the one that it was.
    pub fn can_write(&mut self, house: &House, config: &Config) -> Result<bool, Failure> {
        let Some(why) = house.halted() else { return Ok(true) };
        if !std::mem::replace(&mut self.halted, true) {
            let told = "nothing can be written; nobody is asked, what is heard waits, and the page shows what is known";
            say!(LEDGER_HALTED, "{told}: {}", printable(&why));
            self.service.tell(told);
        }
        let has_room = Room::at(&self.directory).is_ok_and(|room| !room.is_scarce(config.disk_free_min));
        match if has_room { house.mend() } else { return Ok(false) } {
            Ok(()) => {}
            Err(failure) if failure.code == Code::Failed => return Err(failure),
            Err(_) => return Ok(false),
        }
        self.halted = false;
        let told = "the ledger is written again, and nothing was lost";
        say!(LEDGER_MENDED, "{told}");
        self.service.tell(told);
        Ok(true)
    }
}
