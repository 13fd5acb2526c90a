// Modbus TCP by npm modbus-serial: FC 43/14 with pages and private objects; silent for other units and to FC 17.
"use strict";
const net = require("net");
const path = require("path");
const readline = require("readline");
const modules = process.argv[2];
const { ServerTCP } = require(path.join(modules, "modbus-serial"));

const input = readline.createInterface({ input: process.stdin });
// A killed test must leave no server behind: its end of the pipe closes with it.
input.on("close", () => process.exit(0));
input.once("line", (line) => {
  const told = JSON.parse(line);
  const register = (address) => told.registers[address] ?? 0;
  const vector = {
    getHoldingRegister: register,
    getInputRegister: register,
    readDeviceIdentification: () => told.objects,
  };
  listen(vector, told.silent_for_others ? told.unit : 255, 3);
});

// The library takes port 0 for "no port given", so a free one is found first; should another process take it in between, once more.
function listen(vector, unitID, tries) {
  const finder = net.createServer().listen(0, "127.0.0.1", () => {
    const port = finder.address().port;
    finder.close(() => {
      const server = new ServerTCP(vector, { host: "127.0.0.1", port, unitID });
      server.on("initialized", () => console.log(`READY ${port}`));
      server.on("socketError", () => {});
      server.on("serverError", (error) => {
        if (tries <= 1) throw error;
        listen(vector, unitID, tries - 1);
      });
    });
  });
}
