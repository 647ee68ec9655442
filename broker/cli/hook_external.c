/* SPDX-License-Identifier: Apache-2.0 */
/* hook external: the protocol of Terraform's data source `external`. A JSON object of strings comes
 * on standard input, one goes to standard output; a failure is a non-zero status with words on
 * standard error. Launches nothing and records nothing. Source: documentation of
 * hashicorp/external, data source external. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/time.h"
#include "broker/cli/hook.h"
#include "broker/render/decision.h"

#define QUERY_MAX_BYTES ((size_t)64 << 10)
#define QUERY_MAX_KEYS  60

/* What a query asks: the options of `offers` by other means. */
struct query {
    struct gl_ask ask;
    const char *previous, *on_refuse;
};

static const struct gl_option options[] = {
#include "broker/cli/ask_options.def"
    {"previous", 0, GL_OPT_TEXT, offsetof(struct query, previous), "REGION",
     "keep this region as long as the rules allow it", "Query", NULL, NULL, 0, 0, 0, NULL},
    {"on-refuse", 0, GL_OPT_TEXT, offsetof(struct query, on_refuse), "WHAT",
     "error (default), or answer with the region none", "Query", NULL, "error|answer", 0, 0, 0,
     NULL},
    {0},
};

/* Keys that are written otherwise than their option. */
static const struct {
    const char *key, *option;
} names[] = {
    {"regions", "region"},          {"not_regions", "not-region"}, {"clouds", "cloud"},
    {"countries", "country"},       {"machine_type", "type"},      {"machine_types", "type"},
    {"min_carbon_free", "min-cfe"},
};

/* ---- the query as words of a command line: one parser, one set of errors ---- */

struct words {
    struct gl_arena arena;
    const char *items[QUERY_MAX_KEYS + 2];
    int count;
};

static const struct gl_option *option_of(const char *key)
{
    char name[64];

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcmp(names[i].key, key) == 0)
            key = names[i].option;
    snprintf(name, sizeof name, "%s", key);
    for (char *c = name; *c != '\0'; c++)
        if (*c == '_')
            *c = '-';
    for (size_t i = 0; options[i].name != NULL; i++)
        if (strcmp(options[i].name, name) == 0)
            return &options[i];
    return NULL;
}

static int fail_key(const char *key, struct gl_error *err)
{
    char shown[GL_TEXT_SHOWN];

    return gl_fail(err, GL_E_UNKNOWN_KEY,
                   "query: \"%s\" is not known; keys are previous, on_refuse, and the rules and "
                   "requests of `greenlaunch offers` (max_intensity, renewable_only, regions, "
                   "machine_type, duration ...)",
                   gl_text_show(key, shown));
}

static int add_pair(struct words *words, const char *key, const char *value, struct gl_error *err)
{
    const struct gl_option *option = option_of(key);
    GL_AUTO(gl_str_done) struct gl_str word = {0};

    if (option == NULL)
        return fail_key(key, err);
    if (words->count > QUERY_MAX_KEYS)
        return gl_fail(err, GL_E_TOO_LARGE, "query: more than %d keys", QUERY_MAX_KEYS);
    if (value[0] == '\0')
        return 0; /* a variable of HCL that nobody set */
    if (option->kind == GL_OPT_FLAG || option->kind == GL_OPT_OPTIONAL) {
        if (strcmp(value, "false") == 0)
            return 0;
        if (strcmp(value, "true") == 0)
            value = NULL;
    }
    gl_str_addf(&word, "--%s%s%s", option->name, value != NULL ? "=" : "",
                value != NULL ? value : "");
    words->items[words->count++] = gl_arena_text(&words->arena, gl_str_text(&word), word.length);
    return 0;
}

static int add_pairs(struct words *words, json_t *query, struct gl_error *err)
{
    const char *key;
    json_t *value;

    if (!json_is_object(query))
        return gl_fail(err, GL_E_SYNTAX, "query: a JSON object of strings is needed");
    words->items[words->count++] = "query";
    json_object_foreach(query, key, value)
    {
        if (json_is_null(value))
            continue;
        if (!json_is_string(value) || strlen(json_string_value(value)) != json_string_length(value))
            return gl_fail(err, GL_E_BAD_VALUE, "query: values are strings");
        if (add_pair(words, key, json_string_value(value), err) != 0)
            return -1;
    }
    words->items[words->count] = NULL;
    return 0;
}

static int read_query(struct words *words, struct gl_error *err)
{
    GL_AUTO(gl_auto_free) char *text = NULL;
    size_t length;
    json_t *query;
    int result;

    if (gl_file_read("-", QUERY_MAX_BYTES, &text, &length, err) != 0)
        return gl_wrap(err, "query");
    query = gl_json_parse(text, length, "query", err);
    result = query != NULL ? add_pairs(words, query, err) : -1;
    json_decref(query);
    return result;
}

/* ---- the answer: strings only ---- */

static void set(json_t *answer, const char *key, const char *value)
{
    json_object_set_new(answer, key, json_string(value));
}

/* The best allowed offer, or with `previous` the best of that region. */
static const struct gl_offer *choose(const struct gl_ask_result *asked, const char *previous,
                                     bool *out_is_kept)
{
    const struct gl_decision *decision = asked->decision;

    for (size_t i = 0; previous != NULL && i < decision->allowed; i++) {
        const struct gl_offer *offer = &asked->offers->offers[decision->ranked[i]];

        if (strcmp(offer->place->region, previous) == 0) {
            *out_is_kept = true;
            return offer;
        }
    }
    *out_is_kept = false;
    return decision->allowed > 0 ? &asked->offers->offers[decision->ranked[0]] : NULL;
}

static void set_figure(json_t *answer, const struct gl_ask_result *asked,
                       const struct gl_offer *offer)
{
    const struct gl_question question = gl_ask_question(asked);
    struct gl_figure figure = {.value_u = GL_UNKNOWN};
    GL_AUTO(gl_str_done) struct gl_str number = {0};
    GL_AUTO(gl_str_done) struct gl_str basis = {0};

    if (offer != NULL)
        figure = gl_render_figure(&question, offer, GL_INTENSITY);
    if (figure.value_u != GL_UNKNOWN)
        gl_str_addf(&number, "%.1f", (double)figure.value_u / 1e6);
    if (figure.series != NULL)
        gl_str_addf(&basis, "%s, grade %c", figure.series->dataset, gl_grade_letter(figure.grade));
    set(answer, "gco2e_per_kwh", gl_str_text(&number));
    set(answer, "basis", gl_str_text(&basis));
}

static json_t *answer_of(const struct gl_ask_result *asked, const struct query *query)
{
    bool is_kept;
    const struct gl_offer *offer = choose(asked, query->previous, &is_kept);
    json_t *answer = json_object();
    char until[GL_INSTANT_TEXT];

    set(answer, "decision", gl_verdict_word(asked->decision->verdict));
    set(answer, "reason", offer != NULL ? "every rule holds" : gl_render_gist(asked->decision));
    set(answer, "cloud", offer != NULL ? offer->place->cloud : "none");
    set(answer, "region", offer != NULL ? offer->place->region : "none");
    set(answer, "machine_type", offer != NULL ? offer->type->name : "none");
    set(answer, "zone",
        offer != NULL && offer->place->zone_count > 0 ? offer->place->zones[0]->zone : "");
    set(answer, "kept_previous", is_kept ? "true" : "false");
    set(answer, "valid_until",
        offer != NULL
            ? gl_instant_text((struct gl_instant){asked->now.unix_s + asked->request.duration.s},
                              until)
            : "");
    set_figure(answer, asked, offer);
    return answer;
}

static int fail_refused(const struct gl_ask_result *asked, int status)
{
    fprintf(stderr, "greenlaunch: %s: %s\n", gl_verdict_word(asked->decision->verdict),
            gl_render_gist(asked->decision));
    return status;
}

static int reply(struct gl_context *context, const struct gl_ask_result *asked,
                 const struct query *query)
{
    int status = gl_verdict_exit(asked->decision->verdict);
    bool answers = query->on_refuse != NULL && strcmp(query->on_refuse, "answer") == 0;
    char *text;

    context->reply.verdict = gl_verdict_word(asked->decision->verdict);
    if (asked->decision->verdict != GL_ALLOW && !answers)
        return fail_refused(asked, status);
    context->reply.data = answer_of(asked, query);
    text = gl_json_pretty(context->reply.data);
    gl_str_addf(&context->reply.text, "%s\n", text);
    free(text);
    return GL_EXIT_OK;
}

/* Rules on the command line would look like a gate that the query walks around. */
static int check_call(const struct gl_context *context, const struct gl_hook_values *values,
                      struct gl_error *err)
{
    bool has_rule = false;

    for (size_t i = 0; options[i].name != NULL && strcmp(options[i].name, "cloud") != 0; i++) {
        const char *member = (const char *)&values->ask + options[i].offset;

        if (options[i].kind == GL_OPT_LIST)
            has_rule |= ((const struct gl_option_list *)(const void *)member)->count > 0;
        else if (options[i].kind == GL_OPT_FLAG)
            has_rule |= *(const bool *)member;
        else
            has_rule |= *(const char *const *)(const void *)member != NULL;
    }
    if (has_rule)
        return gl_fail(err, GL_E_USAGE,
                       "hook external takes its rules from the query and from --policy");
    if (context->globals.is_demo || context->globals.is_json || context->globals.is_advisory)
        return gl_fail(err, GL_E_USAGE,
                       "hook external answers as Terraform wants it: no --demo, --json, "
                       "--advisory");
    return 0;
}

static int answer(struct gl_context *context, struct query *query, struct gl_error *err)
{
    static const struct gl_without here = {1, {{.cloud = "local"}}}; /* no provider makes it */
    struct gl_ask_result asked;
    int status;

    query->ask.without = &here;
    if (gl_ask_decide(context, &query->ask, &asked, err) != 0)
        return -1;
    if (asked.policy->rule_count == 0)
        status = gl_fail(err, GL_E_USAGE,
                         "query: no rules, so everything would be allowed; say max_intensity or "
                         "renewable_only, or give --policy FILE");
    else
        status = reply(context, &asked, query);
    gl_ask_result_done(&asked);
    return status;
}

int gl_hook_external(struct gl_context *context, const struct gl_hook_values *values,
                     struct gl_error *err)
{
    struct words words = {0};
    struct query query = {0};
    struct gl_operands operands;
    int status = -1;

    if (check_call(context, values, err) != 0)
        return -1;
    gl_options_clear(options, &query);
    if (read_query(&words, err) == 0 && gl_options_parse(NULL, NULL, options, &query, words.count,
                                                         words.items, &operands, err) == 0)
        status = answer(context, &query, err);
    gl_options_done(options, &query);
    gl_arena_done(&words.arena);
    return status;
}
