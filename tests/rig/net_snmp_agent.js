// SNMP by npm net-snmp's agent: the scalars of the system group alone; v2c, and v3 with the user `sha256` (SHA-256, AES-128).
"use strict";
const dgram = require("dgram");
const path = require("path");
const readline = require("readline");
const snmp = require(path.join(process.argv[2], "net-snmp"));

const input = readline.createInterface({ input: process.stdin });
// A killed test must leave no server behind: its end of the pipe closes with it.
input.on("close", () => process.exit(0));
input.once("line", (line) => {
  const { plate } = JSON.parse(line);
  // The library tells neither when it listens nor on which port: a free one is found first, and READY follows its socket's own event.
  const finder = dgram.createSocket("udp4");
  finder.bind(0, "127.0.0.1", () => {
    const { port } = finder.address();
    finder.close(() => serve(plate, port));
  });
});

function serve(plate, port) {
  const settings = { port, address: "127.0.0.1", accessControlModelType: snmp.AccessControlModelType.None };
  const agent = snmp.createAgent(settings, (error) => {
    if (error) console.error(error.message);
  });
  const authorizer = agent.getAuthorizer();
  authorizer.addCommunity(plate.community);
  authorizer.addUser({
    name: "sha256",
    level: snmp.SecurityLevel.authPriv,
    authProtocol: snmp.AuthProtocols.sha256,
    authKey: plate.secret,
    privProtocol: snmp.PrivProtocols.aes,
    privKey: plate.privacy,
  });
  const { OctetString, OID } = snmp.ObjectType;
  const scalars = [
    ["sysDescr", 1, OctetString, plate.description],
    ["sysObjectID", 2, OID, `1.3.6.1.4.1.${plate.vendor_number}.${plate.product_number}`],
    ["sysName", 5, OctetString, plate.name],
    ["sysLocation", 6, OctetString, plate.location],
  ];
  const mib = agent.getMib();
  for (const [name, number, scalarType, value] of scalars) {
    const oid = `1.3.6.1.2.1.1.${number}`;
    mib.registerProvider({ name, type: snmp.MibProviderType.Scalar, oid, scalarType, maxAccess: snmp.MaxAccess["read-only"] });
    mib.setScalarValue(name, value);
  }
  const [listener] = Object.values(agent.listener.sockets);
  listener.on("listening", () => console.log(`READY ${port}`));
}
