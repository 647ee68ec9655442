/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/file.h"
#include "broker/cli/act.h"
#include "broker/cli/provider.h"

#define KEYS_MAX 32

/* ---- settings ---- */

static int fail_key(const struct gl_cloud_ops *ops, const char *key, struct gl_error *err)
{
    const char *names[KEYS_MAX];
    size_t count = 0;
    char what[64];

    for (const struct gl_setting_key *row = ops->keys; row != NULL && row->name != NULL; row++)
        if (count < KEYS_MAX)
            names[count++] = row->name;
    snprintf(what, sizeof what, "setting of %.40s", ops->name);
    return gl_setup_fail_name(what, key, names, count, err);
}

static int set_one(struct gl_config_section *cloud, const struct gl_cloud_ops *ops,
                   const char *word, struct gl_error *err)
{
    struct gl_setup_pair pair;
    const struct gl_setting_key *key;

    if (gl_setup_pair_of(word, &pair, err) != 0)
        return -1;
    key = gl_setting_key(ops->keys, pair.key);
    if (key == NULL)
        return fail_key(ops, pair.key, err);
    return gl_config_set(cloud, key->name, pair.value, err);
}

/* ---- add ---- */

/* With the settings as they would be written: the person sees whose account it is before leave is
 * asked. Trouble hinders nothing: credentials may come later. */
static void look(struct gl_context *context, const struct gl_cloud_ops *ops)
{
    struct gl_error why = {0};
    struct gl_cloud *cloud;
    const char *const *regions;
    char who[128] = "";
    size_t count = 0;

    if (context->globals.is_offline)
        return;
    gl_context_online(context);
    gl_progress(context, "asking %s", ops->name);
    cloud = gl_act_open_cloud(context, ops->name, NULL, &why);
    if (cloud == NULL || ops->whoami(cloud, who, &why) != 0) {
        gl_progress_end(context);
        gl_warn(context, "credentials", "%s does not know you yet: %s", ops->name, why.text);
        gl_cloud_close(cloud);
        return;
    }
    if (ops->regions(cloud, &regions, &why) == 0)
        while (regions[count] != NULL)
            count++;
    gl_progress_end(context);
    gl_say(context, "%s: %s, %zu region%s", ops->name, who, count, count == 1 ? "" : "s");
    context->reply.data = json_pack("{s:s,s:I}", "account", who, "regions", (json_int_t)count);
    gl_cloud_close(cloud);
}

static int write_cloud(struct gl_context *context, const char *name, struct gl_error *err)
{
    GL_AUTO(gl_auto_free) char *path = NULL;
    GL_AUTO(gl_auto_free) char *text = NULL;
    struct gl_config_edit edit = {0};
    int status;

    if (gl_setup_file(context, &path, &text, err) != 0 ||
        gl_config_edit_cloud(text, path, &context->world, &context->config, name, &edit, err) != 0)
        return -1;
    status = gl_setup_write(context, path, &edit, err);
    gl_config_edit_done(&edit);
    return status;
}

int gl_provider_add(struct gl_context *context, const struct gl_provider_call *call,
                    struct gl_error *err)
{
    const char *name = call->ops->name;
    struct gl_config_section *cloud = gl_config_cloud_add(&context->config, name, err);
    int status;

    if (cloud == NULL)
        return -1;
    for (size_t i = 0; i < call->word_count; i++)
        if (set_one(cloud, call->ops, call->words[i], err) != 0)
            return -1;
    look(context, call->ops);
    status = write_cloud(context, name, err);
    if (status != GL_EXIT_OK)
        return status;
    gl_str_add(&context->reply.text, "\nNext:\n");
    gl_setup_step(context, "does it work?", (const char *const[]){"provider", "check", name, NULL});
    gl_setup_step(context, "the least rights that its account needs",
                  (const char *const[]){"provider", name, "iam-policy", NULL});
    gl_setup_step(context, "its regions, types and prices",
                  (const char *const[]){"offers", "--cloud", name, "--refresh", NULL});
    return status;
}

/* ---- remove ---- */

/* A ledger is opened only if there is one. */
static int find_running(struct gl_context *context, const char *cloud, struct gl_str *out,
                        size_t *out_count, struct gl_error *err)
{
    const char *state = gl_context_state(context, err);
    GL_AUTO(gl_auto_free) char *path = state != NULL ? gl_path_join(state, "ledger.db") : NULL;
    struct gl_launch_rows rows;
    struct gl_ledger *ledger;

    *out_count = 0;
    if (path == NULL)
        return -1;
    if (!gl_file_exists(path))
        return 0;
    ledger = gl_context_ledger_to_look(context, err);
    if (ledger == NULL || gl_ledger_launches(ledger, NULL, &rows, err) != 0)
        return -1;
    for (size_t i = 0; i < rows.count; i++) {
        const struct gl_launch_row *row = &rows.rows[i];

        if (gl_launch_row_is_over(row) || strcmp(row->cloud, cloud) != 0)
            continue;
        gl_str_addf(out, "%s%s", *out_count > 0 ? ", " : "", row->launch);
        ++*out_count;
    }
    gl_launch_rows_free(&rows);
    return 0;
}

int gl_provider_remove(struct gl_context *context, const struct gl_provider_call *call,
                       struct gl_error *err)
{
    const char *name = call->ops->name;
    GL_AUTO(gl_str_done) struct gl_str running = {0};
    size_t count = 0;

    if (gl_config_cloud(&context->config, name) == NULL)
        return gl_fail(err, GL_E_USAGE, "%s was not added", name);
    if (!call->values->is_forced && find_running(context, name, &running, &count, err) != 0)
        return -1;
    if (count > 0)
        return gl_fail(err, GL_E_USAGE,
                       "%zu launch%s of %s run%s (%s): stop %s first, or --force leaves %s running "
                       "without being looked after",
                       count, count == 1 ? "" : "es", name, count == 1 ? "s" : "",
                       gl_str_text(&running), count == 1 ? "it" : "them",
                       count == 1 ? "it" : "them");
    gl_config_cloud_drop(&context->config, name);
    return write_cloud(context, name, err);
}
