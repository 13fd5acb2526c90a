//! A device that is given another release while it runs: it reboots, is silent, perhaps answers with its boot image, and comes back.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use crate::device::Machine;
use crate::fault::{Fault, crooked};
use crate::language::Language;

/// A new release, and what happens on the way to it.
#[derive(Clone, Debug)]
pub struct Flash<P> {
    /// One after another, from the moment the open connections are closed.
    pub phases: Vec<Phase<P>>,
    /// What the device is in the end.
    pub release: P,
}

/// A part of a reboot.
#[derive(Clone, Debug)]
pub enum Phase<P> {
    /// Nothing listens on the port: connections are refused.
    Refuses(Duration),
    /// So many connections of whoever asks are accepted and never answered.
    Mute(usize),
    /// So many connections of whoever asks are answered by another image (a boot loader).
    Answers(P, usize),
}

/// The same for any protocol.
pub(crate) type Erased = Flash<Arc<dyn Language>>;

impl<P: Language + 'static> Flash<P> {
    pub(crate) fn erased(self) -> Erased {
        let phase = |phase| match phase {
            Phase::Refuses(silence) => Phase::Refuses(silence),
            Phase::Mute(connections) => Phase::Mute(connections),
            Phase::Answers(image, connections) => Phase::Answers(Arc::new(image) as Arc<dyn Language>, connections),
        };
        Flash { phases: self.phases.into_iter().map(phase).collect(), release: Arc::new(self.release) }
    }
}

/// Where a reboot stands.
pub(crate) enum Now {
    /// Nothing listens.
    Deaf(Duration),
    /// This device answers; for so many more connections, or from now on.
    Is(Arc<Machine>, Option<usize>),
}

/// A reboot under way.
pub(crate) struct Reboot {
    /// As it was before.
    machine: Arc<Machine>,
    phases: VecDeque<Phase<Arc<dyn Language>>>,
    release: Arc<dyn Language>,
}

impl Reboot {
    pub(crate) fn new(machine: Arc<Machine>, flash: Erased) -> Self {
        Self { machine, phases: flash.phases.into(), release: flash.release }
    }

    /// The next part; the release when there is none.
    pub(crate) fn next(&mut self) -> Now {
        let fault = self.machine.fault.clone();
        match self.phases.pop_front() {
            Some(Phase::Refuses(silence)) => Now::Deaf(silence),
            Some(Phase::Mute(connections)) => Now::Is(self.with(&self.machine.persona, Some(Fault::Silent)), Some(connections)),
            Some(Phase::Answers(image, connections)) => Now::Is(self.with(&image, fault), Some(connections)),
            None => Now::Is(self.with(&self.release, fault), None),
        }
    }

    fn with(&self, persona: &Arc<dyn Language>, fault: Option<Fault>) -> Arc<Machine> {
        let persona = crooked(Arc::clone(persona), fault.as_ref());
        Arc::new(Machine { persona, fault, manners: self.machine.manners, link: self.machine.link.clone() })
    }
}
