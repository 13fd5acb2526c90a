//! A device that is given another release while it runs: it reboots, is silent, perhaps answers with its boot image, and comes back.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use super::{Device, Fault, Persona};

/// A new release, and what happens on the way to it.
#[derive(Clone, Debug)]
pub struct Flash {
    /// One after another, from the moment the open connections are closed.
    pub phases: Vec<Phase>,
    /// What the device is in the end.
    pub release: Persona,
}

/// A part of a reboot.
#[derive(Clone, Debug)]
pub enum Phase {
    /// Nothing listens on the port: connections are refused.
    Refuses(Duration),
    /// So many connections of whoever asks are accepted and never answered.
    Mute(usize),
    /// So many connections of whoever asks are answered by another image (a boot loader).
    Answers(Persona, usize),
}

/// Where a reboot stands.
pub(super) enum Now {
    /// Nothing listens.
    Deaf(Duration),
    /// This device answers; for so many more connections, or from now on.
    Is(Arc<Device>, Option<usize>),
}

/// A reboot under way.
pub(super) struct Reboot {
    /// As it was before.
    device: Arc<Device>,
    phases: VecDeque<Phase>,
    release: Persona,
}

impl Reboot {
    pub(super) fn new(device: Arc<Device>, flash: Flash) -> Self {
        Self { device, phases: flash.phases.into(), release: flash.release }
    }

    /// The next part; the release when there is none.
    pub(super) fn next(&mut self) -> Now {
        let device = &self.device;
        let with = |persona: &Persona, fault: Option<Fault>| {
            Arc::new(Device { persona: persona.clone(), fault, manners: device.manners.clone(), link: device.link.clone() })
        };
        match self.phases.pop_front() {
            Some(Phase::Refuses(silence)) => Now::Deaf(silence),
            Some(Phase::Mute(connections)) => Now::Is(with(&device.persona, Some(Fault::Silent)), Some(connections)),
            Some(Phase::Answers(image, connections)) => Now::Is(with(&image, device.fault.clone()), Some(connections)),
            None => Now::Is(with(&self.release, device.fault.clone()), None),
        }
    }
}
