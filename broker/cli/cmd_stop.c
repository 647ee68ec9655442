/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/cli/start_instance.h"
#include "broker/cli/unknown.h"

#define WAIT ((struct gl_span){10})

struct stop_values {
    bool is_all_mine;
};

static const struct gl_option options[] = {
    {"all-mine", 0, GL_OPT_FLAG, offsetof(struct stop_values, is_all_mine), NULL,
     "stop everything greenlaunch started, found by label even without the ledger", NULL, NULL,
     NULL, 0, 0, 0, NULL},
    {0},
};

/* ---- what became of each ---- */

struct sweep {
    struct gl_context *context;
    struct gl_launcher *launcher;
    json_t *receipts; /* data.receipts: one member an instance; borrowed */
    size_t stopped;   /* nothing of them runs any more */
    size_t unwritten; /* of these, those that could not be written down */
    size_t failed;
    size_t unasked;        /* of the failed, clouds that nobody could ask what runs there */
    struct gl_error first; /* of the unwritten and the failed */
};

static json_t *entry_of(struct sweep *sweep, const char *launch)
{
    json_t *entry;
    size_t i;

    json_array_foreach(sweep->receipts, i, entry)
    {
        const char *text = json_string_value(json_object_get(entry, "launch"));

        if (text != NULL && strcmp(text, launch) == 0)
            return entry;
    }
    return NULL;
}

static void add_entry(struct sweep *sweep, json_t *entry, const char *result, const char *message)
{
    json_object_set_new(entry, "result", json_string(result));
    json_object_set_new(entry, "message", message != NULL ? json_string(message) : json_null());
    if (json_object_get(entry, "receipt") == NULL)
        json_object_set_new(entry, "receipt", json_null());
    json_array_append_new(sweep->receipts, entry);
}

/* Its figures and where its receipt lies: as text, and as the members that its entry gets. */
static json_t *show(struct gl_context *context, const struct gl_launcher *launcher,
                    const char *receipt, struct gl_error *err)
{
    json_t *data = context->reply.data, *entry;
    const char *launch;
    const json_t *meter;
    const char *note;

    context->reply.data = NULL;
    if (gl_act_show_receipt(context, receipt, err) != 0) {
        context->reply.data = data;
        return NULL;
    }
    entry = context->reply.data;
    launch = json_string_value(json_object_get(entry, "launch"));
    if (launch != NULL)
        gl_start_point_to_receipt(context, launcher, launch);
    context->reply.data = data;
    meter =
        json_object_get(json_object_get(json_object_get(entry, "receipt"), "evidence"), "meter");
    note = json_string_value(json_object_get(meter, "note"));
    if (note != NULL)
        gl_warn(context, "GL9001", "%s: %s", launch, note);
    return entry;
}

static void add_failure(struct sweep *sweep, const char *name, bool is_over,
                        const struct gl_error *err)
{
    if (sweep->unwritten + sweep->failed == 0)
        sweep->first = *err;
    sweep->stopped += is_over;
    sweep->unwritten += is_over;
    sweep->failed += !is_over;
    add_entry(sweep, json_pack("{s:s*}", "launch", name), is_over ? "unwritten" : "failed",
              err->text);
}

/* ---- without the ledger ---- */

/* There is nothing to account it to: its readings stay where they are. */
static void stop_unknown(struct sweep *sweep, const struct gl_unknown *unknown)
{
    const struct gl_instance *instance = &unknown->instance;
    json_t *before = entry_of(sweep, instance->launch_id), *entry;
    struct gl_error err = {0};
    char message[512];
    int result;

    gl_progress(sweep->context, "stopping %s %s", unknown->cloud, instance->id);
    result = gl_unknown_stop(sweep->launcher, unknown, WAIT, &err);
    gl_progress_end(sweep->context);
    if (result != 0 && before == NULL)
        add_failure(sweep, instance->launch_id, false, &err);
    if (result != 0)
        return;
    snprintf(message, sizeof message,
             "%s was not in the ledger: stopped without a receipt; its readings stay in %s",
             instance->id, instance->console);
    gl_warn(sweep->context, "GL5008", "%s", message);
    gl_str_addf(&sweep->context->reply.text, "Stopped %s, which the ledger did not know\n",
                instance->launch_id);
    sweep->stopped++;
    if (before == NULL) {
        entry = gl_unknown_json(unknown);
        json_object_set_new(entry, "state", json_string(gl_instance_state_word(GL_STATE_ENDED)));
        add_entry(sweep, entry, "stopped", message);
        return;
    }
    sweep->failed--; /* it was tried through the ledger first */
    json_object_set_new(before, "result", json_string("stopped"));
}

/* A name that the ledger does not know may be that of an instance it has lost. */
static bool stop_by_label(struct sweep *sweep, const char *name)
{
    GL_AUTO(gl_unknowns_done) struct gl_unknowns unknowns;
    bool is_found = false;

    gl_unknowns_find(sweep->context, sweep->launcher, &unknowns);
    for (size_t i = 0; i < unknowns.count && !is_found; i++)
        if (strcmp(unknowns.items[i].instance.launch_id, name) == 0 ||
            strcmp(unknowns.items[i].instance.id, name) == 0) {
            stop_unknown(sweep, &unknowns.items[i]);
            is_found = true;
        }
    return is_found;
}

/* ---- with it ---- */

static void stop_one(struct sweep *sweep, const char *name)
{
    struct gl_ending ending = {.wait = WAIT, .exit_status = -1};
    struct gl_error err = {0};
    json_t *entry = NULL;

    gl_progress(sweep->context, "stopping %s, waiting for the final reading", name);
    if (gl_launch_finish(sweep->launcher, name, &ending, &err) == 0) {
        gl_progress_end(sweep->context);
        entry = show(sweep->context, sweep->launcher, ending.receipt, &err);
        free(ending.receipt);
    }
    gl_progress_end(sweep->context);
    if (entry != NULL) {
        sweep->stopped++;
        add_entry(sweep, entry, "stopped", NULL);
    } else if (err.code != GL_E_UNKNOWN_NAME || !stop_by_label(sweep, name)) {
        add_failure(sweep, name, ending.is_over, &err);
    }
}

/* Its cloud has not answered a moment ago: the others are not kept waiting for it. */
static void add_unasked(struct sweep *sweep, const struct gl_launch_row *row)
{
    struct gl_error err = {0};

    gl_fail(&err, GL_E_NETWORK, "%s cannot be asked: it may still run", row->cloud);
    add_failure(sweep, row->launch, false, &err);
}

/* What runs on a cloud that asks for time is stopped all the same, after the others. */
enum turn { AT_ONCE, LAST, NOT_ASKED };

static enum turn turn_of(const struct sweep *sweep, const struct gl_launch_row *row)
{
    const struct gl_error *why = gl_launcher_silence(sweep->launcher, row->cloud);

    return why == NULL ? AT_ONCE : why->code == GL_E_RATE_LIMIT ? LAST : NOT_ASKED;
}

static int stop_known(struct sweep *sweep, struct gl_error *err)
{
    GL_AUTO(gl_launch_rows_free) struct gl_launch_rows rows = {0};

    if (gl_ledger_launches(sweep->launcher->ledger, NULL, &rows, err) != 0)
        return -1;
    for (enum turn turn = AT_ONCE; turn <= NOT_ASKED; turn++)
        for (size_t i = 0; i < rows.count; i++)
            if (!gl_launch_row_is_over(&rows.rows[i]) && turn_of(sweep, &rows.rows[i]) == turn) {
                if (turn == NOT_ASKED)
                    add_unasked(sweep, &rows.rows[i]);
                else
                    stop_one(sweep, rows.rows[i].launch);
            }
    return 0;
}

/* What was asked for time is asked again: nothing of ours may run on unseen. */
static void forget_throttled(struct gl_silent *silent)
{
    size_t kept = 0;

    for (size_t i = 0; i < silent->count; i++)
        if (silent->items[i].why.code != GL_E_RATE_LIMIT)
            silent->items[kept++] = silent->items[i];
    silent->count = kept;
}

/* Regions that these credentials may not look at: what of ours runs there goes on. */
static void add_unseen(struct sweep *sweep, const char *where)
{
    struct gl_error err = {0};

    gl_fail(&err, GL_E_PERMISSION, "not allowed to look at %s", where);
    add_failure(sweep, NULL, false, &err);
    sweep->unasked++;
}

static int stop_all(struct sweep *sweep, struct gl_error *err)
{
    GL_AUTO(gl_unknowns_done) struct gl_unknowns unknowns = {0};
    struct gl_context *context = sweep->context;
    struct gl_error ledger_error = {0};
    struct gl_silent silent;

    /* A broken ledger must not keep anything running. */
    if (gl_act_launcher_to_look(context, sweep->launcher, &ledger_error) != 0 ||
        gl_act_reconcile(context, sweep->launcher, &ledger_error) != 0 ||
        stop_known(sweep, &ledger_error) != 0)
        gl_warn(context, "GL1002", "the ledger cannot be used (%s): stopping by label only",
                ledger_error.text);
    silent = sweep->launcher->silent;
    forget_throttled(&silent);
    gl_act_launcher_without_ledger(context, sweep->launcher);
    sweep->launcher->silent = silent;
    if (gl_context_state(context, err) == NULL)
        return -1;
    gl_unknowns_find(context, sweep->launcher, &unknowns);
    for (size_t i = 0; i < unknowns.count; i++)
        stop_unknown(sweep, &unknowns.items[i]);
    sweep->unasked = unknowns.unasked > 0 && unknowns.answered > 0;
    if (unknowns.unasked > 0)
        add_failure(sweep, NULL, false,
                    &(struct gl_error){.code = GL_E_PROVIDER,
                                       .text = "a cloud could not be asked what runs there"});
    if (unknowns.unseen[0] != '\0')
        add_unseen(sweep, unknowns.unseen);
    gl_str_addf(&context->reply.text, "%zu stopped, %zu failed", sweep->stopped, sweep->failed);
    if (sweep->unwritten > 0)
        gl_str_addf(&context->reply.text, "; %zu stopped that the ledger could not note",
                    sweep->unwritten);
    gl_str_add_char(&context->reply.text, '\n');
    return 0;
}

static int stop_named(struct sweep *sweep, const struct gl_operands *names, struct gl_error *err)
{
    if (names->count == 0)
        return gl_fail(err, GL_E_USAGE, "name what to stop: greenlaunch stop NAME, or --all-mine");
    if (gl_act_launcher_to_look(sweep->context, sweep->launcher, err) != 0 ||
        gl_act_reconcile(sweep->context, sweep->launcher, err) != 0)
        return -1;
    for (size_t i = 0; i < names->count; i++)
        stop_one(sweep, names->words[i]);
    return 0;
}

/* All went wrong: the error. Some: partial, and a warning. */
static int conclude(struct sweep *sweep, struct gl_error *err)
{
    size_t done = sweep->stopped - sweep->unwritten;

    if (sweep->unwritten + sweep->failed == 0)
        return GL_EXIT_OK;
    /* Where only a cloud could not be asked, the others were. */
    if (done == 0 && sweep->failed + sweep->unwritten > sweep->unasked &&
        (sweep->stopped == 0 || sweep->failed == 0)) {
        *err = sweep->first;
        return -1;
    }
    gl_warn(sweep->context, "GL5002", "%zu not stopped, %zu stopped and not written down: %s",
            sweep->failed, sweep->unwritten, sweep->first.text);
    return GL_EXIT_PARTIAL;
}

static int run(struct gl_context *context, const struct gl_call *call, struct gl_error *err)
{
    const struct stop_values *values = call->values;
    struct gl_launcher launcher = {0};
    struct sweep sweep = {.context = context, .launcher = &launcher, .receipts = json_array()};
    int result;

    context->reply.data = json_pack("{s:o}", "receipts", sweep.receipts);
    result = values->is_all_mine ? stop_all(&sweep, err) : stop_named(&sweep, call->operands, err);
    if (result != 0)
        return -1;
    json_object_set_new(context->reply.data, "stopped", json_integer((json_int_t)sweep.stopped));
    json_object_set_new(context->reply.data, "failed", json_integer((json_int_t)sweep.failed));
    return conclude(&sweep, err);
}

const struct gl_command gl_command_stop = {
    .name = "stop",
    .group = "Act",
    .summary = "stop an instance and print what it cost",
    .operands = "[NAME ...]",
    .description =
        "Waits for the meter's final reading, ends the instance, writes the receipt. A launch that "
        "ended already only prints its receipt again. An instance that the ledger has lost is "
        "found by its label and stopped without a receipt. With --json, data.receipts has one "
        "member an instance, whose result is stopped, unwritten (it is stopped, but the ledger "
        "could not be written: free space and run status) or failed. Where the credentials may not "
        "look, --all-mine names the regions and ends with 10: what runs there goes on.",
    .example = "greenlaunch stop --all-mine",
    .options = options,
    .values_size = sizeof(struct stop_values),
    .run = run,
};
