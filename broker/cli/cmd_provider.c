/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "broker/cli/provider.h"

#define CLOUDS_MAX 32

static const struct gl_option options[] = {
    {"describe", 0, GL_OPT_FLAG, offsetof(struct gl_provider_values, wants_describe), NULL,
     "iam-policy: only what looking needs", NULL, NULL, NULL, 0, 0, 0, NULL},
    {"launch", 0, GL_OPT_FLAG, offsetof(struct gl_provider_values, wants_launch), NULL,
     "iam-policy: only what launching needs besides", NULL, NULL, NULL, 0, 0, 0, NULL},
    {"force", 'f', GL_OPT_FLAG, offsetof(struct gl_provider_values, is_forced), NULL,
     "remove: although launches of it run", NULL, NULL, NULL, 0, 0, 0, NULL},
    {0},
};

/* What may be asked, and whether a cloud has to be, or may be, named. */
static const struct action {
    const char *name;
    enum { NO_CLOUD, MAY_NAME, MUST_NAME } naming;
    bool takes_words;
    int (*run)(struct gl_context *context, const struct gl_provider_call *call,
               struct gl_error *err);
} actions[] = {
    {"list", NO_CLOUD, false, gl_provider_list},
    {"add", MUST_NAME, true, gl_provider_add},
    {"check", MAY_NAME, false, gl_provider_check},
    {"remove", MUST_NAME, false, gl_provider_remove},
    {"iam-policy", MUST_NAME, false, gl_provider_rights},
};
#define ACTIONS (sizeof actions / sizeof *actions)

static const struct action *find_action(const char *word)
{
    for (size_t i = 0; i < ACTIONS; i++)
        if (strcmp(actions[i].name, word) == 0)
            return &actions[i];
    return NULL;
}

static const struct gl_cloud_ops *find_cloud(const char *name, struct gl_error *err)
{
    const char *names[CLOUDS_MAX];
    size_t count, used = 0;
    const struct gl_cloud_driver *drivers = gl_cloud_drivers(&count);

    for (size_t i = 0; i < count && used < CLOUDS_MAX; i++) {
        if ((drivers[i].ops->caps & GL_CLOUD_REMOTE) == 0)
            continue;
        if (strcmp(drivers[i].ops->name, name) == 0)
            return drivers[i].ops;
        names[used++] = drivers[i].ops->name;
    }
    if (strcmp(name, "local") == 0)
        gl_fail(err, GL_E_USAGE,
                "local is this machine: it needs no account and is looked at by greenlaunch "
                "doctor");
    else
        gl_setup_fail_name("cloud", name, names, used, err);
    return NULL;
}

static int fail_action(const char *word, struct gl_error *err)
{
    const char *names[ACTIONS], *nearest;
    char shown[GL_TEXT_SHOWN];

    for (size_t i = 0; i < ACTIONS; i++)
        names[i] = actions[i].name;
    nearest = gl_text_nearest(word, names, ACTIONS);
    return gl_fail(
        err, GL_E_USAGE,
        "provider can list, add, check, remove and print an iam-policy, not \"%s\"%s%s%s",
        gl_text_show(word, shown), nearest != NULL ? "; did you mean " : "",
        nearest != NULL ? nearest : "", nearest != NULL ? "?" : "");
}

/* "aws iam-policy" is "iam-policy aws". */
static const struct action *read_words(const struct gl_operands *operands, const char **out_cloud)
{
    const struct action *action = find_action(operands->words[0]);

    *out_cloud = operands->count > 1 ? operands->words[1] : NULL;
    if (action == NULL && operands->count > 1 && (action = find_action(operands->words[1])) != NULL)
        *out_cloud = operands->words[0];
    return action;
}

static int check_words(const struct action *action, const struct gl_call *call, const char *cloud,
                       struct gl_error *err)
{
    const struct gl_provider_values *values = call->values;
    size_t most = action->naming == NO_CLOUD ? 1 : action->takes_words ? 64 : 2;

    if (action->naming == MUST_NAME && cloud == NULL)
        return gl_fail(err, GL_E_USAGE,
                       "provider %s: which cloud? All of them: greenlaunch provider list",
                       action->name);
    if ((values->wants_describe || values->wants_launch) && action->run != gl_provider_rights)
        return gl_fail(err, GL_E_USAGE, "--describe and --launch are for iam-policy");
    if (values->is_forced && action->run != gl_provider_remove)
        return gl_fail(err, GL_E_USAGE, "--force is for remove");
    return gl_help_operands(&gl_command_provider, call, 1, most, err);
}

static int run(struct gl_context *context, const struct gl_call *call, struct gl_error *err)
{
    const struct gl_operands *operands = call->operands;
    struct gl_provider_call asked = {.values = call->values};
    const struct action *action;
    const char *cloud;

    if (operands->count == 0)
        return gl_help_operands(&gl_command_provider, call, 1, 64, err);
    action = read_words(operands, &cloud);
    if (action == NULL)
        return fail_action(operands->words[0], err);
    if (check_words(action, call, cloud, err) != 0)
        return -1;
    if (cloud != NULL && (asked.ops = find_cloud(cloud, err)) == NULL)
        return -1;
    if (operands->count > 2) {
        asked.words = operands->words + 2;
        asked.word_count = operands->count - 2;
    }
    return action->run(context, &asked, err);
}

const struct gl_command gl_command_provider = {
    .name = "provider",
    .group = "Set up",
    .summary = "add, check and remove rented clouds; the rights they need",
    .operands = "list|add|check|remove|iam-policy [CLOUD] [KEY=VALUE...]",
    .description =
        "list shows every cloud that can be launched on: whether it was added, the account, where "
        "credentials were found, what it can do. add writes a cloud and its settings into the "
        "configuration: it shows the lines that change, leaves all others as they are, and asks "
        "(--yes answers). Settings are never secrets: credentials stay where the cloud's own tools "
        "keep them, and KEY= takes a setting out. check asks the clouds that were added, or the "
        "one "
        "named: credentials, account, regions, whether the smallest type may be launched, the "
        "meter of rented machines, this clock. It starts nothing. remove takes a cloud out; while "
        "launches of it run only with --force. iam-policy prints the least rights that an account "
        "needs, as the document that the cloud takes: greenlaunch provider aws iam-policy. check "
        "ends with 4 when credentials or rights are missing, 5 when a cloud does not answer or has "
        "no room, 10 when some clouds are well and others are not.",
    .example = "$ greenlaunch provider hetzner iam-policy --describe\n"
               "permission: Read",
    .options = options,
    .values_size = sizeof(struct gl_provider_values),
    .run = run,
};
