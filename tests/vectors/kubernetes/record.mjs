// SPDX-License-Identifier: Apache-2.0
// Passes the bodies of the recorded requests through the official JavaScript client, which writes
// only members that the API knows, and records what the client sends: node record.mjs FOLDER,
// where FOLDER holds node_modules/@kubernetes/client-node.
import { createServer } from 'node:http';
import { readFileSync, writeFileSync, readdirSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const entry = resolve(process.argv[2], 'node_modules/@kubernetes/client-node/dist/index.js');
const k8s = await import(pathToFileURL(entry).href);
let seen = null;
const server = createServer((request, answer) => {
    let body = '';
    request.on('data', (bytes) => { body += bytes; });
    request.on('end', () => {
        const url = new URL(request.url, 'http://127.0.0.1');
        seen = { method: request.method, path: url.pathname,
                 query: Object.fromEntries(url.searchParams.entries()) };
        if (request.headers['content-type'])
            seen.content_type = request.headers['content-type'];
        if (body !== '')
            seen.body = JSON.parse(body);
        answer.writeHead(200, { 'content-type': 'application/json' });
        answer.end('{"kind":"Status","status":"Success","metadata":{},"items":[]}');
    });
}).listen(0, '127.0.0.1');
await new Promise((done) => server.once('listening', done));

const config = new k8s.KubeConfig();
config.loadFromOptions({
    // The client speaks plain HTTP, even to its own machine, only if told that this is no mistake.
    clusters: [{ name: 'c', server: `http://127.0.0.1:${server.address().port}`,
                 skipTLSVerify: true }],
    users: [{ name: 'u', token: 'none' }],
    contexts: [{ name: 'x', cluster: 'c', user: 'u' }], currentContext: 'x',
});
const batch = config.makeApiClient(k8s.BatchV1Api);
const core = config.makeApiClient(k8s.CoreV1Api);
const rights = config.makeApiClient(k8s.AuthorizationV1Api);
const who = config.makeApiClient(k8s.AuthenticationV1Api);
const merge = k8s.setHeaderOptions('Content-Type', k8s.PatchStrategy.MergePatch);
const name = 'gl-4k2p9x-1', namespace = 'green';
const calls = {
    create_job: (body) => batch.createNamespacedJob({ namespace, body, fieldValidation: 'Strict' }),
    check_job: (body) => batch.createNamespacedJob(
        { namespace, body, fieldValidation: 'Strict', dryRun: 'All' }),
    create_secret: (body) => core.createNamespacedSecret(
        { namespace, body, fieldValidation: 'Strict' }),
    put_secret: (body) => core.replaceNamespacedSecret(
        { name, namespace, body, fieldValidation: 'Strict' }),
    let_go: (body) => batch.patchNamespacedJob({ name, namespace, body }, merge),
    stop_pod: (body) => core.patchNamespacedPod({ name, namespace, body }, merge),
    get_job: () => batch.readNamespacedJob({ name, namespace }),
    list_jobs: () => batch.listNamespacedJob(
        { namespace, labelSelector: 'greenlaunch-request', limit: 250 }),
    list_pods: () => core.listNamespacedPod(
        { namespace, labelSelector: `job-name=${name}`, limit: 250 }),
    list_nodes: () => core.listNode({ limit: 250 }),
    read_log: () => core.readNamespacedPodLog(
        { name, namespace, container: 'main', limitBytes: 16777215 }),
    delete_job: (body) => batch.deleteNamespacedJob({ name, namespace, body }),
    review_right: (body) => rights.createSelfSubjectAccessReview({ body }),
    review_self: (body) => who.createSelfSubjectReview({ body }),
};
for (const file of readdirSync(here).filter((one) => one.endsWith('.json'))) {
    const path = join(here, file);
    const asked = JSON.parse(readFileSync(path, 'utf8'));

    seen = null;
    await calls[file.replace('.json', '')](asked.body).catch(() => null); // an answer of ours
    if (seen === null)
        throw new Error(`${file}: nothing was sent`);
    writeFileSync(path, JSON.stringify(seen, null, 1) + '\n');
}
server.close();
server.closeAllConnections();
