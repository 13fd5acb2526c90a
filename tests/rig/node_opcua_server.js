// OPC UA by node-opcua: BuildInfo, and one device of a type of its own in the DeviceSet of the real DI nodeset. Without security, and with
// Sign and SignAndEncrypt by the library's policies; any client's certificate is taken.
"use strict";
const net = require("net");
const path = require("path");
const readline = require("readline");
const [modules, folder] = process.argv.slice(2);
const { OPCUAServer } = require(path.join(modules, "node-opcua-server"));
const { nodesets } = require(path.join(modules, "node-opcua-nodesets"));
const { OPCUACertificateManager } = require(path.join(modules, "node-opcua-certificate-manager"));
const { MessageSecurityMode } = require(path.join(modules, "node-opcua-secure-channel"));
const DI = "http://opcfoundation.org/UA/DI/";

const input = readline.createInterface({ input: process.stdin });
// A killed test must leave no server behind: its end of the pipe closes with it.
input.on("close", () => process.exit(0));
input.once("line", (line) => {
  const { plate } = JSON.parse(line);
  // Clients are told its own address, so the port must be known before.
  const finder = net.createServer().listen(0, "127.0.0.1", () => {
    const { port } = finder.address();
    finder.close(() => serve(plate, port));
  });
});

async function serve(plate, port) {
  const { None, Sign, SignAndEncrypt } = MessageSecurityMode;
  const server = new OPCUAServer({
    port,
    host: "127.0.0.1",
    hostname: "127.0.0.1",
    resourcePath: "/rig",
    nodeset_filename: [nodesets.standard, nodesets.di],
    // Its keys lie in the folder that goes with it, not at the user's home.
    serverCertificateManager: new OPCUACertificateManager({ rootFolder: path.join(folder, "pki"), automaticallyAcceptUnknownCertificate: true }),
    userCertificateManager: new OPCUACertificateManager({ rootFolder: path.join(folder, "users") }),
    serverInfo: { applicationName: { text: plate.name } },
    buildInfo: {
      productUri: `urn:${plate.name}`,
      manufacturerName: plate.vendor,
      productName: plate.model,
      softwareVersion: plate.firmware,
      buildNumber: plate.software,
      buildDate: new Date(Date.UTC(2024, 4, 17)),
    },
    securityModes: [None, Sign, SignAndEncrypt],
  });
  await server.initialize();
  addDevice(server.engine.addressSpace, plate);
  await server.start();
  console.log(`READY ${port}`);
}

function addDevice(space, plate) {
  const di = space.getNamespaceIndex(DI);
  const type = space.getOwnNamespace().addObjectType({ browseName: "RigType", subtypeOf: space.findObjectType("DeviceType", di) });
  const device = type.instantiate({ browseName: plate.name, componentOf: space.rootFolder.objects.deviceSet });
  const properties = [
    ["Manufacturer", "LocalizedText", { text: plate.vendor }],
    ["Model", "LocalizedText", { text: plate.model }],
    ["SoftwareRevision", "String", plate.firmware],
    ["HardwareRevision", "String", plate.hardware],
    ["DeviceRevision", "String", plate.software],
    ["SerialNumber", "String", plate.serial],
    ["RevisionCounter", "Int32", plate.major],
  ];
  for (const [name, dataType, value] of properties) {
    device.getPropertyByName(name, di).setValueFromSource({ dataType, value });
  }
}
