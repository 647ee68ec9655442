/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "broker/cli/demand_reply.h"
#include "broker/cli/request.h"

#define AT(member)         offsetof(struct gl_request_values, member)
#define GL_FEED_AT(member) AT(feed.member)
/* clang-format off: rows of a table */
static const struct gl_option options[] = {
    {"all", 'a', GL_OPT_FLAG, AT(wants_all), NULL, "draft: every one that is due", NULL, NULL, NULL,
     0, 0, 0, NULL},
    {"format", 0, GL_OPT_TEXT, AT(format), "FORM", "draft, export: text, markdown or json", NULL,
     NULL, "text|markdown|json", 0, 0, 0, NULL},
    {"venue", 0, GL_OPT_TEXT, AT(venue), "NAME",
     "draft, preview: where it goes (default: where the provider listens; file keeps it here)",
     NULL, NULL, NULL, 0, 0, 0, NULL},
    {"set", 0, GL_OPT_LIST, AT(settings), "KEY=VALUE",
     "preview: a setting of the venue, as in to=green@example.com; else venues: of the "
     "configuration",
     NULL, NULL, NULL, 0, 0, 0, NULL},
    {"join", 0, GL_OPT_TEXT, AT(join), "REF",
     "preview: vote for this one that is there already, with one comment", NULL, NULL, NULL, 0, 0,
     0, NULL},
    {"no-search", 0, GL_OPT_FLAG, AT(has_no_search), NULL,
     "preview: do not look for requests alike", NULL, NULL, NULL, 0, 0, 0, NULL},
    {"preview-sha", 0, GL_OPT_TEXT, AT(digest), "DIGEST",
     "approve: digest of the preview that is approved", NULL, NULL, NULL, 0, 0, 0, NULL},
    {"approved-by", 0, GL_OPT_TEXT, AT(by), "NAME",
     "approve, status: who says so; kept in the ledger, never sent", NULL, NULL, NULL, 0, 0, 0,
     NULL},
    {"now", 0, GL_OPT_FLAG, AT(wants_now), NULL,
     "status: ask the venues although a week has not passed", NULL, NULL, NULL, 0, 0, 0, NULL},
    {"filed", 0, GL_OPT_TEXT, AT(filed), "URL",
     "status: you filed it by hand, or looked and it is there", NULL, NULL, NULL, 0, 0, 0, NULL},
    {"absent", 0, GL_OPT_FLAG, AT(is_absent), NULL, "status: you looked, and it is not there", NULL,
     NULL, NULL, 0, 0, 0, NULL},
    {"closed", 0, GL_OPT_FLAG, AT(is_closed), NULL,
     "status: it is over: you closed it, or thanked for it", NULL, NULL, NULL, 0, 0, 0, NULL},
    {"lift", 0, GL_OPT_TEXT, AT(lift), "PLACE",
     "status: end the hard stop of a place that you have looked at; with --approved-by, --reason",
     NULL, NULL, NULL, 0, 0, 0, NULL},
    {"reason", 0, GL_OPT_TEXT, AT(reason), "TEXT",
     "status --lift: what you found there; kept in the ledger", NULL, NULL, NULL, 0, 0, 0, NULL},
#include "broker/cli/request_feed_options.def"
    {0},
};
/* clang-format on */

static int run_feed(struct gl_request_call *call, struct gl_error *err)
{
    struct gl_feed_ask ask = call->values->feed;

    ask.files = call->words;
    ask.file_count = call->count;
    return gl_request_feed(call->context, &ask, err);
}

static const struct verb {
    const char *word;
    size_t least, most; /* words after it */
    struct gl_ledger *(*open)(struct gl_context *context, struct gl_error *err); /* NULL = none */
    int (*run)(struct gl_request_call *call, struct gl_error *err);
} verbs[] = {
    {"observe", 0, 1, gl_context_ledger_to_look, gl_request_run_observe},
    {"draft", 0, 1, gl_context_ledger_to_look, gl_request_run_draft},
    {"preview", 1, 1, gl_context_ledger, gl_request_run_preview},
    {"approve", 1, 1, gl_context_ledger, gl_request_run_approve},
    {"status", 0, 1, gl_context_ledger_to_look, gl_request_run_status},
    {"withdraw", 1, 1, gl_context_ledger, gl_request_run_withdraw},
    {"export", 0, 0, gl_context_ledger_to_look, gl_request_run_export},
    {"feed", 0, 63, NULL, run_feed},
};
#define VERBS (sizeof verbs / sizeof verbs[0])

static const struct verb *find_verb(const struct gl_operands *operands, struct gl_error *err)
{
    const char *word = operands->count > 0 ? operands->words[0] : "observe", *names[VERBS],
               *nearest;
    char shown[GL_TEXT_SHOWN];

    for (size_t i = 0; i < VERBS; i++) {
        names[i] = verbs[i].word;
        if (strcmp(verbs[i].word, word) == 0)
            return &verbs[i];
    }
    nearest = gl_text_nearest(word, names, VERBS);
    gl_fail(err, GL_E_USAGE,
            "request can observe, draft, preview, approve, status, withdraw, export and feed, not "
            "\"%s\"%s%s%s",
            gl_text_show(word, shown), nearest != NULL ? "; did you mean " : "",
            nearest != NULL ? nearest : "", nearest != NULL ? "?" : "");
    return NULL;
}

static int check_words(const struct verb *verb, size_t count, struct gl_error *err)
{
    if (count >= verb->least && count <= verb->most)
        return 0;
    if (count < verb->least)
        return gl_fail(err, GL_E_USAGE, "request %s: which one? See: greenlaunch request observe",
                       verb->word);
    return gl_fail(err, GL_E_USAGE, "request %s takes %s", verb->word,
                   verb->most == 0 ? "no more words" : "one request");
}

static int run(struct gl_context *context, const struct gl_call *call, struct gl_error *err)
{
    const struct gl_operands *operands = call->operands;
    struct gl_request_call asked = {.context = context, .values = call->values};
    const struct verb *verb = find_verb(operands, err);
    int status;

    if (verb == NULL)
        return -1;
    asked.count = operands->count > 0 ? operands->count - 1 : 0;
    asked.words = operands->count > 0 ? &operands->words[1] : operands->words;
    asked.threshold = gl_demand_threshold_of(context);
    if (check_words(verb, asked.count, err) != 0)
        return -1;
    if (verb->open != NULL) {
        asked.desk = (struct gl_request_desk){verb->open(context, err), &context->world,
                                              gl_context_state(context, err)};
        if (asked.desk.ledger == NULL || asked.desk.folder == NULL)
            return -1;
    }
    status = verb->run(&asked, err);
    gl_clustering_free(asked.clustering);
    gl_arena_done(&asked.arena);
    return status;
}

const struct gl_command gl_command_request = {
    .name = "request",
    .group = "Ask",
    .summary = "ask providers for what is missing: demand, drafts, approval, answers",
    .operands = "observe|draft|preview|approve|status|withdraw|export|feed [ID]",
    .description =
        "Every launch that was refused, delayed, moved, paused or broken is kept as a demand "
        "signal; observe shows them as cases, one for each provider, region, capability and rule. "
        "After 5 refused launches on 3 days (request: {refused, days} of the configuration) draft "
        "writes a request after the template of the place where the provider listens, with counts "
        "rounded and nothing that names you. preview looks for requests alike first, and prints "
        "exactly what would be sent, where, under whose name, what is not sent, and its digest. "
        "approve sends just that, once: a person says y at a terminal, or --yes stands with "
        "--preview-sha and --approved-by. Nothing is sent without that, twice, more often than "
        "one a place in 30 days and three a day, or while a file stop-requests lies in the state "
        "folder. After 403 or 429 nothing more goes there until a person lifts it: status --lift. "
        "status asks each venue once a week, shows what changed, never answers, and says when an "
        "offer satisfies the rule at last. withdraw previews taking it back. export prints all "
        "that was ever sent, feeds included. feed writes demand as a signed document for providers "
        "to read. Ends with 3 where it is stopped or not due, 5 when a venue that status asked "
        "does not answer (10 when others did), 6 when it may be sent later, 9 when the digest "
        "is another one, 11 when you say no.",
    .example = "greenlaunch request preview GL-7f3a91c2 --venue file --set folder=drafts",
    .options = options,
    .values_size = sizeof(struct gl_request_values),
    .run = run,
};
