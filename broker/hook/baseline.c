/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/hook/baseline.h"

#include <stdlib.h>
#include <string.h>

#include "policy/judge.h"

#define FINDINGS_MAX 100000

static int compare(const void *left, const void *right)
{
    const struct gl_known_finding *a = left, *b = right;

    return strcmp(a->fingerprint, b->fingerprint);
}

/* ---- reading ---- */

static int64_t number_or_unknown(const json_t *value)
{
    return json_is_integer(value) ? (int64_t)json_integer_value(value) : GL_UNKNOWN;
}

static const char *text_or_empty(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text != NULL ? text : "";
}

static int read_finding(const json_t *json, struct gl_known_finding *out, struct gl_error *err)
{
    const char *fingerprint, *rule, *state;

    if (gl_json_string(json, "fingerprint", &fingerprint, err) != 0 ||
        gl_json_string(json, "rule", &rule, err) != 0 ||
        gl_json_string(json, "state", &state, err) != 0)
        return -1;
    if (strcmp(state, "broken") != 0 && strcmp(state, "unknown") != 0)
        return gl_fail(err, GL_E_BAD_VALUE, "state is broken or unknown");
    *out = (struct gl_known_finding){
        .fingerprint = fingerprint,
        .rule = rule,
        .cloud = text_or_empty(json, "cloud"),
        .address = text_or_empty(json, "address"),
        .region = text_or_empty(json, "region"),
        .type = text_or_empty(json, "type"),
        .key = text_or_empty(json, "key"),
        .state = strcmp(state, "broken") == 0 ? GL_FINDING_BROKEN : GL_FINDING_UNKNOWN,
        .found_u = number_or_unknown(json_object_get(json, "found")),
        .count = number_or_unknown(json_object_get(json, "count")),
        .size = {number_or_unknown(json_object_get(json, "vcpus")),
                 number_or_unknown(json_object_get(json, "gpus"))},
    };
    return 0;
}

static int read_all(struct gl_hook_baseline *baseline, struct gl_error *err)
{
    json_t *findings;
    int64_t version;

    if (gl_json_int(baseline->document, "greenlaunch_baseline", 1, INT64_MAX, &version, err) != 0)
        return -1;
    if (version != GL_BASELINE_VERSION)
        return gl_fail(err, GL_E_BAD_VALUE,
                       "version %lld is not known to this program; it reads %d", (long long)version,
                       GL_BASELINE_VERSION);
    if (gl_json_array(baseline->document, "findings", &findings, err) != 0)
        return -1;
    if (json_array_size(findings) > FINDINGS_MAX)
        return gl_fail(err, GL_E_TOO_LARGE, "more than %d findings", FINDINGS_MAX);
    baseline->findings = gl_alloc((json_array_size(findings) + 1) * sizeof *baseline->findings);
    for (size_t i = 0; i < json_array_size(findings); i++) {
        if (read_finding(json_array_get(findings, i), &baseline->findings[i], err) != 0)
            return gl_wrap(err, "findings[%zu]", i);
        baseline->count++;
    }
    qsort(baseline->findings, baseline->count, sizeof *baseline->findings, compare);
    return 0;
}

struct gl_hook_baseline *gl_hook_baseline_parse(const char *bytes, size_t length, const char *name,
                                                struct gl_error *err)
{
    struct gl_hook_baseline *baseline = gl_alloc(sizeof *baseline);

    baseline->document = gl_json_parse(bytes, length, name, err);
    if (baseline->document == NULL || read_all(baseline, err) != 0) {
        bool is_wrapped = baseline->document != NULL;

        gl_hook_baseline_free(baseline);
        if (is_wrapped) {
            err->code = err->code == GL_E_BAD_REPLY ? GL_E_BAD_VALUE : err->code;
            gl_wrap(err, "%s", name);
        }
        return NULL;
    }
    return baseline;
}

void gl_hook_baseline_free(struct gl_hook_baseline *baseline)
{
    if (baseline == NULL)
        return;
    free(baseline->findings);
    json_decref(baseline->document);
    free(baseline);
}

/* ---- what is known ---- */

static bool is_same(const char *a, const char *b)
{
    return strcmp(a, b) == 0;
}

/* Is the figure further from the limit, or can that not be said? */
static bool is_further(const struct gl_known_finding *was, const struct gl_known_finding *is)
{
    const struct gl_key *key = gl_key_named(is->key);

    if (!is_same(was->key, is->key) || was->found_u == GL_UNKNOWN || is->found_u == GL_UNKNOWN)
        return true;
    if (key != NULL && gl_key_is_floor(key->id))
        return is->found_u < was->found_u;
    return is->found_u > was->found_u;
}

/* Is there more of it, or can that not be said of what was known? */
static bool is_more(int64_t was, int64_t is)
{
    return was != GL_UNKNOWN && (is == GL_UNKNOWN || is > was);
}

static bool is_worse(const struct gl_known_finding *was, const struct gl_known_finding *is)
{
    if (is->count == GL_UNKNOWN ? was->count != GL_UNKNOWN : was->count < is->count)
        return true;
    if (is_more(was->size.vcpus, is->size.vcpus) || is_more(was->size.gpus, is->size.gpus))
        return true;
    if (is_same(was->region, is->region) && is_same(was->type, is->type))
        return false;
    return is_further(was, is);
}

static const struct gl_known_finding *find(const struct gl_hook_baseline *baseline,
                                           const char *fingerprint)
{
    const struct gl_known_finding key = {.fingerprint = fingerprint};

    if (baseline == NULL || baseline->count == 0)
        return NULL;
    return bsearch(&key, baseline->findings, baseline->count, sizeof key, compare);
}

bool gl_hook_baseline_knows(const struct gl_hook_baseline *baseline,
                            const struct gl_known_finding *finding)
{
    const struct gl_known_finding *was = find(baseline, finding->fingerprint);

    return was != NULL && !is_worse(was, finding);
}

size_t gl_hook_baseline_gone(const struct gl_hook_baseline *baseline,
                             const struct gl_hook_report *report)
{
    size_t size = baseline != NULL ? baseline->count : 0, there = 0;
    GL_AUTO(gl_auto_free) bool *is_there = gl_alloc(size + 1);

    for (size_t i = 0; i < report->finding_count; i++) {
        const struct gl_known_finding *found = find(baseline, report->findings[i].fingerprint);

        if (found != NULL && report->findings[i].state != GL_FINDING_WARNED)
            is_there[found - baseline->findings] = true;
    }
    for (size_t i = 0; i < size; i++)
        there += is_there[i] ? 1 : 0;
    return size - there;
}

/* ---- writing ---- */

static const char *or_empty(const char *text)
{
    return text != NULL ? text : "";
}

struct gl_known_finding gl_hook_known(const struct gl_hook_finding *finding)
{
    const struct gl_intent *intent = finding->intent;
    const struct gl_constraint *constraint = finding->reason.constraint;

    return (struct gl_known_finding){
        .fingerprint = finding->fingerprint,
        .rule = finding->rule != NULL ? finding->rule->id : "",
        .cloud = intent != NULL ? or_empty(intent->cloud) : "",
        .address = intent != NULL ? intent->address : "",
        .region = intent != NULL ? or_empty(intent->place.region) : "",
        .type = intent != NULL ? or_empty(intent->machine.type) : "",
        .key = constraint != NULL ? constraint->key->name : "",
        .state = finding->state,
        .found_u = finding->reason.found_u,
        .count = finding->count,
        .size = finding->size,
    };
}

static json_t *number_json(int64_t number)
{
    return number == GL_UNKNOWN ? json_null() : json_integer((json_int_t)number);
}

static json_t *finding_json(const struct gl_known_finding *finding)
{
    return json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:o,s:o,s:o,s:o}", "fingerprint",
                     finding->fingerprint, "rule", finding->rule, "cloud", finding->cloud,
                     "address", finding->address, "region", finding->region, "type", finding->type,
                     "key", finding->key, "state",
                     finding->state == GL_FINDING_UNKNOWN ? "unknown" : "broken", "found",
                     number_json(finding->found_u), "count", number_json(finding->count), "vcpus",
                     number_json(finding->size.vcpus), "gpus", number_json(finding->size.gpus));
}

/* Broken and unknown ones go in; what is known already stays as it was first noted, so that a
 * finding cannot grow by small steps. */
char *gl_hook_baseline_text(const struct gl_hook_report *report,
                            const struct gl_hook_baseline *kept, size_t *out_count)
{
    struct gl_known_finding *rows = gl_alloc((report->finding_count + 1) * sizeof *rows);
    json_t *list = json_array(), *document;
    size_t count = 0;
    char *text;

    for (size_t i = 0; i < report->finding_count; i++) {
        const struct gl_hook_finding *finding = &report->findings[i];
        const struct gl_known_finding *was = find(kept, finding->fingerprint);

        if (finding->state != GL_FINDING_BROKEN && finding->state != GL_FINDING_UNKNOWN &&
            finding->state != GL_FINDING_KNOWN)
            continue;
        if (kept != NULL && was == NULL)
            continue;
        rows[count++] = was != NULL ? *was : gl_hook_known(finding);
    }
    qsort(rows, count, sizeof *rows, compare);
    for (size_t i = 0; i < count; i++)
        json_array_append_new(list, finding_json(&rows[i]));
    document =
        json_pack("{s:i,s:o}", "greenlaunch_baseline", GL_BASELINE_VERSION, "findings", list);
    text = gl_json_pretty(document);
    json_decref(document);
    free(rows);
    *out_count = count;
    return text;
}
