// SPDX-License-Identifier: Apache-2.0
// What Scaleway's own library sends for the calls of our adapter: node record.mjs >requests.json,
// with @scaleway/sdk installed beside it. Loopback only: the server is a recorder.
import { createServer } from "node:http";
import { createClient, Instancev1, Blockv1 } from "@scaleway/sdk";

const requests = [];
const id = "aaaaaaaa-bbbb-4ccc-8ddd-000000004711";
const zone = "fr-par-1";
const server = createServer((request, response) => {
  let body = "";
  request.on("data", (chunk) => (body += chunk));
  request.on("end", () => {
    const url = new URL(request.url, "http://localhost");
    const type = (request.headers["content-type"] ?? "").split(";")[0];
    requests.push({ method: request.method, path: url.pathname, query: [...url.searchParams.keys()].sort(), type,
      auth: "x-auth-token" in request.headers, body: type === "application/json" ? JSON.parse(body) : body });
    response.setHeader("Content-Type", "application/json");
    response.end(JSON.stringify({ servers: [], server: { id }, task: { id } }));
  });
});
await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));

const client = createClient({
  apiURL: `http://127.0.0.1:${server.address().port}`,
  accessKey: "SCWXXXXXXXXXXXXXXXXX",
  secretKey: "11111111-2222-4333-8444-555555555555",
  defaultZone: zone,
});
const instance = new Instancev1.API(client);
const block = new Blockv1.API(client);
const tags = [
  "greenlaunch",
  "greenlaunch-request=gl-4k2p9x",
  "greenlaunch-attempt=1",
  "greenlaunch-expires=1800000000",
  "greenlaunch-token-a=00000000aaaaaaaa0123456789abcdef",
  "greenlaunch-token-b=0123456789abcdef0123456789abcdef",
];
const quietly = async (call) => { try { await call; } catch { /* the answer is no real one */ } };
const create = { zone, name: "gl-4k2p9x-1", commercialType: "DEV1-S", image: "debian_bookworm",
  project: "11111111-2222-4333-8444-555555555555", tags: [...tags, "greenlaunch-unstarted"], dynamicIpRequired: true };
await quietly(instance._createServer(create));
await quietly(instance._createServer({ ...create, securityGroup: "99999999-2222-4333-8444-555555555555" }));
await quietly(instance.pageOfListServers({ zone, tags: ["greenlaunch"], page: 1, perPage: 100 }));
await quietly(instance.getServer({ zone, serverId: id }));
await quietly(instance.setServerUserData({ zone, serverId: id, key: "cloud-init", content: new Blob(["#cloud-config\n"], { type: "text/plain" }) }));
for (const action of ["poweron", "poweroff", "terminate"])
  await quietly(instance.serverAction({ zone, serverId: id, action }));
await quietly(instance._updateServer({ zone, serverId: id, tags }));
await quietly(instance.deleteServer({ zone, serverId: id }));
await quietly(block.updateVolume({ zone, volumeId: id, tags: [
  "greenlaunch-ended",
  `greenlaunch-ended-server=${id}`,
  "greenlaunch-ended-token=00000000aaaaaaaa0123456789abcdef",
] }));
await quietly(block.listVolumes({ zone, tags: ["greenlaunch-ended"], page: 1, pageSize: 100 }));
await quietly(block.deleteVolume({ zone, volumeId: id }));
await quietly(instance.listServersTypes({ zone, page: 1, perPage: 100 }));
await quietly(instance.getServerTypesAvailability({ zone, page: 1, perPage: 100 }));
console.log(JSON.stringify(requests, null, 1));
server.close();
process.exit(0);
