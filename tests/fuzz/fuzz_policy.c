/* SPDX-License-Identifier: Apache-2.0 */
/* Policies, includes and waivers from arbitrary bytes. The input is cut at lines "===": the policy,
 * the files it may include as "a", "b", ..., and last the waivers. */
#include "policy/policy.h"

#include <stdlib.h>
#include <string.h>

#define PARTS_MAX 6
#define CUT       "\n===\n"

struct parts {
    struct gl_view texts[PARTS_MAX];
    size_t count;
};

static struct parts cut(const uint8_t *data, size_t size)
{
    struct parts parts = {.count = 0};
    const char *at = (const char *)data;

    while (parts.count < PARTS_MAX) {
        const char *end = size > 0 ? memmem(at, size, CUT, sizeof CUT - 1) : NULL;
        size_t length = end != NULL ? (size_t)(end - at) : size;

        parts.texts[parts.count++] = (struct gl_view){at, length};
        if (end == NULL)
            break;
        at = end + sizeof CUT - 1;
        size -= length + sizeof CUT - 1;
    }
    return parts;
}

static int load(void *cookie, const char *from, const char *path, struct gl_view *out_text,
                const char **out_name, struct gl_error *err)
{
    const struct parts *parts = cookie;
    size_t index = (size_t)(unsigned char)path[0] - 'a' + 1;

    (void)from;
    if (path[0] < 'a' || path[1] != '\0' || index >= parts->count)
        return gl_fail(err, GL_E_INCLUDE, "no such part");
    *out_text = parts->texts[index];
    *out_name = path;
    return 0;
}

static void must(bool holds)
{
    if (!holds)
        abort();
}

static void show(const struct gl_diagnostics *diagnostics)
{
    struct gl_str text = {0};

    must(diagnostics->count > 0);
    must(diagnostics->count <= GL_POLICY_MAX_ERRORS);
    gl_diagnostics_text(diagnostics, 400, &text);
    must(strchr(gl_str_text(&text), '\x1b') == NULL);
    gl_str_done(&text);
}

static void check_rules(const struct gl_policy *policy)
{
    struct gl_str text = {0};

    must(policy->rule_count > 0);
    for (size_t i = 0; i < policy->rule_count; i++) {
        const struct gl_rule *rule = &policy->rules[i];

        must(rule->count > 0 && rule->id[0] != '\0');
        for (size_t c = 0; c < rule->count; c++) {
            must(rule->constraints[c].key->kind == GL_KIND_GLOBS
                     ? rule->constraints[c].globs != NULL
                     : rule->constraints[c].number >= 0);
            must(c == 0 || rule->constraints[c - 1].key->id < rule->constraints[c].key->id);
        }
    }
    gl_policy_explain(policy, 400, &text);
    gl_str_done(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct gl_diagnostics diagnostics;
    struct parts parts = cut(data, size);
    struct gl_policy_loader loader = {&parts, load};
    struct gl_policy *policy = gl_policy_parse(parts.texts[0], "p.yaml", &loader, &diagnostics);

    if (policy == NULL) {
        show(&diagnostics);
        return 0;
    }
    must(diagnostics.count == 0 && diagnostics.beyond == 0);
    check_rules(policy);
    if (gl_policy_add_waivers(policy, parts.texts[parts.count - 1], "w.yaml", &diagnostics))
        show(&diagnostics);
    check_rules(policy);
    gl_policy_free(policy);
    return 0;
}
