/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/hook/terraform_part.h"

#include <stdlib.h>
#include <string.h>

/* Plans of Terraform 0.12 to 1.14 and OpenTofu as `show -json` prints them, formats 0.1 to 1.x. A
 * higher minor version only adds members; a higher major one is refused. */

#define NOISE_MAX ((size_t)256 << 10) /* of talk before or behind a document */

/* Behind it: the wrapper of setup-terraform begins its lines with "::", and some of them hold the
 * plan again. Any other line that holds a plan hides it behind a prefix: that is not judged, so it
 * is not passed over. */
static const struct gl_jsonpull_talk talk = {
    .mark = "::", .never = "\"format_version\"", .max_bytes = NOISE_MAX};

/* ---- what it is, from the first bytes ---- */

struct looks_row {
    const char *mark;
    int score;
    const char *why_not; /* NULL: it is one */
};

/* In order: the first mark that is there decides. */
static const struct looks_row looks[] = {
    {"\"@level\"", 0,
     "the log of `terraform plan -json`; write a plan file with -out=FILE and give the output of "
     "`terraform show -json FILE`"},
    {"\"resource_changes\"", 100, NULL},
    {"\"planned_values\"", 100, NULL},
    /* With its members in order of their names a long configuration comes before these. */
    {"\"applyable\"", 90, NULL},
    {"\"provider_config_key\"", 90, NULL},
    {"\"provider_config\"", 90, NULL},
    {"\"format_version\"", 80, NULL},
    {"\"terraform_version\"", 60, NULL},
};

static int recognise(const char *bytes, size_t length, const char **out_why_not)
{
    *out_why_not = NULL;
    if (length >= 4 && memcmp(bytes, "PK\x03\x04", 4) == 0) {
        *out_why_not = "a binary plan; give the output of `terraform show -json` of it";
        return 0;
    }
    for (size_t i = 0; i < sizeof looks / sizeof looks[0]; i++)
        if (memmem(bytes, length, looks[i].mark, strlen(looks[i].mark)) != NULL) {
            *out_why_not = looks[i].why_not;
            return looks[i].score;
        }
    return 0;
}

/* ---- members of the document ---- */

static int read_format(struct gl_tf *tf, struct gl_jsonpull *pull, void *cookie,
                       struct gl_error *err)
{
    const char **out = cookie;
    const char *version = NULL;
    char shown[GL_TEXT_SHOWN];

    if (gl_tf_text(tf, pull, &version, err) != 0)
        return -1;
    if (version == NULL || (strncmp(version, "0.", 2) != 0 && strncmp(version, "1.", 2) != 0) ||
        strspn(version, "0123456789.") != strlen(version))
        return gl_fail(err, GL_E_DOCUMENT,
                       "%s: plan format %s is not known; formats 0.1 to 1.x are", tf->document,
                       gl_text_show(version != NULL ? version : "without a version", shown));
    tf->has_format = true;
    *out = version;
    return 0;
}

static int read_version(struct gl_tf *tf, struct gl_jsonpull *pull, void *cookie,
                        struct gl_error *err)
{
    (void)cookie;
    return gl_tf_text(tf, pull, &tf->terraform_version, err);
}

static int read_variable_value(struct gl_tf *tf, struct gl_jsonpull *pull, void *cookie,
                               struct gl_error *err)
{
    (void)cookie;
    if (gl_jsonpull_take(pull, &tf->scratch, err) != 0)
        return -1;
    tf->variables =
        gl_reader_prune(&tf->work, &tf->scratch, gl_jtree_root(&tf->scratch), NULL, NULL);
    return 0;
}

static int read_changes(struct gl_tf *tf, struct gl_jsonpull *pull, void *cookie,
                        struct gl_error *err)
{
    enum gl_jkind kind;

    if (gl_jsonpull_peek(pull, &kind, err) != 0)
        return -1;
    if (kind != GL_JARRAY && kind != GL_JNULL)
        return gl_fail(err, GL_E_DOCUMENT, "%s: resource_changes is no list", tf->document);
    tf->has_changes = true;
    return gl_tf_items(tf, pull, gl_tf_read_change, cookie, err);
}

static int read_deferred(struct gl_tf *tf, struct gl_jsonpull *pull, void *cookie,
                         struct gl_error *err)
{
    return gl_tf_items(tf, pull, gl_tf_read_deferred, cookie, err);
}

static int read_errored(struct gl_tf *tf, struct gl_jsonpull *pull, void *cookie,
                        struct gl_error *err)
{
    bool is_errored = false;

    (void)cookie;
    if (gl_reader_flag(pull, &is_errored, err) != 0)
        return -1;
    if (is_errored)
        return gl_fail(err, GL_E_DOCUMENT,
                       "%s: planning failed (errored is true), so what is in it is not all; plan "
                       "again",
                       tf->document);
    return 0;
}

static int read_complete(struct gl_tf *tf, struct gl_jsonpull *pull, void *cookie,
                         struct gl_error *err)
{
    bool is_complete = true;

    (void)cookie;
    if (gl_reader_flag(pull, &is_complete, err) != 0)
        return -1;
    tf->plan->is_partial = tf->plan->is_partial || !is_complete;
    return 0;
}

/* Resources that come of it, whose changes must be listed too. */
static int read_planned_one(struct gl_tf *tf, struct gl_jsonpull *pull, void *cookie,
                            struct gl_error *err)
{
    (void)cookie;
    tf->has_planned = true;
    return gl_jsonpull_skip(pull, err);
}

static int read_planned_list(struct gl_tf *tf, struct gl_jsonpull *pull, void *cookie,
                             struct gl_error *err)
{
    return gl_tf_items(tf, pull, read_planned_one, cookie, err);
}

static int read_planned(struct gl_tf *tf, struct gl_jsonpull *pull, void *cookie,
                        struct gl_error *err)
{
    static const struct gl_tf_member members[] = {{"root_module", read_planned},
                                                  {"resources", read_planned_list},
                                                  {"child_modules", read_planned_list},
                                                  {0}};

    return gl_tf_members(tf, pull, members, cookie, err);
}

static int read_wrapped(struct gl_tf *tf, struct gl_jsonpull *pull, void *cookie,
                        struct gl_error *err);

static const struct gl_tf_member plan_members[] = {
    {"format_version", read_format},
    {"plan_format_version", read_format}, /* of the redacted plan of HCP Terraform's API */
    {"terraform_version", read_version},
    {"variables", read_variable_value},
    {"planned_values", read_planned},
    {"resource_changes", read_changes},
    {"deferred_changes", read_deferred},
    {"prior_state", gl_tf_read_prior},
    {"configuration", gl_tf_read_configuration},
    {"errored", read_errored},
    {"complete", read_complete},
    {"input", read_wrapped}, /* as policy tools are given it */
    {"plan", read_wrapped},
    {"tfplan", read_wrapped},
    {0},
};

static int read_wrapped(struct gl_tf *tf, struct gl_jsonpull *pull, void *cookie,
                        struct gl_error *err)
{
    if (tf->has_format)
        return gl_jsonpull_skip(pull, err);
    return gl_tf_members(tf, pull, plan_members, cookie, err);
}

/* ---- a document, and the next ---- */

/* Below 1.1 the key of a module's provider names the user, not the owner. */
static bool has_old_keys(const char *version)
{
    unsigned major = 0, minor = 0;

    if (version == NULL || sscanf(version, "%u.%u", &major, &minor) != 2)
        return true;
    return major == 0 || (major == 1 && minor == 0);
}

static void note_version(struct gl_tf *tf, const char *format)
{
    GL_AUTO(gl_str_done) struct gl_str text = {0};

    if (tf->terraform_version != NULL)
        gl_str_addf(&text, "Terraform %s, ", tf->terraform_version);
    gl_str_addf(&text, "format %s", format);
    tf->plan->version = gl_arena_text(&tf->plan->arena, gl_str_text(&text), text.length);
}

static int check_document(const struct gl_tf *tf, struct gl_error *err)
{
    if (!tf->has_format)
        return gl_fail(err, GL_E_DOCUMENT,
                       "%s: no format_version, so this is no plan as `terraform show -json` "
                       "prints it",
                       tf->document);
    if (!tf->has_changes && (!tf->has_configuration || tf->has_planned))
        return gl_fail(err, GL_E_DOCUMENT,
                       "%s: no resource_changes: a state, or a plan cut short; give the output of "
                       "`terraform show -json PLANFILE`",
                       tf->document);
    return 0;
}

static int read_document(struct gl_tf *tf, struct gl_jsonpull *pull, struct gl_error *err)
{
    const char *format = "";
    enum gl_jkind kind;

    if (gl_jsonpull_peek(pull, &kind, err) != 0)
        return -1;
    if (kind != GL_JOBJECT)
        return gl_fail(err, GL_E_DOCUMENT, "%s: not a JSON object", tf->document);
    if (gl_tf_members(tf, pull, plan_members, &format, err) != 0 || check_document(tf, err) != 0)
        return -1;
    tf->is_old_keys = has_old_keys(tf->terraform_version);
    note_version(tf, format);
    gl_tf_intents(tf);
    return 0;
}

/* A fresh reader for document `number` of the same plan. */
static struct gl_tf begin(const struct gl_hook_options *options, struct gl_hook_plan *plan,
                          const char *name, unsigned number)
{
    struct gl_tf tf = {.options = options, .plan = plan};
    GL_AUTO(gl_str_done) struct gl_str text = {0};

    gl_str_add(&text, name);
    if (number > 1)
        gl_str_addf(&text, " (document %u)", number);
    tf.document = gl_arena_text(&plan->arena, gl_str_text(&text), text.length);
    return tf;
}

static void end(struct gl_tf *tf)
{
    gl_jtree_done(&tf->scratch);
    gl_jtree_done(&tf->marks);
    gl_reader_trees_done(&tf->trees);
    gl_reader_pieces_done(&tf->said);
    free(tf->resources);
    free(tf->blocks);
    free(tf->outputs);
    free(tf->providers);
    gl_reader_index_done(&tf->by_block);
    gl_reader_index_done(&tf->by_value);
    gl_reader_index_done(&tf->blocks_named);
    gl_reader_index_done(&tf->modules_named);
    gl_reader_index_done(&tf->outputs_named);
    gl_reader_index_done(&tf->types);
    gl_reader_index_done(&tf->names);
    gl_arena_done(&tf->work);
}

static int read_documents(struct gl_jsonpull *pull, const char *name,
                          const struct gl_hook_options *options, struct gl_hook_plan *plan,
                          struct gl_error *err)
{
    bool has_more = true;

    for (unsigned number = 1; has_more; number++) {
        struct gl_tf tf = begin(options, plan, name, number);
        int status = read_document(&tf, pull, err);

        end(&tf);
        if (status != 0 || gl_jsonpull_drop_talk(pull, &talk, err) != 0 ||
            gl_jsonpull_more(pull, &has_more, err) != 0)
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
    out->reader = "terraform";
    out->version = "";
    if (gl_jsonpull_find(pull, NOISE_MAX, &dropped, err) == 0)
        status = read_documents(pull, out->file, options, out, err);
    gl_jsonpull_free(pull);
    if (status != 0)
        return -1;
    gl_feed_digest(feed, out->digest.bytes);
    out->skipped = out->resources > out->count ? out->resources - out->count : 0;
    return 0;
}

const struct gl_hook_reader gl_reader_terraform = {
    .name = "terraform",
    .alias = "tofu",
    .what = "plan of Terraform or OpenTofu, as `show -json` prints it",
    .where = "--region 'GLOB=REGION' says it, --env-regions takes what is not written from "
             "AWS_REGION and its like",
    .shown = "what Terraform hides is not read; nonsensitive(...) shows it",
    .recognise = recognise,
    .read = read,
};
