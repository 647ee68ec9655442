/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/hook/pulumi_part.h"

#include <string.h>

/* Previews of Pulumi as `pulumi preview --json` prints them. */

#define NOISE_MAX ((size_t)256 << 10) /* of a wrapper's talk before the document */

/* ---- what it is, from the first bytes ---- */

struct looks_row {
    const char *first, *second; /* both are there; second may be NULL */
    int score;
    const char *why_not; /* NULL: it is one */
};

/* In order: the first that fits decides. */
static const struct looks_row looks[] = {
    {"\"preludeEvent\"", NULL, 0,
     "an event log of Pulumi; give the output of `pulumi preview --json` without streaming"},
    {"\"resourcePreEvent\"", NULL, 0,
     "an event log of Pulumi; give the output of `pulumi preview --json` without streaming"},
    {"\"urn:pulumi:", "\"deployment\"", 0,
     "a state of Pulumi; give the output of `pulumi preview --json`"},
    {"\"urn:pulumi:", "\"steps\"", 100, NULL},
    {"\"steps\"", "\"urn\"", 60, NULL},
    {"\"config\"", "\"steps\"", 40, NULL},
};

static int recognise(const char *bytes, size_t length, const char **out_why_not)
{
    *out_why_not = NULL;
    for (size_t i = 0; i < sizeof looks / sizeof looks[0]; i++) {
        const struct looks_row *row = &looks[i];

        if (memmem(bytes, length, row->first, strlen(row->first)) == NULL ||
            (row->second != NULL &&
             memmem(bytes, length, row->second, strlen(row->second)) == NULL))
            continue;
        *out_why_not = row->why_not;
        return row->score;
    }
    return 0;
}

/* ---- members of the document ---- */

/* Places only: the rest of the configuration may be secret. */
static bool is_place(const void *cookie, const struct gl_jtree *tree, const struct gl_jnode *member)
{
    const char *colon = strrchr(gl_jnode_key(tree, member), ':');

    (void)cookie;
    return colon != NULL && strlen(colon) < GL_PULUMI_NAME;
}

static int read_config(struct gl_pulumi *pulumi, struct gl_jsonpull *pull, struct gl_error *err)
{
    if (gl_jsonpull_take(pull, &pulumi->scratch, err) != 0)
        return -1;
    pulumi->config = gl_reader_prune(&pulumi->work, &pulumi->scratch,
                                     gl_jtree_root(&pulumi->scratch), is_place, NULL);
    return 0;
}

static int read_corrupt(struct gl_pulumi *pulumi, struct gl_jsonpull *pull, struct gl_error *err)
{
    bool is_corrupt = false;

    if (gl_reader_flag(pull, &is_corrupt, err) != 0)
        return -1;
    if (is_corrupt)
        return gl_fail(err, GL_E_DOCUMENT, "%s: Pulumi says that it may be corrupt; preview again",
                       pulumi->document);
    return 0;
}

static int each_diagnostic(void *cookie, struct gl_view key, struct gl_jsonpull *pull,
                           struct gl_error *err)
{
    struct gl_pulumi *pulumi = cookie;
    const char *severity;

    (void)key;
    if (gl_jsonpull_take(pull, &pulumi->scratch, err) != 0)
        return -1;
    severity =
        gl_jnode_text(&pulumi->scratch,
                      gl_jnode_get(&pulumi->scratch, gl_jtree_root(&pulumi->scratch), "severity"));
    if (severity != NULL && strcmp(severity, "error") == 0)
        return gl_fail(err, GL_E_DOCUMENT,
                       "%s: the preview failed (a diagnostic is an error), so what is in it is not "
                       "all; preview again",
                       pulumi->document);
    return 0;
}

static int each_member(void *cookie, struct gl_view key, struct gl_jsonpull *pull,
                       struct gl_error *err)
{
    struct gl_pulumi *pulumi = cookie;

    if (gl_reader_is_key(key, "steps")) {
        pulumi->has_steps = true;
        return gl_reader_each_item(pull, gl_pulumi_read_step, pulumi, err);
    }
    if (gl_reader_is_key(key, "config"))
        return read_config(pulumi, pull, err);
    if (gl_reader_is_key(key, "diagnostics"))
        return gl_reader_each_item(pull, each_diagnostic, pulumi, err);
    if (gl_reader_is_key(key, "maybeCorrupt"))
        return read_corrupt(pulumi, pull, err);
    return gl_jsonpull_skip(pull, err);
}

/* ---- documents ---- */

static int read_document(struct gl_pulumi *pulumi, struct gl_jsonpull *pull, struct gl_error *err)
{
    enum gl_jkind kind;

    if (gl_jsonpull_peek(pull, &kind, err) != 0)
        return -1;
    if (kind != GL_JOBJECT)
        return gl_fail(err, GL_E_USAGE, "%s: not a JSON object", pulumi->document);
    if (gl_reader_each_member(pull, each_member, pulumi, err) != 0)
        return -1;
    if (!pulumi->has_steps)
        return gl_fail(err, GL_E_USAGE,
                       "%s: no steps, so this is no preview as `pulumi preview --json` prints it",
                       pulumi->document);
    gl_pulumi_intents(pulumi);
    return 0;
}

static int read_documents(struct gl_jsonpull *pull, const struct gl_hook_options *options,
                          struct gl_hook_plan *plan, struct gl_error *err)
{
    bool has_more = true;

    for (unsigned number = 1; has_more; number++) {
        struct gl_pulumi pulumi = {.options = options, .plan = plan, .document = plan->file};
        int status;

        if (number > 1)
            pulumi.document = gl_reader_say(&plan->arena, "%s (document %u)", plan->file, number);
        status = read_document(&pulumi, pull, err);
        gl_jtree_done(&pulumi.scratch);
        gl_reader_index_done(&pulumi.by_urn);
        gl_reader_index_done(&pulumi.by_value);
        gl_reader_index_done(&pulumi.types);
        gl_arena_done(&pulumi.work);
        if (status != 0 || gl_jsonpull_more(pull, &has_more, err) != 0)
            return -1;
    }
    return 0;
}

static int read(struct gl_feed *feed, const struct gl_hook_options *options,
                struct gl_hook_plan *out, struct gl_error *err)
{
    struct gl_jsonpull *pull = gl_jsonpull_new(feed);
    size_t dropped = 0;
    int status = -1;

    out->file = gl_arena_text(&out->arena, gl_feed_name(feed), strlen(gl_feed_name(feed)));
    out->reader = "pulumi";
    out->version = "";
    if (gl_jsonpull_find(pull, NOISE_MAX, &dropped, err) == 0)
        status = read_documents(pull, options, out, err);
    gl_jsonpull_free(pull);
    if (status != 0)
        return -1;
    gl_feed_digest(feed, out->digest.bytes);
    out->skipped = out->resources > out->count ? out->resources - out->count : 0;
    return 0;
}

const struct gl_hook_reader gl_reader_pulumi = {
    .name = "pulumi",
    .alias = NULL,
    .what = "preview of Pulumi (pulumi preview --json)",
    .where = "--region 'GLOB=REGION' says it, --env-regions takes what is not written from "
             "AWS_REGION and its like",
    .shown = "what Pulumi hides is not read; pulumi.unsecret(...) shows it",
    .recognise = recognise,
    .read = read,
};
