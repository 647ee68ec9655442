/* SPDX-License-Identifier: Apache-2.0 */
/* Plans of infrastructure tools judged by the same rules as launches. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "broker/cli/charge.h"
#include "broker/cli/hook_run.h"
#include "broker/cli/hook_serve.h"
#include "broker/hook/escape.h"
#include "providers/data/data.h"

static const struct gl_option options[] = {
#include "broker/cli/rule_options.def"
#define AT(member) offsetof(struct gl_hook_values, member)
    {"duration", 'd', GL_OPT_SPAN, GL_ASK_AT(duration_s), "SPAN",
     "how long from now the rules must hold (default 1h)", "Plan", NULL, NULL, 0, 0, 0, NULL},
    {"load", 0, GL_OPT_QUANTITY, GL_ASK_AT(load_ppm), "SHARE", "expected CPU load (default 50%)",
     "Plan", NULL, NULL, 0, 0, GL_DIM_SHARE, NULL},
    {"region", 0, GL_OPT_LIST, AT(regions), "GLOB=REGION",
     "the region of resources whose address fits, where the plan does not say", "Plan", NULL, NULL,
     0, 0, 0, NULL},
    {"env-regions", 0, GL_OPT_FLAG, AT(wants_environment), NULL,
     "AWS_REGION and its like are a hint at regions", "Plan", NULL, NULL, 0, 0, 0, NULL},
    {"deploy-region", 0, GL_OPT_TEXT, AT(deployment_region), "REGION",
     "where a template without a region is deployed", "Plan", NULL, NULL, 0, 0, 0, "region"},
    {"parameter", 0, GL_OPT_LIST, AT(parameters), "NAME=VALUE",
     "a parameter of a template, again for another; commas are part of the value", "Plan", NULL,
     NULL, GL_OPT_WHOLE, 0, 0, NULL},
    {"mapping-dir", 0, GL_OPT_TEXT, AT(mapping_dir), "FOLDER",
     "mappings of resource types of your own", "Plan", NULL, NULL, 0, 0, 0, "file"},
    {"count-basis", 0, GL_OPT_TEXT, AT(count_basis), "BASIS",
     "how many of a group count where the policy does not say; never fewer than it says", "Plan",
     NULL, "now|typical|worst", 0, 0, 0, NULL},
    {"point", 0, GL_OPT_TEXT, AT(point), "POINT", "which level of a rule counts (default plan)",
     "Gate", NULL, "plan|apply", 0, 0, 0, NULL},
    {"policy-ref", 0, GL_OPT_TEXT, AT(policy_ref), "COMMIT",
     "policies, waivers and baseline as they stand in this commit, by git", "Gate", NULL, NULL, 0,
     0, 0, NULL},
    {"policy-digest", 0, GL_OPT_TEXT, AT(policy_digest), "SHA256",
     "the digest that policies and waivers must have (policy explain)", "Gate", NULL, NULL, 0, 0, 0,
     NULL},
    {"baseline", 0, GL_OPT_TEXT, AT(baseline), "FILE",
     "findings that were there before do not count, unless they are worse", "Gate", NULL, NULL, 0,
     0, 0, "file"},
    {"write-baseline", 0, GL_OPT_TEXT, AT(write_baseline), "FILE",
     "note what is found now in a new baseline", "Gate", NULL, NULL, 0, 0, 0, "file"},
    {"prune", 0, GL_OPT_FLAG, AT(prunes), NULL, "take out of the baseline what is gone", "Gate",
     NULL, NULL, 0, 0, 0, NULL},
    {"output", 'o', GL_OPT_LIST, AT(outputs), "FORMAT[=FILE]",
     "how the report is written, several at once: text (default), json, sarif, junit, tap, "
     "markdown, github, gitlab, atlantis, azuredevops (docs/hook-outputs.md)",
     "Report", NULL, NULL, 0, 0, 0, NULL},
    {"repo-root", 0, GL_OPT_TEXT, AT(repo_root), "FOLDER",
     "below it the *.tf are looked for that findings are shown in (default: the current folder, or "
     "that of the plan)",
     "Report", NULL, NULL, 0, 0, 0, "file"},
    {"fix", 0, GL_OPT_OPTIONAL, AT(fix), "FILE",
     "write sure remedies as a patch of the *.tf, for `patch -p1`, in place of the report or into "
     "FILE",
     "Report", "-", NULL, 0, 0, 0, "file"},
    {"run", 0, GL_OPT_FLAG, AT(runs), NULL,
     "make the plan, judge it, ask, and apply exactly that plan: --run -- terraform apply", "Apply",
     NULL, NULL, 0, 0, 0, NULL},
    {"uninstall", 0, GL_OPT_FLAG, AT(uninstalls), NULL, "hook install: take it out again", "Apply",
     NULL, NULL, 0, 0, 0, NULL},
    {"listen", 0, GL_OPT_TEXT, AT(serve.listen), "HOST:PORT",
     "where a server listens (default 127.0.0.1:8443)", "Server", NULL, NULL, 0, 0, 0, NULL},
    {"tls-cert", 0, GL_OPT_TEXT, AT(serve.tls_cert), "FILE",
     "its certificate with the chain, as PEM", "Server", NULL, NULL, 0, 0, 0, "file"},
    {"tls-key", 0, GL_OPT_TEXT, AT(serve.tls_key), "FILE", "the key of it, for nobody else to read",
     "Server", NULL, NULL, 0, 0, 0, "file"},
    {"hmac-key-file", 0, GL_OPT_TEXT, AT(serve.hmac_key_file), "FILE",
     "the key that requests are signed with", "Server", NULL, NULL, 0, 0, 0, "file"},
    {"allow-host", 0, GL_OPT_LIST, AT(serve.allow_hosts), "HOST[:PORT]",
     "run tasks: ask this host too, beside app.terraform.io and archivist.terraform.io", "Server",
     NULL, NULL, 0, 0, 0, NULL},
    {"ca-file", 0, GL_OPT_TEXT, AT(serve.ca_file), "FILE",
     "run tasks: authorities of those hosts, instead of the system's", "Server", NULL, NULL, 0, 0,
     0, "file"},
    {"failure-policy", 0, GL_OPT_TEXT, AT(serve.failure_policy), "POLICY",
     "admission: what cannot be judged is denied (default fail), or allowed with a warning",
     "Server", NULL, "fail|ignore", 0, 0, 0, NULL},
    {"namespace", 0, GL_OPT_LIST, AT(serve.namespaces), "GLOB",
     "admission: judge these namespaces only", "Server", NULL, NULL, 0, 0, 0, NULL},
    {"not-namespace", 0, GL_OPT_LIST, AT(serve.not_namespaces), "GLOB",
     "admission: allow these without a look", "Server", NULL, NULL, 0, 0, 0, NULL},
    {"warm", 0, GL_OPT_LIST, AT(serve.warm), "CLOUD/REGION",
     "admission: know this place before the first question", "Server", NULL, NULL, 0, 0, 0, NULL},
    {"refresh", 0, GL_OPT_SPAN, AT(serve.refresh_s), "SPAN",
     "admission: how often what is known is asked anew (default 5m)", "Server", NULL, NULL, 0, 0, 0,
     NULL},
#undef AT
    {0},
};

/* ---- policy ---- */

static int no_rules(struct gl_error *err)
{
    return gl_fail(err, GL_E_USAGE,
                   "no rules, so everything would be allowed; give --policy FILE or a rule, as in "
                   "--max-intensity 100gCO2e/kWh");
}

/* ---- baseline ---- */

static int read_baseline(const struct gl_context *context, const struct gl_hook_values *values,
                         struct gl_hook_baseline **out, struct gl_error *err)
{
    const struct gl_policy_source *source = context->policy_source;
    GL_AUTO(gl_auto_free) char *text = NULL;
    size_t length;
    int result;

    if (values->baseline == NULL)
        return 0;
    result = source != NULL
                 ? source->read(source->cookie, values->baseline, &text, &length, err)
                 : gl_file_read_given(values->baseline, GL_BASELINE_MAX_BYTES, &text, &length, err);
    if (result != 0)
        return gl_wrap(err, "--baseline");
    *out = gl_hook_baseline_parse(text, length, values->baseline, err);
    return *out != NULL ? 0 : -1;
}

static int check_baseline_options(const struct gl_hook_values *values, struct gl_error *err)
{
    if (values->prunes && values->baseline == NULL)
        return gl_fail(err, GL_E_USAGE, "--prune needs --baseline FILE");
    if (values->prunes && values->policy_ref != NULL)
        return gl_fail(err, GL_E_USAGE, "--prune changes a file, --policy-ref reads a commit");
    if (values->write_baseline != NULL && values->baseline != NULL)
        return gl_fail(err, GL_E_USAGE, "--write-baseline makes a new one; --prune shrinks one");
    if (values->write_baseline != NULL && gl_file_exists(values->write_baseline))
        return gl_fail(err, GL_E_USAGE,
                       "%s is there already, and a baseline only shrinks: --baseline FILE --prune",
                       values->write_baseline);
    return 0;
}

static int write_baseline(struct gl_context *context, const struct gl_hook_values *values,
                          const struct gl_hook_report *report,
                          const struct gl_hook_baseline *baseline, struct gl_error *err)
{
    const char *path = values->prunes ? values->baseline : values->write_baseline;
    GL_AUTO(gl_auto_free) char *text = NULL;
    GL_AUTO(gl_str_done) struct gl_str line = {0};
    size_t count;

    if (path == NULL)
        return 0;
    text = gl_hook_baseline_text(report, baseline, &count);
    gl_str_addf(&line, "%s\n", text);
    if (gl_file_write(path, line.text, line.length, 0644, err) != 0)
        return -1;
    gl_say(context, "%zu finding%s in %s", count, count == 1 ? "" : "s", path);
    return 0;
}

/* ---- outputs ---- */

struct wanted_output {
    const struct gl_hook_output *output;
    const char *file; /* NULL = standard output */
};

static int parse_output(const char *word, struct wanted_output *out, struct gl_error *err)
{
    const char *equals = strchr(word, '=');
    GL_AUTO(gl_str_done) struct gl_str name = {0};
    GL_AUTO(gl_str_done) struct gl_str known = {0};
    const struct gl_hook_output *outputs;
    size_t count;

    gl_str_add_bytes(&name, word, equals != NULL ? (size_t)(equals - word) : strlen(word));
    out->output = gl_hook_output_named(gl_str_text(&name));
    out->file = equals != NULL ? equals + 1 : NULL;
    if (out->output != NULL && (out->file == NULL || out->file[0] != '\0'))
        return 0;
    outputs = gl_hook_outputs(&count);
    for (size_t i = 0; i < count; i++)
        gl_str_addf(&known, "%s%s", i > 0 ? ", " : "", outputs[i].name);
    return gl_fail(err, GL_E_USAGE, "--output %s: FORMAT or FORMAT=FILE, of %s", word,
                   gl_str_text(&known));
}

static int parse_outputs(struct gl_context *context, const struct gl_hook_values *values,
                         struct wanted_output *out, size_t *out_count, struct gl_error *err)
{
    size_t count = 0, on_stdout = 0;

    for (; count < values->outputs.count; count++) {
        if (parse_output(values->outputs.items[count], &out[count], err) != 0)
            return -1;
        on_stdout += out[count].file == NULL;
        if (out[count].file == NULL && strcmp(out[count].output->name, "json") == 0)
            context->globals.is_json = true;
    }
    if (on_stdout > 1)
        return gl_fail(err, GL_E_USAGE, "only one --output can go to standard output");
    if (on_stdout > 0 && !context->globals.is_json && values->fix != NULL &&
        strcmp(values->fix, "-") == 0)
        return gl_fail(err, GL_E_USAGE,
                       "--fix writes to standard output, and so would --output; say --fix=FILE");
    if (on_stdout == 0)
        out[count++] = (struct wanted_output){gl_hook_output_named("text"), NULL};
    *out_count = count;
    return 0;
}

static int write_outputs(struct gl_context *context, const struct gl_hook_report *report,
                         const struct wanted_output *outputs, size_t count, struct gl_error *err)
{
    for (size_t i = 0; i < count; i++) {
        GL_AUTO(gl_str_done) struct gl_str text = {0};

        if (outputs[i].file == NULL) {
            context->reply.is_document = outputs[i].output->is_document;
            if (!context->globals.is_json)
                outputs[i].output->render(report, context->columns, &context->reply.text);
            continue;
        }
        outputs[i].output->render(report, 80, &text);
        if (text.is_cut)
            return gl_fail(err, GL_E_TOO_LARGE, "--output %s: more than %zu MiB",
                           outputs[i].output->name, GL_STR_CEILING >> 20);
        if (gl_file_write_given(outputs[i].file, gl_str_text(&text), text.length, 0644, err) != 0)
            return gl_wrap(err, "--output %s", outputs[i].output->name);
    }
    if (context->globals.is_json)
        context->reply.data = gl_hook_report_json(report);
    return 0;
}

/* ---- judging ---- */

static void suggest(struct gl_context *context, const struct gl_hook_report *report)
{
    for (size_t i = 0; i < report->judged_count; i++) {
        const struct gl_judged *judged = &report->judged[i];
        const char *region = judged->intent->place.region;
        const char *type = judged->intent->machine.catalogue;
        GL_AUTO(gl_str_done) struct gl_str offer = {0};

        if (judged->verdict == GL_ALLOW)
            return;
        if (judged->intent->cloud == NULL || region == NULL || type == NULL ||
            gl_data_region(judged->intent->cloud, region) == NULL ||
            gl_data_type(judged->intent->cloud, type) == NULL)
            continue; /* names that tables know may be typed into a shell */
        gl_str_addf(&offer, "%s/%s/%s", judged->intent->cloud, region, type);
        gl_next(context, "every reason and the evidence",
                (const char *const[]){"greenlaunch", "why", gl_str_text(&offer), NULL});
        return;
    }
}

/* What a call of the command works on. */
struct judging {
    const struct gl_hook_values *values;
    struct gl_hook_plans *plans;
    struct gl_hook_baseline *baseline;
    struct wanted_output outputs[GL_OPTION_LIST_MAX + 1];
    size_t output_count;
    struct gl_hook_where where;
};

bool gl_hook_shows_digests(const struct gl_context *context, const struct gl_hook_values *values)
{
    bool is_any = context->globals.is_json || values->shows_facts;
    struct wanted_output wanted;
    struct gl_error err = {0};

    for (size_t i = 0; i < values->outputs.count; i++)
        is_any = is_any || parse_output(values->outputs.items[i], &wanted, &err) != 0 ||
                 wanted.output->shows_digests;
    return is_any;
}

/* Text names no files: what it costs to look through them is saved. */
static bool shows_places(const struct gl_context *context, const struct judging *judging)
{
    bool is_any = context->globals.is_json || judging->values->fix != NULL;

    for (size_t i = 0; i < judging->output_count; i++)
        is_any = is_any || judging->outputs[i].output->is_document;
    return is_any;
}

static int judge(struct gl_context *context, struct judging *judging,
                 const struct gl_ask_result *asked, struct gl_error *err)
{
    const struct gl_hook_values *values = judging->values;
    const struct gl_hook_plan *const *plans =
        (const struct gl_hook_plan *const *)judging->plans->items;
    GL_AUTO(gl_charge_tree_done) struct gl_charge_tree tree;
    struct gl_hook_ask ask =
        gl_hook_ask_of(context, values, asked, &tree, plans, judging->plans->count);
    struct gl_hook_report *report;
    int status;

    if (asked->policy->rule_count == 0)
        return no_rules(err);
    ask.baseline = judging->baseline;
    ask.has_no_digest = !gl_hook_shows_digests(context, values) && values->write_baseline == NULL;
    ask.locate = shows_places(context, judging) ? gl_hook_locate : NULL;
    ask.locate_cookie = &judging->where;
    ask.places = gl_hook_places(plans, ask.plan_count, &asked->request, asked->signals,
                                &judging->plans->arena, &ask.place_count);
    report = gl_hook_judge(&ask);
    context->reply.verdict = gl_verdict_word(report->verdict);
    suggest(context, report);
    report->next = context->reply.next;
    status = write_outputs(context, report, judging->outputs, judging->output_count, err);
    if (status == 0 && values->fix != NULL)
        status = gl_hook_write_fix(context, &judging->where, report, values->fix, err);
    if (status == 0)
        status = write_baseline(context, values, report, judging->baseline, err);
    if (status == 0) {
        status = report->exit;
        gl_hook_note_demand(context, &ask, report);
    }
    gl_hook_report_free(report);
    return status;
}

static int run_judging(struct gl_context *context, struct judging *judging, struct gl_error *err)
{
    struct gl_hook_plans *plans = judging->plans;
    struct gl_hook_wanted wanted;
    struct gl_ask_result asked;
    struct gl_ask ask = judging->values->ask;
    int status;

    if (read_baseline(context, judging->values, &judging->baseline, err) != 0)
        return -1;
    gl_hook_want((const struct gl_hook_plan *const *)plans->items, plans->count, &plans->arena,
                 &wanted);
    if (gl_ask_gather(context, &ask, wanted.clouds, wanted.types, &asked, err) != 0)
        return -1;
    status = judge(context, judging, &asked, err);
    gl_ask_result_done(&asked);
    return status;
}

static int show_facts(struct gl_context *context, const struct gl_hook_plans *plans)
{
    json_t *list = json_array();
    GL_AUTO(gl_auto_free) char *pretty = NULL;
    GL_AUTO(gl_str_done) struct gl_str text = {.ceiling = SIZE_MAX / 2};

    for (size_t i = 0; i < plans->count; i++)
        json_array_append_new(list, gl_hook_plan_json(plans->items[i]));
    if (plans->count == 1) {
        context->reply.data = json_incref(json_array_get(list, 0));
        json_decref(list);
    } else {
        context->reply.data = json_pack("{s:o}", "plans", list);
    }
    pretty = gl_json_pretty(context->reply.data);
    gl_str_add(&text, pretty);
    gl_str_add_char(&text, '\n');
    gl_escape_json(&text);
    gl_str_done(&context->reply.text);
    context->reply.text = text;
    text = (struct gl_str){0};
    return GL_EXIT_OK;
}

/* ---- the command ---- */

/* Whoever reads the policy checks it; early, so that nothing is started for another one. */
static int check_pin(struct gl_context *context, struct gl_error *err)
{
    struct gl_policy *policy = gl_context_policy(context, "command-line", NULL, err);

    gl_policy_free(policy);
    return policy != NULL ? 0 : -1;
}

int gl_hook_plans_check(struct gl_context *context, const struct gl_hook_values *values,
                        struct gl_error *err)
{
    struct judging judging = {.values = values};

    if (parse_outputs(context, values, judging.outputs, &judging.output_count, err) != 0 ||
        check_baseline_options(values, err) != 0 ||
        gl_hook_where_check(values->repo_root, err) != 0)
        return -1;
    return context->policy_pin != NULL ? check_pin(context, err) : 0;
}

int gl_hook_rules_check(struct gl_context *context, const struct gl_hook_values *values,
                        struct gl_error *err)
{
    static const char *const none[] = {NULL};
    struct gl_hook_baseline *baseline = NULL;
    struct gl_ask_result asked;
    size_t rules;

    if (gl_hook_plans_check(context, values, err) != 0 ||
        read_baseline(context, values, &baseline, err) != 0)
        return -1;
    gl_hook_baseline_free(baseline);
    if (gl_ask_gather(context, &values->ask, none, none, &asked, err) != 0)
        return -1;
    rules = asked.policy->rule_count;
    gl_ask_result_done(&asked);
    return rules > 0 ? 0 : no_rules(err);
}

int gl_hook_plans_judge(struct gl_context *context, const struct gl_hook_values *values,
                        struct gl_hook_plans *plans, struct gl_error *err)
{
    struct judging judging = {
        .values = values, .plans = plans, .where = {.given = values->repo_root, .plans = plans}};
    int status;

    if (parse_outputs(context, values, judging.outputs, &judging.output_count, err) != 0)
        return -1;
    status = run_judging(context, &judging, err);
    gl_hook_baseline_free(judging.baseline);
    gl_hook_where_done(&judging.where);
    return status;
}

static int run_on_plans(struct gl_context *context, const struct gl_hook_values *values,
                        const struct gl_operands *operands, struct gl_error *err)
{
    const char *word = operands->words[0];
    bool is_facts = strcmp(word, "facts") == 0;
    const char *named = is_facts ? (operands->count > 1 ? operands->words[1] : "") : word;
    bool has_reader = gl_hook_reader_named(named) != NULL;
    size_t first = (is_facts ? 1U : 0U) + (has_reader ? 1U : 0U);
    struct gl_hook_values own = *values;
    struct gl_hook_plans plans;
    int status;

    own.shows_facts = is_facts;
    if (operands->count == first && has_reader && gl_file_exists(named))
        return gl_fail(err, GL_E_USAGE, "%s names a reader; ./%s is the file or folder", named,
                       named);
    if (operands->count == first)
        return gl_fail(err, GL_E_USAGE,
                       "hook %s needs a plan: FILE, a folder, or - for standard input", word);
    if (gl_hook_plans_check(context, values, err) != 0 ||
        gl_hook_plans_read(context, &own, has_reader ? named : NULL, operands, first, &plans,
                           err) != 0)
        return -1;
    status =
        is_facts ? show_facts(context, &plans) : gl_hook_plans_judge(context, values, &plans, err);
    gl_hook_plans_done(&plans);
    return status;
}

/* hook terraform --run -- terraform apply */
static int run_wrapped(struct gl_context *context, const struct gl_hook_values *values,
                       const struct gl_call *call, struct gl_error *err)
{
    const struct gl_operands *operands = call->operands;

    if (operands->count != 1 || gl_hook_reader_named(operands->words[0]) != &gl_reader_terraform)
        return gl_fail(err, GL_E_USAGE,
                       "--run is for Terraform and OpenTofu: greenlaunch hook terraform --run -- "
                       "terraform apply");
    return gl_hook_run(context, values, operands->words[0], call->rest, err);
}

static int dispatch(struct gl_context *context, const struct gl_hook_values *values,
                    const struct gl_call *call, struct gl_error *err)
{
    const char *word;

    if (values->runs)
        return run_wrapped(context, values, call, err);
    if (gl_help_operands(&gl_command_hook, call, 1, 64, err) != 0)
        return -1;
    word = call->operands->words[0];
    if (strcmp(word, "mapping") == 0)
        return gl_hook_mapping_run(context, values, call->operands, err);
    if (strcmp(word, "external") == 0 && call->operands->count == 1)
        return gl_hook_external(context, values, err);
    if (strcmp(word, "serve-runtask") == 0 && call->operands->count == 1)
        return gl_hook_serve_runtask(context, values, err);
    if (strcmp(word, "serve-admission") == 0 && call->operands->count == 1)
        return gl_hook_serve_admission(context, values, err);
    if (strcmp(word, "install") == 0)
        return gl_hook_install(context, values, call->operands, err);
    return run_on_plans(context, values, call->operands, err);
}

static bool is_server(const struct gl_call *call)
{
    return call->operands->count > 0 && strncmp(call->operands->words[0], "serve-", 6) == 0;
}

/* What neither digest nor commit covers, but loosens the gate as well. */
static int check_unpinned(const struct gl_hook_values *values, struct gl_error *err)
{
    bool has_ref = values->policy_ref != NULL; /* the baseline stands in it, too */

    if (!has_ref && values->policy_digest == NULL)
        return 0;
    if (gl_hook_check_outside("--mapping-dir", values->mapping_dir,
                              "say what is a machine; keep it elsewhere", err) != 0 ||
        (!has_ref &&
         gl_hook_check_outside("--baseline", values->baseline,
                               "excuse itself; --policy-ref reads one from a commit", err) != 0))
        return -1;
    return 0;
}

static int run(struct gl_context *context, const struct gl_call *call, struct gl_error *err)
{
    struct gl_hook_values values = *(const struct gl_hook_values *)call->values;
    struct gl_hook_ref ref = {.name = values.policy_ref, .is_followed = is_server(call)};
    const struct gl_policy_source source = gl_hook_source_of(&ref);
    struct gl_hash pin;
    int status;

    values.ask.gate =
        values.point != NULL && strcmp(values.point, "apply") == 0 ? GL_AT_APPLY : GL_AT_PLAN;
    values.ask.count = INT64_MIN;
    if (values.policy_digest != NULL &&
        gl_hex_parse(values.policy_digest, pin.bytes, sizeof pin.bytes, err) != 0)
        return gl_wrap(err, "--policy-digest");
    if ((ref.name != NULL && gl_hook_ref_resolve(&ref, err) != 0) ||
        check_unpinned(&values, err) != 0)
        return -1;
    context->policy_pin = values.policy_digest != NULL ? &pin : NULL;
    context->policy_source = ref.name != NULL ? &source : NULL;
    status = dispatch(context, &values, call, err);
    context->policy_source = NULL;
    context->policy_pin = NULL;
    return status;
}

const struct gl_command gl_command_hook = {
    .name = "hook",
    .group = "Look",
    .summary = "judge the plan of an infrastructure tool before it is applied",
    .operands = "[READER] FILE... | terraform --run -- terraform apply | facts [READER] FILE... | "
                "mapping list|lint | external | install PLACE | serve-runtask | serve-admission",
    .description =
        "Reads plans (a file, several, a folder of them, or - for standard input), finds what "
        "they would launch, where and how many, and judges every launch by the same rules as "
        "`launch`. What the plan does not say is unknown, and unknown is not green. READER is "
        "terraform or tofu (plans as JSON or binary), pulumi (preview --json), cloudformation or "
        "cdk (templates, cdk.out), kubernetes or k8s (manifests); without it the plan is "
        "recognised. The status is that of the worst: refused, over budget, "
        "unknown, later, fine. With --run the plan is made, judged, agreed to, judged again and "
        "applied, that very file. `hook facts` shows what was understood, without a policy; `hook "
        "mapping` the resource types that are known; `hook external` answers Terraform's data "
        "source of that name; `hook install` puts the hook into terraform, pre-commit, github, "
        "gitlab, atlantis or terragrunt, after it has shown the change and asked. Nothing of a "
        "plan but addresses, places, "
        "machine types, counts and tags is kept or printed. See docs/hook.md.",
    .example = "$ terraform show -json plan.out | greenlaunch hook terraform - \\\n"
               "    --policy policy.yaml",
    .options = options,
    .values_size = sizeof(struct gl_hook_values),
    .run = run,
};
