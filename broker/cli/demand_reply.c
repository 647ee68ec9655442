/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/cli/demand_reply.h"

#include "broker/cli/again.h"

#include <inttypes.h>
#include <stdio.h>

size_t gl_demand_of_ask(struct gl_context *context, const struct gl_ask_result *asked,
                        struct gl_demand out[GL_DEMAND_PLACES])
{
    const struct gl_question question = gl_ask_question(asked);
    const struct gl_demand like = gl_demand_begin(&context->world, NULL, context->is_demo);

    return gl_demand_of_decision(&question, asked->decision, &like, out);
}

struct gl_demand_threshold gl_demand_threshold_of(const struct gl_context *context)
{
    const struct gl_demand_threshold *said = &context->config.request;

    return (struct gl_demand_threshold){said->refused > 0 ? said->refused : 5,
                                        said->days > 0 ? said->days : 3};
}

/* One launch more, or none, and it may be worth a request: never where a limit of the user's own
 * decided. */
static void tell_next(struct gl_context *context, const struct gl_demand *first,
                      const struct gl_demand_told *told)
{
    const char *const words[] = {"request", "observe", told->id, NULL};

    if (context->is_demo || gl_demand_is_own(first) ||
        told->seen + 1 < gl_demand_threshold_of(context).refused)
        return;
    gl_str_add(&context->reply.text, "Is it worth a request to the provider?\n");
    gl_again_show(context, words);
    gl_next(context, "see what is missing, and whether it is worth a request", words);
}

int gl_demand_say(struct gl_context *context, const struct gl_demand *signals, size_t count,
                  struct gl_error *err)
{
    struct gl_ledger *ledger;
    struct gl_demand_told told;

    if (count == 0) {
        gl_str_add(&context->reply.text, "Nothing was started.\n");
        return 0;
    }
    ledger = gl_context_ledger(context, err);
    if (ledger == NULL || gl_demand_record(ledger, signals, count, &told, err) != 0)
        return -1;
    gl_str_addf(&context->reply.text,
                "Nothing was started. Demand recorded on this machine only: %s, seen %" PRId64
                " time%s.\n",
                told.id, told.seen, told.seen == 1 ? "" : "s");
    tell_next(context, &signals[0], &told);
    json_object_set_new(context->reply.data, "demand",
                        json_pack("{s:s,s:I}", "id", told.id, "seen", (json_int_t)told.seen));
    return 0;
}

static void warn_unrecorded(struct gl_context *context, const char *what,
                            const struct gl_error *failed)
{
    char code[16];

    if (context->globals.is_json)
        return;
    snprintf(code, sizeof code, "GL%d", (int)failed->code);
    gl_warn(context, code, "%s not recorded: %s", what, failed->text);
}

void gl_demand_note(struct gl_context *context, const struct gl_demand *signals, size_t count)
{
    struct gl_error failed = {0};
    struct gl_demand_told ignored;
    struct gl_ledger *ledger;

    if (count == 0)
        return;
    ledger = gl_context_ledger(context, &failed);
    if (ledger != NULL && gl_demand_record(ledger, signals, count, &ignored, &failed) == 0)
        return;
    warn_unrecorded(context, "the demand was", &failed);
}

json_t *gl_demand_evidence(struct gl_context *context, const struct gl_demand *signal)
{
    GL_AUTO(gl_demand_entry_done) struct gl_demand_entry entry = {0};
    struct gl_error failed = {0};

    if (gl_demand_entry_of(signal, 1, &entry, &failed) == 0)
        return json_pack("{s:O}", "demand", entry.body);
    warn_unrecorded(context, "the demand is", &failed);
    return NULL;
}

void gl_demand_note_cost(struct gl_context *context)
{
    struct gl_error failed = {0};
    struct gl_ledger *ledger = gl_context_ledger(context, &failed);

    if (ledger == NULL || gl_demand_settle(ledger, &failed) != 0)
        warn_unrecorded(context, "what it cost was", &failed);
}
