// SPDX-License-Identifier: Apache-2.0
// The paths of GitHub's description that the venue calls, unchanged, with all components:
// venue_spec.js FILE
const spec = JSON.parse(require('fs').readFileSync(process.argv[2], 'utf8'));
const issues = '/repos/{owner}/{repo}/issues';
const called = ['/search/issues', issues, `${issues}/{issue_number}`,
    `${issues}/{issue_number}/comments`, `${issues}/{issue_number}/reactions`];
const kept = {};
const take = (value) => {
    if (value === null || typeof value !== 'object') return;
    // An example by reference inside of an example would come out wrapped twice.
    const [, , kind, name] = value.value?.$ref?.split('/') ?? [];
    if (kind === 'examples') value.value = spec.components.examples[name].value;
    if (typeof value.$ref === 'string') {
        const [, , part, member] = value.$ref.split('/');
        kept[part] ??= {};
        if (!(member in kept[part])) {
            kept[part][member] = spec.components[part][member];
            take(kept[part][member]);
        }
    }
    Object.values(value).forEach(take);
};
const paths = Object.fromEntries(called.map((path) => [path, spec.paths[path]]));
take(paths);
spec.paths = paths;
spec.components = kept;
delete spec['x-webhooks'];
spec.servers = [{ url: 'http://127.0.0.1' }];
process.stdout.write(JSON.stringify(spec));
