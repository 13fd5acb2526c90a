//! What the stories that cross crates stand on: where things lie, servers we did not write, and a recorder whose captures an independent
//! dissector judges.
//!
//! - [`browser`]: Chromium without a window, and what a page does in it.
//! - [`rig`]: servers we did not write, each its own process with its own persona.
//! - [`corpus`]: the public captures.
//! - [`interop`]: a server that we did not write, asked and read three times.
//! - [`ledger`]: what goes into a ledger, in order and at random.
//! - [`line`]: a serial line of this machine that leads to a simulated device.
//! - [`personas`]: identities drawn at random, so that none can be hard-coded.
//! - [`pcap`]: captures taken apart: cut, split, put in another order.
//! - [`process`]: a process that goes on until it is told to end.
//! - [`product`]: the program as its users meet it, and a simulated device for it to meet.
//! - [`record`]: a loopback port recorded by dumpcap, read by tshark.
//! - [`referee`]: what tshark must read in a recording, and how often it does.
//! - [`seeds`]: inputs of the fuzz target for all protocols.
//! - [`segment`]: a cable in a network namespace, to send on and to listen at.
//! - [`strace`]: the product's sockets as the system sees them.
//! - [`web`]: a program that talks to the page and the API.

pub mod browser;
pub mod corpus;
pub mod door;
pub mod fleet;
pub mod interop;
pub mod ledger;
pub mod line;
pub mod pcap;
pub mod personas;
pub mod place;
pub mod process;
pub mod product;
pub mod record;
pub mod referee;
pub mod rig;
pub mod seeds;
pub mod segment;
pub mod strace;
pub mod web;
