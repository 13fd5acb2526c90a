//! What is asked over OPC UA.

use std::net::SocketAddr;

use clap::Args;
use nameplate_field::opcua::Questions;

/// OPC UA's own options.
#[derive(Debug, Args)]
pub struct Opcua {
    /// Ask only what needs no session: which endpoints the server has and who it is. For servers that have few sessions
    #[arg(long, help_heading = "OPC UA")]
    opcua_endpoints_only: bool,
    /// Ask for the servers that it knows, too (FindServers)
    #[arg(long, help_heading = "OPC UA")]
    opcua_servers: bool,
}

impl Opcua {
    /// What each server is asked.
    pub fn questions(&self, address: SocketAddr) -> Questions {
        Questions { url: format!("opc.tcp://{address}"), servers: self.opcua_servers, endpoints_only: self.opcua_endpoints_only }
    }
}
