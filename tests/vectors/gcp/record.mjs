// SPDX-License-Identifier: Apache-2.0
// What Google's own library sends for the calls of our adapter: node record.mjs >requests.json, with
// @google-cloud/compute installed beside it. Loopback only: the server is a recorder.
import { createServer } from "node:http";
import compute from "@google-cloud/compute";
import { GoogleAuth, OAuth2Client } from "google-auth-library";

const requests = [];
const server = createServer((request, response) => {
  let body = "";
  request.on("data", (chunk) => (body += chunk));
  request.on("end", () => {
    const url = new URL(request.url, "http://localhost");
    const query = Object.fromEntries([...url.searchParams].filter(([name]) => name !== "$alt").sort());
    requests.push({ method: request.method, path: url.pathname, query, body: body ? JSON.parse(body) : null });
    response.setHeader("Content-Type", "application/json");
    response.end(JSON.stringify({ name: "operation-1", status: "DONE", items: {} }));
  });
});
await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));

const client = new OAuth2Client();
client.setCredentials({ access_token: "token", expiry_date: Date.now() + 3600000 });
const auth = new GoogleAuth({ authClient: client });
const options = { fallback: true, protocol: "http", apiEndpoint: "127.0.0.1", port: server.address().port, auth, projectId: "green-tests" };
const instances = new compute.InstancesClient(options);
const images = new compute.ImagesClient(options);
const project = "green-tests";
const zone = "europe-north1-a";
const labels = {
  "greenlaunch-request": "gl-4k2p9x",
  "greenlaunch-attempt": "1",
  "greenlaunch-expires": "1800000000",
  "greenlaunch-token-a": "00000000aaaaaaaa0123456789abcdef",
  "greenlaunch-token-b": "0123456789abcdef0123456789abcdef",
};
const instance = (spot) => ({
  name: "gl-4k2p9x-1",
  machineType: `zones/${zone}/machineTypes/n2-standard-2`,
  labels,
  scheduling: {
    maxRunDuration: { seconds: 3600 },
    instanceTerminationAction: "DELETE",
    automaticRestart: false,
    onHostMaintenance: "TERMINATE",
    ...(spot ? { provisioningModel: "SPOT" } : {}),
  },
  metadata: { items: [{ key: "startup-script", value: "hello" }, { key: "serial-port-enable", value: "TRUE" }] },
  networkInterfaces: [{ network: "global/networks/default", accessConfigs: [{ name: "External NAT", type: "ONE_TO_ONE_NAT" }] }],
  disks: [{ boot: true, autoDelete: true, initializeParams: { sourceImage: "projects/debian-cloud/global/images/family/debian-12", labels } }],
});
const requestId = "e5d424c9-f777-8976-a279-07e097dde7f4";
const quietly = async (call) => { try { await call; } catch { /* the answer is no real one */ } };
await quietly(instances.insert({ project, zone, requestId, instanceResource: instance(false) }));
await quietly(instances.insert({ project, zone, requestId, instanceResource: instance(true) }));
await quietly(instances.get({ project, zone, instance: "gl-4k2p9x-1" }));
await quietly(instances.stop({ project, zone, instance: "gl-4k2p9x-1" }));
await quietly(instances.start({ project, zone, instance: "gl-4k2p9x-1" }));
await quietly(instances.delete({ project, zone, instance: "gl-4k2p9x-1" }));
await quietly(instances.getSerialPortOutput({ project, zone, instance: "gl-4k2p9x-1", port: 1, start: 7 }));
await quietly((async () => { for await (const one of instances.aggregatedListAsync({ project, filter: "labels.greenlaunch-request:*", maxResults: 500, returnPartialSuccess: true })) void one; })());
await quietly(images.insert({ project, requestId, imageResource: { name: "gl-move-1", sourceDisk: `projects/${project}/zones/${zone}/disks/gl-4k2p9x-1`, storageLocations: ["europe-north1"] } }));
await quietly(images.delete({ project, image: "gl-move-1" }));
console.log(JSON.stringify(requests, null, 1));
server.close();
process.exit(0);
