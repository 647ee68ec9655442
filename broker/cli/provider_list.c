/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "broker/cli/act.h"
#include "broker/cli/provider.h"
#include "broker/render/text.h"
#include "providers/cloud/whereabouts.h"

static const struct {
    uint32_t cap;
    const char *words;
} abilities[] = {
    {GL_CLOUD_RUNS_COMMANDS, "runs commands and their output"},
    {GL_CLOUD_SUSPENDS, "suspends and resumes"},
    {GL_CLOUD_MOVES, "moves running instances"},
    {GL_CLOUD_HALTS, "powers off and on again"},
    {GL_CLOUD_IMAGES, "moves by images"},
    {GL_CLOUD_CHECKS, "checks before a launch"},
    {GL_CLOUD_DEADLINE, "ends the lease by itself"},
    {GL_CLOUD_CONSOLE, "shows the console"},
    {GL_CLOUD_SPOT, "has spot prices"},
    {GL_CLOUD_IDENTITY, "signs where an instance runs"},
    {GL_CLOUD_FREE, "costs nothing"},
};

/* A line "  label: text". */
static void add_field(struct gl_context *context, const char *label, const char *text)
{
    GL_AUTO(gl_str_done) struct gl_str line = {0};

    gl_str_addf(&line, "%s: ", label);
    gl_str_add_printable(&line, text, strlen(text));
    gl_render_wrap(gl_str_text(&line), 4, context->columns, &context->reply.text);
}

static void name_ability(const struct gl_cloud_ops *ops, size_t row, struct gl_str *out)
{
    gl_str_add(out, abilities[row].words);
    if (abilities[row].cap == GL_CLOUD_IDENTITY && ops->identity_setting != NULL)
        gl_str_addf(out, " (with the setting %s)", ops->identity_setting);
}

static json_t *add_abilities(struct gl_context *context, const struct gl_cloud_ops *ops)
{
    GL_AUTO(gl_str_done) struct gl_str words = {0};
    json_t *list = json_array();

    for (size_t i = 0; i < sizeof abilities / sizeof *abilities; i++) {
        GL_AUTO(gl_str_done) struct gl_str one = {0};

        if ((ops->caps & abilities[i].cap) == 0)
            continue;
        name_ability(ops, i, &one);
        gl_str_addf(&words, "%s%s", words.length > 0 ? ", " : "", gl_str_text(&one));
        json_array_append_new(list, json_string(gl_str_text(&one)));
    }
    add_field(context, "can", gl_str_text(&words));
    return list;
}

static void add_account(struct gl_context *context, const struct gl_act_account *account,
                        json_t *row)
{
    GL_AUTO(gl_str_done) struct gl_str text = {0};

    if (context->globals.is_offline) {
        add_field(context, "account", "not asked (--offline)");
    } else if (account->is_known) {
        add_field(context, "account", account->who);
        json_object_set_new(row, "account", json_string(account->who));
    } else {
        gl_str_addf(&text, "not known: %s", account->why.text);
        add_field(context, "account", gl_str_text(&text));
        json_object_set_new(row, "error", json_string(account->why.text));
    }
}

static json_t *add_settings(struct gl_context *context, const struct gl_config_section *cloud)
{
    GL_AUTO(gl_str_done) struct gl_str text = {0};
    json_t *settings = json_object();

    for (size_t i = 0; i < cloud->setting_count; i++) {
        gl_str_addf(&text, "%s%s=%s", i > 0 ? " " : "", cloud->settings[i].name,
                    cloud->settings[i].value);
        json_object_set_new(settings, cloud->settings[i].name,
                            json_string(cloud->settings[i].value));
    }
    if (text.length > 0)
        add_field(context, "settings", gl_str_text(&text));
    return settings;
}

void gl_provider_found(const struct gl_context *context, const char *cloud, struct gl_str *out)
{
    static const char *const named[] = {"credentials", "kubeconfig"};
    const struct gl_config_section *added = gl_config_cloud(&context->config, cloud);

    for (size_t i = 0; i < sizeof named / sizeof *named; i++)
        if (gl_config_setting(added, named[i]) != NULL) {
            gl_str_add(out, gl_config_setting(added, named[i]));
            return;
        }
    gl_whereabouts_found(cloud, &context->world, out);
}

static void add_credentials(struct gl_context *context, const char *name, json_t *row)
{
    GL_AUTO(gl_str_done) struct gl_str found = {0};
    GL_AUTO(gl_str_done) struct gl_str text = {0};

    gl_provider_found(context, name, &found);
    json_object_set_new(row, "credentials",
                        found.length > 0 ? json_string(gl_str_text(&found)) : json_null());
    if (found.length == 0) {
        gl_str_add(&text, "none found; looked for: ");
        gl_whereabouts_all(name, &text);
    }
    add_field(context, "credentials", found.length > 0 ? gl_str_text(&found) : gl_str_text(&text));
}

static json_t *add_cloud(struct gl_context *context, const struct gl_cloud_ops *ops,
                         const struct gl_act_account *accounts)
{
    const struct gl_config_section *added = gl_config_cloud(&context->config, ops->name);
    bool is_remote = (ops->caps & GL_CLOUD_REMOTE) != 0;
    json_t *row = json_pack("{s:s,s:s,s:b,s:b}", "cloud", ops->name, "title", ops->title,
                            "built_in", !is_remote, "added", added != NULL);
    GL_AUTO(gl_str_done) struct gl_str head = {0};

    gl_str_addf(&head, "%s: %s, %s", ops->name, ops->title,
                !is_remote      ? "built in"
                : added != NULL ? "added"
                                : "not added");
    gl_render_wrap(gl_str_text(&head), 0, context->columns, &context->reply.text);
    if (added != NULL) {
        add_account(context, &accounts[added - context->config.clouds.items], row);
        json_object_set_new(row, "settings", add_settings(context, added));
    }
    if (is_remote)
        add_credentials(context, ops->name, row);
    json_object_set_new(row, "can", add_abilities(context, ops));
    return row;
}

/* What to type next: the first cloud that has credentials and was not added. */
static void add_steps(struct gl_context *context)
{
    size_t count;
    const struct gl_cloud_driver *drivers = gl_cloud_drivers(&count);

    gl_str_add(&context->reply.text, "\nNext:\n");
    if (context->config.clouds.count > 0)
        gl_setup_step(context, "does it work?", (const char *const[]){"provider", "check", NULL});
    for (size_t i = 0; i < count; i++) {
        const char *name = drivers[i].ops->name;
        GL_AUTO(gl_str_done) struct gl_str found = {0};

        gl_whereabouts_found(name, &context->world, &found);
        if (found.length == 0 || gl_config_cloud(&context->config, name) != NULL)
            continue;
        gl_setup_step(context, "add a cloud", (const char *const[]){"provider", "add", name, NULL});
        return;
    }
    if (context->config.clouds.count == 0)
        gl_setup_step(context, "how to add a cloud",
                      (const char *const[]){"help", "provider", NULL});
}

int gl_provider_list(struct gl_context *context, const struct gl_provider_call *call,
                     struct gl_error *err)
{
    size_t count;
    const struct gl_cloud_driver *drivers = gl_cloud_drivers(&count);
    struct gl_act_account accounts[GL_CONFIG_CLOUDS_MAX];
    json_t *list = json_array();

    (void)call;
    context->reply.data = json_pack("{s:o}", "clouds", list);
    /* Only what was added is asked: nobody else has said that it may be. */
    if (!context->globals.is_offline)
        gl_act_accounts(context, false, accounts);
    for (size_t i = 0; i < count; i++)
        json_array_append_new(list, add_cloud(context, drivers[i].ops, accounts));
    add_steps(context);
    return gl_act_asked(GL_EXIT_OK, err);
}
