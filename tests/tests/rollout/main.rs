//! Changes as a plant rolls them out: in rings, by several persons, and by listening alone.

mod heard;
mod plant;
mod story;
