/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/time.h"
#include "broker/cli/command.h"
#include "broker/render/table.h"
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

/* ---- receipts that the ledger does not know ---- */

static int see_event(void *cookie, const json_t *event)
{
    (void)event;
    *(bool *)cookie = true;
    return 1;
}

/* Is this the file of a receipt, and of a launch without an event? */
static int is_stranger(struct gl_ledger *ledger, const char *file, bool *out, struct gl_error *err)
{
    static const char ending[] = ".json";
    size_t length = strlen(file), tail = sizeof ending - 1;
    bool is_known = false;
    char launch[NAME_MAX + 1];

    *out = false;
    if (file[0] == '.' || length <= tail || strcmp(file + length - tail, ending) != 0)
        return 0;
    snprintf(launch, sizeof launch, "%.*s", (int)(length - tail), file);
    if (gl_ledger_events(ledger, launch, &is_known, see_event, err) != 0)
        return -1;
    *out = !is_known;
    return 0;
}

/* A ledger that was deleted looks whole and empty: the receipts tell that there was one. */
static int count_strangers(struct gl_context *context, struct gl_ledger *ledger, size_t *out,
                           struct gl_error *err)
{
    GL_AUTO(gl_auto_free) char *path = gl_path_join(context->state_folder, "receipts");
    DIR *folder = opendir(path);
    const struct dirent *entry;
    bool is_one;
    int rc = 0;

    *out = 0;
    while (rc == 0 && folder != NULL && (entry = readdir(folder)) != NULL) {
        rc = is_stranger(ledger, entry->d_name, &is_one, err);
        *out += rc == 0 && is_one;
    }
    if (folder != NULL)
        closedir(folder);
    if (rc == 0 && *out > 0)
        gl_warn(context, "GL9002",
                "%zu receipt%s of which this ledger knows nothing: it was deleted, or is another "
                "one",
                *out, *out == 1 ? "" : "s");
    return rc;
}

/* ---- the verbs ---- */

static int check(struct gl_context *context, struct gl_ledger *ledger,
                 const struct ledger_values *values, struct gl_error *err)
{
    struct gl_ledger_check found;
    size_t strangers;

    (void)values;
    if (gl_ledger_check(ledger, &found, err) != 0 || check_rows(ledger, err) != 0 ||
        count_strangers(context, ledger, &strangers, err) != 0)
        return -1;
    gl_str_addf(&context->reply.text, "%" PRId64 " event%s, chain intact, head %.16s...\n",
                found.events, found.events == 1 ? "" : "s", found.head);
    gl_str_addf(&context->reply.text, "%" PRId64 " launch%s\n", found.launches,
                found.launches == 1 ? "" : "es");
    context->reply.data = json_pack("{s:I,s:I,s:s,s:I}", "events", (json_int_t)found.events,
                                    "launches", (json_int_t)found.launches, "head", found.head,
                                    "unknown_receipts", (json_int_t)strangers);
    return GL_EXIT_OK;
}

static int keep_event(void *cookie, const json_t *event)
{
    json_array_append_new(cookie, json_deep_copy(event));
    return 0;
}

static int collect(struct gl_context *context, struct gl_ledger *ledger,
                   const struct ledger_values *values, json_t **out, struct gl_error *err)
{
    json_t *events = json_array();
    size_t strangers;

    if (gl_ledger_events(ledger, values->launch, events, keep_event, err) != 0 ||
        (json_array_size(events) == 0 && values->launch == NULL &&
         count_strangers(context, ledger, &strangers, err) != 0)) {
        json_decref(events);
        return -1;
    }
    *out = events;
    return 0;
}

/* Only the last one may be cut. */
static const struct gl_column columns[] = {
    {"EVENT", true, 0},  {"AT", true, 0},    {"KIND", false, 0},
    {"LAUNCH", true, 0}, {"WHAT", false, 0},
};

/* What is for programs: hashes, and times beside the event's own. */
static bool is_for_people(const char *key)
{
    static const char *const endings[] = {"_sha256", "_ms", "token", "boot", "state"};
    size_t length = strlen(key);

    for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++)
        if (length >= strlen(endings[i]) &&
            strcmp(key + length - strlen(endings[i]), endings[i]) == 0)
            return false;
    return true;
}

/* The plain members of an event's body: "cloud local, region this-machine". */
static void body_text(json_t *body, struct gl_str *out)
{
    const char *key;
    json_t *value;

    json_object_foreach(body, key, value)
    {
        if (!is_for_people(key) || json_is_object(value) || json_is_array(value) ||
            json_is_null(value))
            continue;
        GL_AUTO(gl_auto_free) char *plain = json_dumps(value, JSON_ENCODE_ANY);

        gl_str_addf(out, "%s%s %s", out->length > 0 ? ", " : "", key,
                    json_is_string(value) ? json_string_value(value) : plain);
    }
}

static void add_event(struct gl_table *table, const json_t *event)
{
    GL_AUTO(gl_str_done) struct gl_str what = {0};
    char seq[24], at[GL_INSTANT_TEXT];
    int64_t at_ms = json_integer_value(json_object_get(event, "at_ms"));

    snprintf(seq, sizeof seq, "%" JSON_INTEGER_FORMAT,
             json_integer_value(json_object_get(event, "seq")));
    body_text(json_object_get(event, "body"), &what);
    gl_table_row(table,
                 (const char *const[]){seq, gl_instant_text((struct gl_instant){at_ms / 1000}, at),
                                       json_string_value(json_object_get(event, "kind")),
                                       json_string_value(json_object_get(event, "launch")),
                                       gl_str_text(&what)});
}

static int show(struct gl_context *context, struct gl_ledger *ledger,
                const struct ledger_values *values, struct gl_error *err)
{
    size_t limit = values->limit == INT64_MIN ? 20 : (size_t)values->limit, count;
    struct gl_table *table;
    json_t *events, *last;

    if (collect(context, ledger, values, &events, err) != 0)
        return -1;
    count = json_array_size(events);
    last = json_array();
    table = gl_table_new(columns, sizeof columns / sizeof columns[0]);
    for (size_t i = count > limit ? count - limit : 0; i < count; i++) {
        add_event(table, json_array_get(events, i));
        json_array_append(last, json_array_get(events, i));
    }
    if (count == 0)
        gl_str_add(&context->reply.text, "The ledger is empty.\n");
    else
        gl_table_text(table, context->columns, context->globals.is_accessible,
                      &context->reply.text);
    gl_table_free(table);
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

    if (collect(context, ledger, values, &events, err) != 0)
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
            ledger = gl_context_ledger_to_look(context, err);
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
        "every launch's plan and receipt against their hashes in it, and warns of receipts of "
        "which a ledger that was deleted knows nothing; "
        "show prints the last events with what a person would ask of them (--json: all of it), "
        "also those of commands metered on this machine (metered); "
        "export prints all of them, one JSON object a line.",
    .example = "greenlaunch ledger check",
    .options = options,
    .values_size = sizeof(struct ledger_values),
    .run = run,
};
