/* SPDX-License-Identifier: Apache-2.0 */
/* What the judge is asked, by the options of the command. */
#include <string.h>

#include "broker/cli/charge.h"
#include "broker/cli/hook.h"

static enum gl_count_basis basis_of(const char *word)
{
    enum gl_count_basis basis = GL_COUNT_WORST;

    for (unsigned i = 0; word != NULL && gl_count_basis_words[i] != NULL; i++)
        if (strcmp(gl_count_basis_words[i], word) == 0)
            basis = (enum gl_count_basis)i;
    return basis;
}

struct gl_hook_ask gl_hook_ask_of(struct gl_context *context, const struct gl_hook_values *values,
                                  const struct gl_ask_result *asked, struct gl_charge_tree *tree,
                                  const struct gl_hook_plan *const *plans, size_t plan_count)
{
    gl_charge_tree_open(context, tree);
    return (struct gl_hook_ask){
        .plans = plans,
        .plan_count = plan_count,
        .policy = asked->policy,
        .book = asked->book,
        .offers = asked->offers->offers,
        .offer_count = asked->offers->count,
        .now = asked->now,
        .duration = asked->request.duration,
        .load = asked->request.load,
        .gate = values->ask.gate,
        .count_basis = basis_of(values->count_basis),
        .count_basis_least =
            values->count_basis != NULL ? basis_of(values->count_basis) : GL_COUNT_NOW,
        .left = gl_charge_left,
        .left_cookie = context,
        .tree_levels = tree->levels,
        .tree_left = gl_charge_tree_left,
        .tree_cookie = tree,
        .is_demo = context->is_demo,
        .is_offline = context->globals.is_offline || context->globals.at != NULL,
        .is_advisory = context->globals.is_advisory,
    };
}
