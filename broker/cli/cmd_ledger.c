/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/time.h"
#include "broker/cli/command.h"
#include "broker/tie.h"

struct ledger_values {
    const char *launch;
    int64_t limit;
};

static const struct gl_option options[] = {
    {"launch", 0, GL_OPT_TEXT, offsetof(struct ledger_values, launch), "LAUNCH",
     "only events of this launch", NULL, NULL, NULL, 0, 0, 0, "instance"},
    {"limit", 0, GL_OPT_INTEGER, offsetof(struct ledger_values, limit), "N",
     "show: the last N events (default 20)", NULL, NULL, NULL, 1, 1000000, 0, NULL},
    {0},
};

/* Plan and receipt of a launch stand beside the chain: their hashes are in it. */
static int check_rows(struct gl_ledger *ledger, struct gl_error *err)
{
    GL_AUTO(gl_launch_rows_free) struct gl_launch_rows rows = {0};

    if (gl_ledger_launches(ledger, NULL, &rows, err) != 0)
        return -1;
    for (size_t i = 0; i < rows.count; i++)
        if (gl_tie_row(ledger, &rows.rows[i], err) != 0)
            return -1;
    return 0;
}

static int check(struct gl_context *context, struct gl_ledger *ledger,
                 const struct ledger_values *values, struct gl_error *err)
{
    struct gl_ledger_check found;

    (void)values;
    if (gl_ledger_check(ledger, &found, err) != 0 || check_rows(ledger, err) != 0)
        return -1;
    gl_str_addf(&context->reply.text, "%" PRId64 " event%s, chain intact, head %.16s...\n",
                found.events, found.events == 1 ? "" : "s", found.head);
    gl_str_addf(&context->reply.text, "%" PRId64 " launch%s\n", found.launches,
                found.launches == 1 ? "" : "es");
    context->reply.data = json_pack("{s:I,s:I,s:s}", "events", (json_int_t)found.events, "launches",
                                    (json_int_t)found.launches, "head", found.head);
    return GL_EXIT_OK;
}

static int keep_event(void *cookie, const json_t *event)
{
    json_array_append_new(cookie, json_deep_copy(event));
    return 0;
}

static int collect(struct gl_ledger *ledger, const struct ledger_values *values, json_t **out,
                   struct gl_error *err)
{
    json_t *events = json_array();

    if (gl_ledger_events(ledger, values->launch, events, keep_event, err) != 0) {
        json_decref(events);
        return -1;
    }
    *out = events;
    return 0;
}

static void event_line(const json_t *event, unsigned columns, struct gl_str *out)
{
    GL_AUTO(gl_auto_free) char *body = json_dumps(json_object_get(event, "body"), JSON_COMPACT);
    char at[GL_INSTANT_TEXT];
    int64_t at_ms = json_integer_value(json_object_get(event, "at_ms"));
    size_t start = out->length;

    gl_str_addf(out, "%5" JSON_INTEGER_FORMAT "  %s  %-9s %-12s ",
                json_integer_value(json_object_get(event, "seq")),
                gl_instant_text((struct gl_instant){at_ms / 1000}, at),
                json_string_value(json_object_get(event, "kind")),
                json_string_value(json_object_get(event, "launch")));
    size_t left = columns > out->length - start + 4 ? columns - (out->length - start) - 3 : 8;
    gl_str_addf(out, "%.*s%s\n", (int)left, body, strlen(body) > left ? "..." : "");
}

static int show(struct gl_context *context, struct gl_ledger *ledger,
                const struct ledger_values *values, struct gl_error *err)
{
    size_t limit = values->limit == INT64_MIN ? 20 : (size_t)values->limit;
    json_t *events, *last;
    size_t count;

    if (collect(ledger, values, &events, err) != 0)
        return -1;
    count = json_array_size(events);
    last = json_array();
    for (size_t i = count > limit ? count - limit : 0; i < count; i++) {
        event_line(json_array_get(events, i), context->columns, &context->reply.text);
        json_array_append(last, json_array_get(events, i));
    }
    if (count == 0)
        gl_str_add(&context->reply.text, "The ledger is empty.\n");
    json_decref(events);
    context->reply.data = json_pack("{s:o,s:I}", "events", last, "total", (json_int_t)count);
    return GL_EXIT_OK;
}

/* Every event as canonical JSON, one a line: enough to recompute the chain elsewhere. */
static int export(struct gl_context *context, struct gl_ledger *ledger,
                  const struct ledger_values *values, struct gl_error *err)
{
    json_t *events, *event;
    size_t i;

    if (collect(ledger, values, &events, err) != 0)
        return -1;
    json_array_foreach(events, i, event)
    {
        GL_AUTO(gl_auto_free) char *line = gl_json_canonical(event, err);

        if (line == NULL) {
            json_decref(events);
            return -1;
        }
        gl_str_addf(&context->reply.text, "%s\n", line);
    }
    context->reply.data = json_pack("{s:o}", "events", events);
    return GL_EXIT_OK;
}

static int run(struct gl_context *context, const struct gl_call *call, struct gl_error *err)
{
    static const struct {
        const char *word;
        int (*run)(struct gl_context *, struct gl_ledger *, const struct ledger_values *,
                   struct gl_error *);
    } verbs[] = {{"check", check}, {"show", show}, {"export", export}};
    const char *word = call->operands->count == 1 ? call->operands->words[0] : "";
    struct gl_ledger *ledger;

    for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++)
        if (strcmp(verbs[i].word, word) == 0) {
            ledger = gl_context_ledger(context, err);
            return ledger == NULL ? -1 : verbs[i].run(context, ledger, call->values, err);
        }
    return gl_fail(err, GL_E_USAGE, "say one of: greenlaunch ledger check | show | export");
}

const struct gl_command gl_command_ledger = {
    .name = "ledger",
    .group = "Prove",
    .summary = "check, show or export the append-only record of everything done",
    .operands = "check|show|export",
    .description =
        "check recomputes the hash chain and names the first event that was changed, and holds "
        "every launch's plan and receipt against their hashes in it; "
        "show prints the last events, also those of commands metered on this machine (metered); "
        "export prints all of them, one JSON object a line.",
    .example = "greenlaunch ledger check",
    .options = options,
    .values_size = sizeof(struct ledger_values),
    .run = run,
};
