/* SPDX-License-Identifier: Apache-2.0 */
/* `request approve`: a person lets the last preview go, once. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/time.h"
#include "broker/cli/request.h"
#include "broker/interrupt.h"

/* ---- leave ---- */

static bool has_person(const struct gl_context *context)
{
    return !context->globals.has_no_input && !context->globals.is_json && isatty(STDIN_FILENO) == 1;
}

/* Whoever sits at the terminal, by the name of the login. */
static const char *approver(const struct gl_request_call *call)
{
    const struct gl_world *world = &call->context->world;
    const char *name = call->values->by;

    if (name == NULL && has_person(call->context))
        name = world->getenv(world->cookie, "USER");
    return name;
}

/* 1 yes, 0 no, -1. The preview is shown just as it is kept. */
static int ask(const struct gl_request_call *call, const struct gl_request_record *record,
               const char *digest, struct gl_error *err)
{
    GL_AUTO(gl_str_done) struct gl_str shown = {0};
    struct gl_venue_preview preview;
    char answer[16];

    if (gl_request_preview_again(&call->desk, record, &preview, err) != 0)
        return -1;
    gl_request_show_preview(&preview, &shown);
    gl_venue_preview_done(&preview);
    fputs(gl_str_text(&shown), stderr);
    fprintf(stderr, "digest %s\nSend this, just once? y or n: ", digest);
    if (fgets(answer, sizeof answer, stdin) == NULL)
        return gl_interrupted() ? gl_interrupt_fail(err, "nothing was sent") : 0;
    return answer[0] == 'y' || answer[0] == 'Y';
}

static int fail_unattended(struct gl_error *err)
{
    return gl_fail(err, GL_E_USAGE,
                   "nothing is sent unattended: say y at a terminal, or --yes together with "
                   "--preview-sha DIGEST and --approved-by NAME");
}

/* The digest that is approved: 1 and *out, 0 when the person says no, -1. */
static int get_leave(struct gl_request_call *call, const char **out, struct gl_error *err)
{
    static const char nothing[] = "";
    GL_AUTO(gl_requests_done) struct gl_requests requests = {0};
    const struct gl_request_values *values = call->values;
    const struct gl_request_record *record;
    const char *digest;

    if (call->context->globals.is_yes) {
        *out = values->digest;
        return values->digest != NULL && values->by != NULL ? 1 : fail_unattended(err);
    }
    if (!has_person(call->context))
        return fail_unattended(err);
    if (gl_requests_read(call->desk.ledger, &requests, err) != 0 ||
        (record = gl_requests_named(&requests, call->words[0], err)) == NULL)
        return -1;
    digest = json_string_value(json_object_get(record->preview, "digest"));
    if (values->digest != NULL && digest != NULL &&
        strncmp(digest, values->digest, strlen(values->digest)) != 0)
        return gl_fail(err, GL_E_NOT_VERIFIED,
                       "%s: that is not the digest of its last preview; nothing was sent",
                       record->id);
    if (values->digest == NULL)
        *out = digest != NULL ? gl_arena_text(&call->arena, digest, strlen(digest)) : nothing;
    else
        *out = values->digest;
    return ask(call, record, digest != NULL ? digest : nothing, err);
}

/* ---- what came of it ---- */

static int tell_pace(const struct gl_request_call *call, const struct gl_request_sent *sent)
{
    struct gl_context *context = call->context;
    bool may_wait = sent->may == GL_VENUE_WAIT;
    char from[GL_INSTANT_TEXT] = "";

    if (may_wait)
        gl_instant_text(sent->pace.from, from);
    gl_str_addf(&context->reply.text, "Nothing was sent: %s.\n", sent->pace.why);
    context->reply.data = json_pack("{s:b,s:s,s:s?}", "sent", false, "why", sent->pace.why, "from",
                                    may_wait ? from : NULL);
    context->reply.verdict = may_wait ? "later" : "refuse";
    return may_wait ? GL_EXIT_LATER : GL_EXIT_REFUSED;
}

static void tell_by_hand(const struct gl_request_call *call, const char *id,
                         const struct gl_venue_receipt *receipt)
{
    struct gl_str *out = &call->context->reply.text;

    gl_str_addf(out, "%s is yours to send now; open it and read it once more:\n  ", id);
    gl_str_add_printable(out, receipt->url, strlen(receipt->url));
    gl_str_add_char(out, '\n');
    if (strncmp(receipt->url, "http", 4) == 0)
        gl_str_addf(out,
                    "What the form does not take over: greenlaunch request draft %s --format "
                    "markdown\n",
                    id);
    gl_str_addf(out,
                "Then say what became of it:\n"
                "  greenlaunch request status %s --filed URL --approved-by NAME\n"
                "  greenlaunch request status %s --absent --approved-by NAME\n",
                id, id);
    gl_next(call->context, "say that you filed it",
            (const char *const[]){"request", "status", id, "--filed", "URL", "--approved-by",
                                  "NAME", NULL});
}

static int tell_sent(const struct gl_request_call *call, const struct gl_request_sent *sent)
{
    struct gl_str *out = &call->context->reply.text;
    const struct gl_venue_receipt *receipt = &sent->receipt;
    const char *id = sent->id, *state = gl_request_state_words[sent->state];

    if (receipt->is_by_hand) {
        tell_by_hand(call, id, receipt);
    } else {
        gl_str_addf(out, "%s is %s%s: ", id, state, receipt->was_there ? " (it was there)" : "");
        gl_str_add_printable(out, receipt->url[0] != '\0' ? receipt->url : receipt->id,
                             strlen(receipt->url[0] != '\0' ? receipt->url : receipt->id));
        gl_str_add_char(out, '\n');
    }
    if (receipt->note[0] != '\0') {
        gl_str_add(out, "The venue says: ");
        gl_str_add_printable(out, receipt->note, strlen(receipt->note));
        gl_str_add_char(out, '\n');
    }
    call->context->reply.data =
        json_pack("{s:b,s:s,s:s,s:s,s:s,s:s,s:b,s:b}", "sent", true, "id", id, "state", state,
                  "venue_id", receipt->id, "url", receipt->url, "note", receipt->note, "was_there",
                  receipt->was_there, "by_hand", receipt->is_by_hand);
    return GL_EXIT_OK;
}

int gl_request_run_approve(struct gl_request_call *call, struct gl_error *err)
{
    struct gl_request_approval approval = {.id = call->words[0], .by = approver(call)};
    struct gl_request_sent sent;
    int leave;

    if (gl_request_refuse_demo(call->context, err) != 0)
        return -1;
    leave = get_leave(call, &approval.digest, err);
    if (leave < 0)
        return -1;
    if (leave == 0) {
        gl_str_add(&call->context->reply.text, "Nothing was sent.\n");
        return GL_EXIT_DECLINED;
    }
    gl_context_online(call->context);
    gl_progress(call->context, "sending %s", approval.id);
    if (gl_request_send(&call->desk, &approval, &sent, err) != 0) {
        gl_progress_end(call->context);
        return -1;
    }
    gl_progress_end(call->context);
    return sent.may == GL_VENUE_MAY ? tell_sent(call, &sent) : tell_pace(call, &sent);
}
