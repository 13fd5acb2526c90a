// A receiver of webhooks: HTTP by Node's own library, signatures by the `standardwebhooks` package of npm.
//
//     webhook_receiver.mjs MODULES SECRET
//
// It says `READY PORT` on standard error, then a JSON object a line: {"taken": id, "webhook": id, "type": ...} or {"refused": why}.

import http from "node:http";
import { createRequire } from "node:module";

const [modules, secret] = process.argv.slice(2);
const { Webhook } = createRequire(modules + "/")("standardwebhooks");
const say = (what) => process.stderr.write(JSON.stringify(what) + "\n");

const server = http.createServer((request, response) => {
  const pieces = [];
  request.on("data", (piece) => pieces.push(piece));
  request.on("end", () => {
    try {
      const event = new Webhook(secret).verify(Buffer.concat(pieces).toString("utf8"), request.headers);
      say({ taken: event.id, webhook: request.headers["webhook-id"], type: event.type, source: event.source });
      response.writeHead(200).end("{}");
    } catch (error) {
      say({ refused: `${error.name}: ${error.message}` });
      response.writeHead(401).end();
    }
  });
});
server.listen(0, "127.0.0.1", () => process.stderr.write(`READY ${server.address().port}\n`));
