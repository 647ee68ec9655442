// SPDX-License-Identifier: Apache-2.0
// What Azure's own library sends for the calls of our adapter: node record.mjs >requests.json, with
// @azure/arm-compute installed beside it. No network: the transport is a recorder.
import { ComputeManagementClient } from "@azure/arm-compute";
import { createHttpHeaders } from "@azure/core-rest-pipeline";

const subscription = "11111111-2222-3333-4444-555555555555";
const group = "green";
const root = `/subscriptions/${subscription}/resourceGroups/${group}/providers/`;
const tags = {
  "greenlaunch-request": "gl-4k2p9x",
  "greenlaunch-attempt": "1",
  "greenlaunch-expires": "1800000000",
  "greenlaunch-token-a": "00000000aaaaaaaa0123456789abcdef",
  "greenlaunch-token-b": "0123456789abcdef0123456789abcdef",
};
const network = {
  networkApiVersion: "2022-11-01",
  networkInterfaceConfigurations: [{
    name: "gl-4k2p9x-1",
    primary: true,
    deleteOption: "Delete",
    ipConfigurations: [{
      name: "ipconfig",
      primary: true,
      subnet: { id: `${root}Microsoft.Network/virtualNetworks/greenlaunch-swedencentral/subnets/default` },
      publicIPAddressConfiguration: {
        name: "gl-4k2p9x-1",
        sku: { name: "Standard", tier: "Regional" },
        deleteOption: "Delete",
        publicIPAllocationMethod: "Static",
      },
    }],
  }],
};
const fromImage = (spot) => ({
  location: "swedencentral",
  tags,
  hardwareProfile: { vmSize: "Standard_B1s" },
  storageProfile: {
    imageReference: { publisher: "Debian", offer: "debian-12", sku: "12-gen2", version: "latest" },
    osDisk: { createOption: "FromImage", deleteOption: "Delete", name: "gl-4k2p9x-1", managedDisk: { storageAccountType: "StandardSSD_LRS" } },
  },
  osProfile: {
    computerName: "gl-4k2p9x-1",
    adminUsername: "green-1",
    customData: "aGVsbG8=",
    linuxConfiguration: {
      disablePasswordAuthentication: true,
      ssh: { publicKeys: [{ path: "/home/green-1/.ssh/authorized_keys", keyData: "ssh-ed25519 AAAA test" }] },
    },
  },
  networkProfile: network,
  diagnosticsProfile: { bootDiagnostics: { enabled: true } },
  ...(spot ? { priority: "Spot", evictionPolicy: "Delete", billingProfile: { maxPrice: -1 } } : {}),
});
const fromDisk = {
  location: "swedencentral",
  tags,
  hardwareProfile: { vmSize: "Standard_B1s" },
  storageProfile: { osDisk: { createOption: "Attach", osType: "Linux", deleteOption: "Delete", managedDisk: { id: `${root}Microsoft.Compute/disks/gl-4k2p9x-1` } } },
  networkProfile: network,
  diagnosticsProfile: { bootDiagnostics: { enabled: true } },
  userData: "aGVsbG8=",
};

const sent = [];
const httpClient = {
  async sendRequest(request) {
    const url = new URL(request.url);
    const query = Object.fromEntries(url.searchParams);
    const asked = { method: request.method, path: decodeURIComponent(url.pathname), query };
    if (request.headers.get("if-none-match")) asked["if-none-match"] = request.headers.get("if-none-match");
    if (request.body) asked.body = JSON.parse(request.body);
    sent.push(asked);
    return {
      request,
      status: request.method === "DELETE" ? 204 : 200,
      headers: createHttpHeaders({ "content-type": "application/json" }),
      bodyAsText: JSON.stringify({ value: [], properties: { provisioningState: "Succeeded" } }),
    };
  },
};
const credential = { getToken: async () => ({ token: "none", expiresOnTimestamp: Date.now() + 3600000 }) };
const client = new ComputeManagementClient(credential, subscription, { httpClient, retryOptions: { maxRetries: 0 } });
const vm = client.virtualMachines, name = "gl-4k2p9x-1";
const all = async (pages) => { for await (const page of pages) void page; };
const snapshot = (how, from, location, own) => ({
  location,
  tags: { "greenlaunch-image": own },
  sku: { name: "Standard_LRS" },
  incremental: true,
  creationData: { createOption: how, sourceResourceId: from },
});
const calls = {
  "launch": () => vm.createOrUpdate(group, name, fromImage(false), { ifNoneMatch: "*" }),
  "launch-spot": () => vm.createOrUpdate(group, name, fromImage(true), { ifNoneMatch: "*" }),
  "launch-disk": () => vm.createOrUpdate(group, name, fromDisk, { ifNoneMatch: "*" }),
  "describe": () => vm.get(group, name, { expand: "instanceView" }),
  "list": () => all(vm.listAll()),
  "halt": () => vm.deallocate(group, name),
  "stop": () => vm.powerOff(group, name),
  "start": () => vm.start(group, name),
  "terminate": () => vm.delete(group, name, { forceDeletion: true }),
  "console": () => vm.retrieveBootDiagnosticsData(group, name),
  "types": () => all(client.resourceSkus.list({ filter: "location eq 'swedencentral'" })),
  "quota": () => all(client.usage.list("swedencentral")),
  "image": () => client.snapshots.createOrUpdate(group, "gl-image", snapshot("Copy", `${root}Microsoft.Compute/disks/gl-4k2p9x-1`, "swedencentral", "gl-image")),
  "image-copy": () => client.snapshots.createOrUpdate(group, "gl-image-2", snapshot("CopyStart", `${root}Microsoft.Compute/snapshots/gl-image`, "westeurope", "gl-image-2")),
  "image-look": () => client.snapshots.get(group, "gl-image"),
  "image-delete": () => client.snapshots.delete(group, "gl-image"),
  "disk": () => client.disks.createOrUpdate(group, name, {
    location: "swedencentral", tags, sku: { name: "StandardSSD_LRS" }, osType: "Linux",
    creationData: { createOption: "Copy", sourceResourceId: `${root}Microsoft.Compute/snapshots/gl-image` },
  }),
  "disks": () => all(client.disks.listByResourceGroup(group)),
  "disk-delete": () => client.disks.delete(group, name),
};
const out = {};
for (const [what, call] of Object.entries(calls)) {
  sent.length = 0;
  await call();
  out[what] = sent[0];
}
console.log(JSON.stringify(out, null, 1));
