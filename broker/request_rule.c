/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/request_rule.h"

#include <stdio.h>
#include <string.h>

#include "policy/demand.h"

#define PARTS_MAX 16

/* Parts with a value: the key that the text behind them is written for. */
static const struct {
    const char *part, *key;
} values[] = {
    {"intensity<=", "max_intensity"},
    {"renewable-share>=", "min_renewable"},
    {"carbon-free-share>=", "min_carbon_free"},
    {"green-intensity<=", "green_below"},
    {"green-for>=", "green_for"},
    {"confidence>=", "confidence"},
    {"emission-rate<=", "max_rate"},
    {"emissions<=", "max_total"},
    {"grade>=", "min_grade"},
    {"data-age<=", "max_data_age"},
};

/* Parts of one word: key and value; key NULL follows from the others. */
static const struct {
    const char *part, *key, *value;
} words[] = {
    {"hourly", NULL, NULL},
    {"without-biomass", "biomass", "false"},
};

static bool is_in(const char *const *list, const char *text)
{
    for (; *list != NULL; list++)
        if (strcmp(*list, text) == 0)
            return true;
    return false;
}

/* Key and value of one part; false when it has none. */
static bool read_part(const char *part, const char **out_key, const char **out_value)
{
    const struct {
        const char *key;
        const char *const *words;
    } lists[] = {{"accounting", gl_accounting_words},
                 {"rate", gl_rate_words},
                 {"boundary", gl_boundary_words}};

    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        size_t length = strlen(values[i].part);

        if (strncmp(part, values[i].part, length) != 0)
            continue;
        *out_key = values[i].key;
        *out_value = part + length;
        return true;
    }
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strcmp(part, words[i].part) != 0)
            continue;
        *out_key = words[i].key;
        *out_value = words[i].value;
        return true;
    }
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++)
        if (is_in(lists[i].words, part)) {
            *out_key = lists[i].key;
            *out_value = part;
            return true;
        }
    return false;
}

static int fail(const char *rule, struct gl_error *err)
{
    return gl_fail(err, GL_E_UNKNOWN_DATA, "the rule \"%s\" cannot be asked by its normal form",
                   rule);
}

/* `text` is cut into its parts, which `limits` points into. */
static int read_parts(char *text, const char *rule, const char *limits[2 * PARTS_MAX + 1],
                      struct gl_error *err)
{
    size_t count = 0;

    for (char *part = text, *next; part != NULL && *part != '\0'; part = next) {
        const char *key, *value;

        next = strchr(part, ';');
        if (next != NULL)
            *next++ = '\0';
        if (!read_part(part, &key, &value) || count == PARTS_MAX)
            return fail(rule, err);
        if (key == NULL)
            continue;
        limits[2 * count] = key;
        limits[2 * count + 1] = value;
        count++;
    }
    limits[2 * count] = NULL;
    return count > 0 ? 0 : fail(rule, err);
}

struct gl_policy *gl_request_rule_read(const char *rule, struct gl_error *err)
{
    char text[GL_DEMAND_RULE], again[GL_DEMAND_RULE];
    const char *limits[2 * PARTS_MAX + 1];
    struct gl_policy *policy;

    if (strlen(rule) >= sizeof text) {
        fail(rule, err);
        return NULL;
    }
    snprintf(text, sizeof text, "%s", rule);
    if (read_parts(text, rule, limits, err) != 0)
        return NULL;
    policy = gl_policy_with_flags(NULL, "request", limits, err);
    if (policy == NULL)
        return NULL;
    if (policy->rule_count == 1 && gl_demand_rule(&policy->rules[0], again, err) == 0 &&
        strcmp(again, rule) == 0)
        return policy;
    gl_policy_free(policy);
    fail(rule, err);
    return NULL;
}

bool gl_request_rule_find(const struct gl_policy *policy, const char *rule, struct gl_rule *out)
{
    char text[GL_DEMAND_RULE];
    struct gl_error ignored = {0};

    for (size_t i = 0; i < policy->rule_count; i++) {
        const struct gl_rule *one = &policy->rules[i];

        if (one->budget != NULL || gl_demand_rule(one, text, &ignored) != 0 ||
            strcmp(text, rule) != 0)
            continue;
        *out = (struct gl_rule){.id = one->id,
                                .description = "",
                                .message = "",
                                .constraints = one->constraints,
                                .count = one->count,
                                .level = GL_HARD,
                                .count_basis = one->count_basis,
                                .has_count_basis = one->has_count_basis};
        return true;
    }
    return false;
}
