/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "broker/cli/provider.h"
#include "providers/cloud/rights.h"

static bool has_setting(void *cookie, const char *name)
{
    const char *value = gl_config_setting(cookie, name);

    return value != NULL && value[0] != '\0';
}

/* The value of a setting, or of the variable that stands in for it. */
static const char *account_of(const struct gl_context *context,
                              const struct gl_config_section *cloud)
{
    const char *set = gl_config_setting(cloud, "subscription");
    const char *value = context->world.getenv(context->world.cookie, "AZURE_SUBSCRIPTION_ID");

    if (set != NULL)
        return set;
    return value != NULL && value[0] != '\0' ? value : NULL;
}

/* AWS in China and for the government have names of their own for everything. */
static const char *partition_of(const struct gl_config_section *cloud)
{
    const char *region = gl_config_setting(cloud, "region");

    if (region != NULL && strncmp(region, "cn-", 3) == 0)
        return "aws-cn";
    if (region != NULL && strncmp(region, "us-gov-", 7) == 0)
        return "aws-us-gov";
    return "aws";
}

static json_t *rows_json(const struct gl_rights *rights, const struct gl_rights_wanted *wanted)
{
    json_t *list = json_array();

    for (const struct gl_right *row = rights->rows; row->name != NULL; row++)
        if (gl_rights_has(row, wanted))
            json_array_append_new(
                list, json_pack("{s:s,s:s?,s:s}", "right", row->name, "call", row->call, "for",
                                row->part == GL_RIGHT_LOOK ? "describe" : "launch"));
    return list;
}

int gl_provider_rights(struct gl_context *context, const struct gl_provider_call *call,
                       struct gl_error *err)
{
    const struct gl_rights *rights = gl_rights_find(call->ops->name);
    const struct gl_config_section *cloud = gl_config_cloud(&context->config, call->ops->name);
    struct gl_rights_wanted wanted = {.partition = partition_of(cloud),
                                      .account = account_of(context, cloud),
                                      .has_setting = has_setting,
                                      .cookie = (void *)(uintptr_t)cloud};

    if (rights == NULL)
        return gl_fail(err, GL_E_INTERNAL, "no rights are written down for %s", call->ops->name);
    if (call->values->wants_describe || !call->values->wants_launch)
        wanted.parts |= GL_RIGHT_LOOK;
    if (call->values->wants_launch || !call->values->wants_describe)
        wanted.parts |= GL_RIGHT_LAUNCH;
    rights->write(rights, &wanted, &context->reply.text);
    gl_say(context, "%s: %s. %s.", call->ops->title, rights->what, rights->use);
    context->reply.data =
        json_pack("{s:s,s:s,s:s,s:s,s:s,s:o}", "cloud", call->ops->name, "form", rights->form,
                  "what", rights->what, "use", rights->use, "document",
                  gl_str_text(&context->reply.text), "rights", rows_json(rights, &wanted));
    return GL_EXIT_OK;
}
