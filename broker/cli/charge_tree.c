/* SPDX-License-Identifier: Apache-2.0 */
/* The tree of accounts that launches are charged to, for what judges plans: a plan may hold ten
 * thousand resources of a few accounts, so each of these is looked up once. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/cli/charge.h"
#include "broker/ledger_file.h"

static size_t levels_of(const char *tree)
{
    size_t levels = 1;

    for (; *tree != '\0'; tree++)
        levels += *tree == '/';
    return levels;
}

void gl_charge_tree_open(struct gl_context *context, struct gl_charge_tree *out)
{
    struct gl_error ignored = {0};
    struct gl_ledger *ledger;

    *out = (struct gl_charge_tree){.context = context};
    if (context->is_demo || !gl_context_has_ledger(context))
        return;
    out->tree = context->config.account != NULL ? context->config.account : GL_ACCOUNT_TREE;
    ledger = gl_context_ledger_to_look(context, &ignored);
    out->is_lost = ledger == NULL || gl_ledger_was_written(ledger) ||
                   gl_budget_caps(ledger, &out->caps, &ignored) != 0;
    if (out->is_lost || out->caps.count > 0)
        out->levels = levels_of(out->tree);
    out->seen = json_object();
}

void gl_charge_tree_done(struct gl_charge_tree *tree)
{
    gl_caps_done(&tree->caps);
    json_decref(tree->seen);
    free(tree->items);
}

/* The account of these tags, as many levels of it. */
static int account_at(const struct gl_charge_tree *tree, size_t level, const char *const *tags,
                      char out[GL_ACCOUNT_PATH])
{
    struct gl_error ignored = {0};

    if (gl_account_of(tree->tree, tags, out, &ignored) != 0)
        return -1;
    for (size_t cut = tree->levels - 1 - level; cut > 0; cut--)
        gl_account_up(out);
    return 0;
}

static int look_up(struct gl_charge_tree *tree, const struct gl_cap *cap, const char *path,
                   struct gl_hook_left *out)
{
    struct gl_error ignored = {0};
    struct gl_ledger *ledger = gl_context_ledger_to_look(tree->context, &ignored);
    struct gl_account_state state;
    struct gl_instant now;

    if (ledger == NULL || gl_context_now(tree->context, &now, &ignored) != 0 ||
        gl_budget_state(ledger, cap, path, now.unix_s * 1000, NULL, &state, &ignored) != 0)
        return -1;
    gl_charge_left_of(cap, &state, now, out);
    snprintf(out->account, sizeof out->account, "%s", path);
    tree->items = gl_realloc(tree->items, (tree->count + 1) * sizeof *tree->items);
    tree->items[tree->count] = *out;
    json_object_set_new(tree->seen, path, json_integer((json_int_t)tree->count++));
    return 0;
}

int gl_charge_tree_left(void *cookie, size_t level, const char *const *tags,
                        struct gl_hook_left *out)
{
    struct gl_charge_tree *tree = cookie;
    const struct gl_cap *cap;
    char path[GL_ACCOUNT_PATH];
    const json_t *seen;

    if (tree->is_lost || account_at(tree, level, tags, path) != 0)
        return -1;
    cap = gl_account_cap(tree->caps.items, tree->caps.count, path);
    if (cap == NULL || cap->is_advisory)
        return 1;
    seen = json_object_get(tree->seen, path);
    if (seen == NULL)
        return look_up(tree, cap, path, out);
    *out = tree->items[json_integer_value(seen)];
    return 0;
}
