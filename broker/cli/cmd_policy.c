/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/time.h"
#include "base/wrap.h"
#include "broker/cli/help.h"
#include "broker/cli/misnamed.h"
#include "broker/policytest/policytest.h"
#include "broker/render/decision.h"
#include "broker/render/text.h"

struct policy_values {
    const char *junit;
    bool requires_coverage, mutates;
};

static const struct gl_option options[] = {
    {"junit", 0, GL_OPT_TEXT, offsetof(struct policy_values, junit), "FILE",
     "test: also write the outcome as JUnit XML", NULL, NULL, NULL, 0, 0, 0, "file"},
    {"require-coverage", 0, GL_OPT_FLAG, offsetof(struct policy_values, requires_coverage), NULL,
     "test: each rule needs a case that it allows and one that it refuses", NULL, NULL, NULL, 0, 0,
     0, NULL},
    {"mutate", 0, GL_OPT_FLAG, offsetof(struct policy_values, mutates), NULL,
     "test: loosen each limit by one unit; some case must notice", NULL, NULL, NULL, 0, 0, 0, NULL},
    {0},
};

/* ---- check ---- */

static json_t *error_json(const struct gl_error *one)
{
    char code[16];

    snprintf(code, sizeof code, "GL%04d", (int)one->code);
    return json_pack("{s:s,s:s,s:s,s:I,s:I}", "code", code, "message", one->text, "file",
                     one->pos.file, "line", (json_int_t)one->pos.line, "column",
                     (json_int_t)one->pos.column);
}

static json_t *errors_json(const struct gl_diagnostics *diagnostics, const struct gl_error *err)
{
    json_t *list = json_array();

    for (size_t i = 0; i < diagnostics->count; i++)
        json_array_append_new(list, error_json(&diagnostics->errors[i]));
    if (diagnostics->count == 0 && err->code != GL_OK) /* not read at all */
        json_array_append_new(list, error_json(err));
    return list;
}

/* A file that was not read at all; its name stands before the message, once. */
static void add_unread(struct gl_context *context, const char *path, const struct gl_error *err)
{
    GL_AUTO(gl_str_done) struct gl_str line = {0};

    gl_str_add_printable(&line, path, strstr(err->text, path) == NULL ? strlen(path) : 0);
    gl_str_addf(&line, "%serror GL%04d: ", line.length > 0 ? ": " : "", (int)err->code);
    gl_str_add_printable(&line, err->text, strlen(err->text));
    gl_wrap_long(gl_str_text(&line), (struct gl_margins){0, 4, context->columns},
                 &context->reply.text);
}

/* How many there are, and where what may be written is described. */
static void add_count(struct gl_context *context, const struct gl_diagnostics *diagnostics)
{
    struct gl_str *out = &context->reply.text;

    gl_render_count(out, diagnostics->count + diagnostics->beyond, "error");
    gl_str_add(out, "; every key and unit: ");
    gl_wrap_command("greenlaunch help --man policy-file | man -l -",
                    (struct gl_margins){32, 4, context->columns}, out);
}

/* A waiver that ends within this time is spoken of while it still holds. */
#define WAIVER_SOON_S (14 * INT64_C(86400))

/* What a waiver does at an instant that its owner should know of; NULL when it simply holds. */
static const char *waiver_doubt(const struct gl_waiver *waiver, struct gl_instant now)
{
    if (now.unix_s >= waiver->expires.unix_s)
        return "is over and not applied: it ended on";
    if (now.unix_s < waiver->created.unix_s)
        return "does not hold yet: it begins on";
    return waiver->expires.unix_s - now.unix_s <= WAIVER_SOON_S ? "ends soon: on" : NULL;
}

static void warn_of_waivers(struct gl_context *context, const struct gl_policy *policy,
                            struct gl_instant now)
{
    for (size_t i = 0; i < policy->waiver_count; i++) {
        const struct gl_waiver *waiver = &policy->waivers[i];
        const char *doubt = waiver_doubt(waiver, now);
        bool is_early = now.unix_s < waiver->created.unix_s;
        char at[GL_INSTANT_TEXT];

        if (!gl_waiver_loosens(policy, waiver))
            gl_warn(
                context, "GL2006",
                "%s:%u: the waiver of rule \"%s\" (owner %s) allows nothing: its cap, %s, is no "
                "looser than the rule's limit",
                waiver->pos.file, (unsigned)waiver->pos.line, waiver->rule, waiver->owner,
                waiver->cap.written);
        if (doubt != NULL)
            gl_warn(context, "GL2006", "%s:%u: the waiver of rule \"%s\" (owner %s) %s %s",
                    waiver->pos.file, (unsigned)waiver->pos.line, waiver->rule, waiver->owner,
                    doubt, gl_instant_text(is_early ? waiver->created : waiver->expires, at));
    }
}

/* Check one file as of `now`: a line for people, a row of data. Keeps the first error of all in
 * *first. */
static void check_file(struct gl_context *context, const char *path, struct gl_instant now,
                       json_t *files, struct gl_error *first)
{
    GL_AUTO(gl_auto_free) struct gl_diagnostics *diagnostics = gl_alloc(sizeof *diagnostics);
    struct gl_str *out = &context->reply.text;
    struct gl_error err = {0};
    struct gl_policy *policy = gl_policy_read(path, context->globals.waivers, diagnostics, &err);
    char digest[GL_HASH_HEX] = "";

    if (policy != NULL) {
        gl_str_addf(out, "%s: ok, %zu rule%s, %zu waiver%s\n", path, policy->rule_count,
                    policy->rule_count == 1 ? "" : "s", policy->waiver_count,
                    policy->waiver_count == 1 ? "" : "s");
        gl_hash_hex(&policy->digest, digest);
        warn_of_waivers(context, policy, now);
        gl_warn_of_misnamed_regions(context, policy);
    } else if (diagnostics->count > 0) {
        gl_diagnostics_text(diagnostics, context->columns, out);
        add_count(context, diagnostics);
    } else {
        add_unread(context, path, &err);
    }
    json_array_append_new(
        files, json_pack("{s:s,s:b,s:I,s:I,s:s,s:o}", "file", path, "ok", policy != NULL, "rules",
                         (json_int_t)(policy != NULL ? policy->rule_count : 0), "waivers",
                         (json_int_t)(policy != NULL ? policy->waiver_count : 0), "digest", digest,
                         "errors", errors_json(diagnostics, &err)));
    if (first->code == GL_OK)
        *first = err;
    gl_policy_free(policy);
}

/* The files of the operands, else --policy, else the configuration. */
struct paths {
    const char *const *items;
    size_t count;
};

static struct paths paths_of(const struct gl_context *context, const struct gl_operands *operands)
{
    size_t configured = 0;

    if (operands->count > 1)
        return (struct paths){operands->words + 1, operands->count - 1};
    if (context->globals.policies.count > 0)
        return (struct paths){context->globals.policies.items, context->globals.policies.count};
    while (context->config.policies[configured] != NULL)
        configured++;
    return (struct paths){(const char *const *)context->config.policies, configured};
}

static int fail_no_file(const char *what, struct gl_error *err)
{
    return gl_fail(err, GL_E_USAGE, "policy %s: which file? greenlaunch policy %s FILE", what,
                   what);
}

/* What is wrong is the answer of a check: on stdout, and as the error of the envelope too. */
static int check(struct gl_context *context, const struct gl_call *call, struct gl_error *err)
{
    struct paths paths = paths_of(context, call->operands);
    struct gl_error first = {0};
    json_t *files = json_array();
    struct gl_instant now;

    context->reply.data = json_pack("{s:o}", "files", files);
    if (paths.count == 0)
        return fail_no_file("check", err);
    if (gl_context_now(context, &now, err) != 0)
        return -1;
    for (size_t i = 0; i < paths.count; i++)
        check_file(context, paths.items[i], now, files, &first);
    if (first.code == GL_OK)
        return GL_EXIT_OK;
    if (context->globals.is_json)
        *err = first;
    return (int)gl_errc_row(first.code)->exit;
}

/* ---- explain, schema ---- */

static int explain(struct gl_context *context, const struct gl_call *call, struct gl_error *err)
{
    struct paths paths = paths_of(context, call->operands);
    struct gl_option_list *list = &context->globals.policies;
    struct gl_policy *policy;
    char digest[GL_HASH_HEX];

    if (paths.count == 0)
        return fail_no_file("explain", err);
    for (size_t i = 0; i < paths.count && i < GL_OPTION_LIST_MAX; i++)
        list->items[i] = paths.items[i];
    list->count = paths.count < GL_OPTION_LIST_MAX ? paths.count : GL_OPTION_LIST_MAX;
    policy = gl_context_policy(context, "command-line", NULL, err);
    if (policy == NULL)
        return -1;
    gl_policy_explain(policy, context->columns, &context->reply.text);
    context->reply.data = json_pack(
        "{s:s,s:s,s:o,s:s}", "id", policy->id, "digest", gl_hash_hex(&policy->digest, digest),
        "rules", gl_render_rules_json(policy), "text", gl_str_text(&context->reply.text));
    gl_policy_free(policy);
    return GL_EXIT_OK;
}

static int schema(struct gl_context *context, const struct gl_call *call, struct gl_error *err)
{
    struct gl_str *out = &context->reply.text;

    if (gl_help_operands(gl_command_find("policy"), call, 1, 1, err) != 0)
        return -1;
    gl_policy_schema(out);
    context->reply.data = gl_json_parse(gl_str_text(out), out->length, "the schema", err);
    return context->reply.data != NULL ? GL_EXIT_OK : -1;
}

/* ---- test ---- */

static int write_junit(const struct policy_values *values, const struct gl_test_report *report,
                       struct gl_error *err)
{
    GL_AUTO(gl_str_done) struct gl_str xml = {0};

    if (values->junit == NULL)
        return 0;
    gl_test_junit(report, &xml);
    return gl_file_write_given(values->junit, gl_str_text(&xml), xml.length, 0644, err);
}

static int test(struct gl_context *context, const struct gl_call *call, struct gl_error *err)
{
    const struct policy_values *values = call->values;
    const struct gl_operands *operands = call->operands;
    const struct gl_test_options wanted = {values->requires_coverage, values->mutates};
    struct gl_test_report report = {0};
    int status = 0;

    if (operands->count < 2)
        return fail_no_file("test", err);
    for (size_t i = 1; i < operands->count && status == 0; i++)
        status = gl_test_run(operands->words[i], &wanted, &context->world, &report, err);
    if (status == 0)
        status = write_junit(values, &report, err);
    if (status == 0) {
        gl_test_tap(&report, &context->reply.text);
        context->reply.data = gl_test_json(&report);
        status = report.failed == 0 ? GL_EXIT_OK : GL_EXIT_BREACH;
    }
    gl_test_report_done(&report);
    return status;
}

/* ---- the command ---- */

static const struct {
    const char *name;
    int (*run)(struct gl_context *context, const struct gl_call *call, struct gl_error *err);
} actions[] = {{"check", check}, {"explain", explain}, {"schema", schema}, {"test", test}};
#define ACTIONS (sizeof actions / sizeof actions[0])

static int run(struct gl_context *context, const struct gl_call *call, struct gl_error *err)
{
    const char *names[ACTIONS], *nearest;
    char shown[GL_TEXT_SHOWN];

    if (gl_help_operands(&gl_command_policy, call, 1, 64, err) != 0)
        return -1;
    for (size_t i = 0; i < ACTIONS; i++) {
        names[i] = actions[i].name;
        if (strcmp(names[i], call->operands->words[0]) == 0)
            return actions[i].run(context, call, err);
    }
    nearest = gl_text_nearest(call->operands->words[0], names, ACTIONS);
    return gl_fail(err, GL_E_USAGE, "policy can check, explain, schema and test, not \"%s\"%s%s%s",
                   gl_text_show(call->operands->words[0], shown),
                   nearest != NULL ? "; did you mean " : "", nearest != NULL ? nearest : "",
                   nearest != NULL ? "?" : "");
}

const struct gl_command gl_command_policy = {
    .name = "policy",
    .group = "Rules",
    .summary = "check, explain and test policy files",
    .operands = "check|explain|schema|test [FILE...]",
    .description =
        "check reads policy files and shows every error with its place, and warns of waivers that "
        "are over, do not hold yet or end within 14 days (with --at: as of then). explain shows "
        "every rule in force and who set each value. schema prints the JSON Schema for editors. "
        "test runs "
        "test files: cases that say what must be decided in a frozen world, without network, clock "
        "or this machine; it prints TAP and ends with 9 when a case fails. Without FILE, check and "
        "explain take the policies of --policy or of the configuration.",
    .example = "$ greenlaunch policy check examples/policies/cap-100g.yaml\n"
               "examples/policies/cap-100g.yaml: ok, 1 rule, 0 waivers",
    .options = options,
    .values_size = sizeof(struct policy_values),
    .run = run,
};
