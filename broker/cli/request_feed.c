/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/cli/request_feed.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "broker/feed.h"
#include "broker/receipt.h"

#define CONSENT_MAX 64

/* ---- signing, noting, writing ---- */

static void note_out(json_t *note, const char *out)
{
    GL_AUTO(gl_str_done) struct gl_str shown = {0};

    if (out == NULL)
        return;
    gl_str_add_printable(&shown, out, strlen(out));
    json_object_set_new(note, "out", json_string(gl_str_text(&shown)));
}

/* The document signed, noted in the ledger and then written: what is not noted does not leave.
 * `note` is the event, without the hash and where it goes. */
static int let_go(struct gl_context *context, json_t *document, json_t *note, const char *out,
                  struct gl_error *err)
{
    const char *folder = gl_context_state(context, err);
    struct gl_ledger *ledger = gl_context_ledger(context, err);
    GL_AUTO(gl_auto_free) char *text = NULL;
    struct gl_secret_key secret;
    struct gl_public_key key;
    struct gl_hash hash;
    char hex[GL_HASH_HEX];

    if (folder == NULL || ledger == NULL ||
        gl_broker_key(folder, &context->world, &secret, &key, err) != 0)
        return -1;
    text = gl_seal(document, &secret, &key, err);
    gl_secret_key_wipe(&secret);
    if (text == NULL)
        return -1;
    if (strlen(text) > GL_DEMAND_FEED_MAX_BYTES)
        return gl_fail(err, GL_E_TOO_LARGE, "the demand feed would be larger than %zu MiB",
                       GL_DEMAND_FEED_MAX_BYTES >> 20);
    gl_hash_of(text, strlen(text), &hash);
    json_object_set_new(note, "sha256", json_string(gl_hash_hex(&hash, hex)));
    note_out(note, out);
    if (gl_ledger_append(ledger, "feed", "", note, NULL, err) != 0 ||
        (out != NULL && gl_file_write_given(out, text, strlen(text), 0644, err) != 0))
        return -1;
    if (out != NULL)
        return 0;
    gl_str_addf(&context->reply.text, "%s\n", text);
    context->reply.is_document = true;
    return 0;
}

static void tell_written(struct gl_context *context, const char *out, const char *what)
{
    GL_AUTO(gl_str_done) struct gl_str shown = {0};

    if (out == NULL)
        return;
    gl_str_add_printable(&shown, out, strlen(out));
    gl_str_addf(&context->reply.text, "Wrote %s to %s\n", what, gl_str_text(&shown));
}

/* ---- own ---- */

/* As configured, and never below what gl_cluster_is_due() takes. */
static struct gl_demand_threshold threshold_of(const struct gl_config *config)
{
    struct gl_demand_threshold asked = config->request;

    asked.refused = asked.refused == 0 ? 5 : asked.refused < 2 ? 2 : asked.refused;
    asked.days = asked.days == 0 ? 3 : asked.days < 1 ? 1 : asked.days;
    return asked;
}

static int check_consent(const char *name, struct gl_error *err)
{
    GL_AUTO(gl_str_done) struct gl_str shown = {0};

    gl_str_add_printable(&shown, name, strlen(name));
    if (gl_text_is_blank(name) || strlen(name) > CONSENT_MAX ||
        strcmp(gl_str_text(&shown), name) != 0)
        return gl_fail(err, GL_E_USAGE, "--consent takes a name of 1 to %d printable bytes",
                       CONSENT_MAX);
    return 0;
}

/* Nobody has consented: what would leave, word by word, and nothing leaves. On stderr, so that no
 * pipe takes it for the document. */
static int show_unsigned(struct gl_context *context, json_t *document)
{
    GL_AUTO(gl_auto_free) char *words = gl_json_pretty(document);

    gl_str_addf(&context->reply.text,
                "REFUSED  nothing was written: nobody has consented yet\n"
                "This and a signature is all that it would hold:\n%s\n",
                words);
    context->reply.is_streamed = true;
    context->reply.is_document = true;
    context->reply.data =
        json_pack("{s:b,s:s,s:O}", "written", 0, "kind", "own", "preview", document);
    gl_next(context, "let exactly this go, in your name",
            (const char *const[]){"request", "feed", "--own", "--consent", "NAME", "--out",
                                  "demand.json", NULL});
    return GL_EXIT_DECLINED;
}

static int tell_nothing(struct gl_context *context, const struct gl_demand_threshold *threshold)
{
    gl_str_addf(&context->reply.text,
                "Nothing to tell: no need was refused %lld times on %lld days; nothing was "
                "written.\n",
                (long long)threshold->refused, (long long)threshold->days);
    context->reply.data = json_pack("{s:b,s:s}", "written", 0, "kind", "own");
    return GL_EXIT_OK;
}

static int run_own(struct gl_context *context, const struct gl_feed_ask *ask, struct gl_error *err)
{
    struct gl_demand_own own = {gl_now(&context->world), threshold_of(&context->config),
                                context->is_demo};
    struct gl_ledger *ledger = ask->consent != NULL ? gl_context_ledger(context, err)
                                                    : gl_context_ledger_to_look(context, err);
    GL_AUTO(gl_auto_json) json_t *document = NULL, *note = NULL;
    size_t count;
    char what[64];

    if (ledger == NULL || (ask->consent != NULL && check_consent(ask->consent, err) != 0))
        return -1;
    document = gl_demand_feed_own(ledger, &own, &count, err);
    if (document == NULL)
        return -1;
    if (count == 0)
        return tell_nothing(context, &own.threshold);
    if (ask->consent == NULL)
        return show_unsigned(context, document);
    note = json_pack("{s:s,s:s,s:I}", "kind", "own", "consent", ask->consent, "cells",
                     (json_int_t)count);
    if (let_go(context, document, note, ask->out, err) != 0)
        return -1;
    snprintf(what, sizeof what, "%zu cell%s of own demand", count, count == 1 ? "" : "s");
    tell_written(context, ask->out, what);
    context->reply.data = json_pack("{s:b,s:s,s:O}", "written", 1, "kind", "own", "feed", document);
    return GL_EXIT_OK;
}

/* ---- merge ---- */

/* One run of it. */
struct merging {
    struct gl_context *context;
    struct gl_demand_merge *merge;
    size_t left_out;
};

/* What cannot take part is named and left out: one organisation cannot stop the others. */
static void add_file(struct merging *merging, const char *path)
{
    GL_AUTO(gl_auto_free) char *bytes = NULL;
    struct gl_demand_feed feed = {0};
    struct gl_error trouble = {0};
    bool is_newest = true;
    size_t length;

    if (gl_file_read_given(path, GL_DEMAND_FEED_MAX_BYTES, &bytes, &length, &trouble) != 0 ||
        gl_demand_feed_read(bytes, length, NULL, &feed, &trouble) != 0 ||
        gl_demand_merge_add(merging->merge, &feed, &is_newest, &trouble) != 0) {
        gl_warn(merging->context, "left-out", "%s takes no part: %s", path, trouble.text);
        merging->left_out++;
    } else if (!is_newest)
        gl_warn(merging->context, "superseded", "%s: a newer one of the same key is there", path);
    gl_demand_feed_done(&feed);
}

static int is_contribution(const struct dirent *entry)
{
    size_t length = strlen(entry->d_name);

    return entry->d_name[0] != '.' && length > 5 &&
           strcmp(entry->d_name + length - 5, ".json") == 0;
}

/* A file, or every *.json of a folder. */
static int add_word(struct merging *merging, const char *word, struct gl_error *err)
{
    struct dirent **entries = NULL;
    struct stat status;
    int count;

    if (strcmp(word, "-") == 0 || stat(word, &status) != 0 || !S_ISDIR(status.st_mode)) {
        add_file(merging, word);
        return 0;
    }
    count = scandir(word, &entries, is_contribution, alphasort);
    if (count < 0)
        return gl_fail(err, GL_E_USAGE, "cannot read the folder %s", word);
    for (int i = 0; i < count; i++) {
        GL_AUTO(gl_auto_free) char *path = gl_path_join(word, entries[i]->d_name);

        add_file(merging, path);
        free(entries[i]);
    }
    free(entries);
    return 0;
}

/* The secret of the noise is made of that of the signing key: random, and known to nobody else. */
static int noise_secret(struct gl_context *context, uint8_t out[GL_HASH_BYTES],
                        struct gl_error *err)
{
    static const char purpose[] = "greenlaunch demand feed: noise";
    const char *folder = gl_context_state(context, err);
    struct gl_secret_key secret;
    struct gl_public_key key;
    struct gl_hash hash;

    if (folder == NULL || gl_broker_key(folder, &context->world, &secret, &key, err) != 0)
        return -1;
    gl_hmac_sha256(secret.seed, sizeof secret.seed, purpose, strlen(purpose), &hash);
    gl_secret_key_wipe(&secret);
    memcpy(out, hash.bytes, GL_HASH_BYTES);
    gl_wipe(&hash, sizeof hash);
    return 0;
}

static json_t *merged(struct merging *merging, int64_t k, size_t *out_count, struct gl_error *err)
{
    size_t organisations = gl_demand_merge_organisations(merging->merge);
    uint8_t secret[GL_HASH_BYTES];
    json_t *document;

    if (organisations < (size_t)k) {
        gl_fail(err, GL_E_BAD_VALUE,
                "%zu organisation%s of at least %lld that every figure rests on: nothing was "
                "written",
                organisations, organisations == 1 ? "" : "s", (long long)k);
        return NULL;
    }
    if (noise_secret(merging->context, secret, err) != 0)
        return NULL;
    document = gl_demand_merge_end(merging->merge, secret, out_count, err);
    gl_wipe(secret, sizeof secret);
    return document;
}

static int report_merged(struct merging *merging, const struct gl_feed_ask *ask, int64_t k,
                         struct gl_error *err)
{
    GL_AUTO(gl_auto_json) json_t *document = NULL, *note = NULL;
    size_t count, organisations = gl_demand_merge_organisations(merging->merge);
    char what[96];

    document = merged(merging, k, &count, err);
    if (document == NULL)
        return -1;
    note = json_pack("{s:s,s:I,s:I,s:I}", "kind", "shared", "k", (json_int_t)k, "organisations",
                     (json_int_t)organisations, "cells", (json_int_t)count);
    if (let_go(merging->context, document, note, ask->out, err) != 0)
        return -1;
    snprintf(what, sizeof what, "%zu cell%s that rest on at least %lld organisations", count,
             count == 1 ? "" : "s", (long long)k);
    tell_written(merging->context, ask->out, what);
    merging->context->reply.data = json_pack(
        "{s:b,s:s,s:I,s:I,s:O}", "written", 1, "kind", "shared", "organisations",
        (json_int_t)organisations, "left_out", (json_int_t)merging->left_out, "feed", document);
    return merging->left_out > 0 ? GL_EXIT_PARTIAL : GL_EXIT_OK;
}

static int run_merge(struct gl_context *context, const struct gl_feed_ask *ask,
                     struct gl_error *err)
{
    GL_AUTO(gl_demand_members_done) struct gl_demand_members members = {0, NULL};
    int64_t k = ask->k != INT64_MIN ? ask->k : GL_DEMAND_K;
    struct gl_demand_merge_options options = {
        .k = k, .now = gl_now(&context->world), .members = ask->members != NULL ? &members : NULL};
    struct merging merging = {.context = context};
    int result = 0;

    if (ask->file_count == 0)
        return gl_fail(err, GL_E_USAGE,
                       "name the contributions: greenlaunch request feed --merge FOLDER");
    if (ask->members != NULL && gl_demand_members_read(ask->members, &members, err) != 0)
        return -1;
    merging.merge = gl_demand_merge_new(&options, err);
    if (merging.merge == NULL)
        return -1;
    if (ask->members == NULL)
        gl_warn(context, "any-key",
                "whoever makes %lld keys can be %lld organisations: name the keys you know with "
                "--members",
                (long long)k, (long long)k);
    for (size_t i = 0; result == 0 && i < ask->file_count; i++)
        result = add_word(&merging, ask->files[i], err);
    if (result == 0)
        result = report_merged(&merging, ask, k, err);
    gl_demand_merge_free(merging.merge);
    return result;
}

/* ---- check ---- */

static int report_checked(struct gl_context *context, const struct gl_demand_feed *feed,
                          bool is_given)
{
    struct gl_str *out = &context->reply.text;

    gl_str_addf(out, "VERIFIED  %s demand feed%s\n", feed->is_shared ? "shared" : "own",
                feed->is_demo ? " of a DEMONSTRATION" : "");
    gl_str_addf(out, "  signature    holds, key %.16s...", feed->key);
    gl_str_add(out, is_given ? "\n"
                             : " (the document's own)\n               this proves that it is "
                               "whole, not who signed it: give --key\n");
    gl_str_addf(out, "  cells        %zu, words and steps as they may be\n", feed->count);
    if (feed->is_shared)
        gl_str_addf(out, "  k            %lld organisations at least, by the word of who signed\n",
                    (long long)feed->k);
    context->reply.is_document = true;
    context->reply.data =
        json_pack("{s:b,s:s,s:s,s:b,s:b,s:I,s:o}", "verified", 1, "kind",
                  feed->is_shared ? "shared" : "own", "key", feed->key, "key_given", is_given,
                  "demo", feed->is_demo, "cells", (json_int_t)feed->count, "k",
                  feed->is_shared ? json_integer((json_int_t)feed->k) : json_null());
    return GL_EXIT_OK;
}

static int run_check(struct gl_context *context, const struct gl_feed_ask *ask,
                     struct gl_error *err)
{
    GL_AUTO(gl_demand_feed_done) struct gl_demand_feed feed = {0};
    GL_AUTO(gl_auto_free) char *bytes = NULL;
    struct gl_public_key key;
    size_t length;

    if (ask->file_count != 1)
        return gl_fail(err, GL_E_USAGE,
                       "name one document: greenlaunch request feed --check demand.json");
    if (ask->key != NULL && gl_public_key_read(ask->key, &key, err) != 0)
        return -1;
    if (gl_file_read_given(ask->files[0], GL_DEMAND_FEED_MAX_BYTES, &bytes, &length, err) != 0)
        return -1;
    if (gl_demand_feed_read(bytes, length, ask->key != NULL ? &key : NULL, &feed, err) != 0)
        return err->pos.line == 0 ? gl_wrap(err, "%s", ask->files[0]) : -1;
    return report_checked(context, &feed, ask->key != NULL);
}

/* ---- */

/* Options that belong to another of the three say that something else was meant. */
static int check_ask(const struct gl_feed_ask *ask, struct gl_error *err)
{
    const struct {
        bool is_given, is_allowed;
        const char *name, *goes_with;
    } rows[] = {
        {ask->consent != NULL, ask->is_own, "--consent", "--own"},
        {ask->k != INT64_MIN, ask->is_merge, "--k", "--merge"},
        {ask->members != NULL, ask->is_merge, "--members", "--merge"},
        {ask->key != NULL, ask->is_check, "--key", "--check"},
        {ask->out != NULL, !ask->is_check, "--out", "--own or --merge"},
        {ask->file_count > 0, !ask->is_own, "a file", "--merge or --check"},
    };

    if (ask->is_own + ask->is_merge + ask->is_check != 1)
        return gl_fail(err, GL_E_USAGE, "say one of --own, --merge FILE... and --check FILE");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (rows[i].is_given && !rows[i].is_allowed)
            return gl_fail(err, GL_E_USAGE, "%s goes with %s", rows[i].name, rows[i].goes_with);
    return 0;
}

int gl_request_feed(struct gl_context *context, const struct gl_feed_ask *ask, struct gl_error *err)
{
    if (check_ask(ask, err) != 0)
        return -1;
    if (ask->is_own)
        return run_own(context, ask, err);
    return ask->is_merge ? run_merge(context, ask, err) : run_check(context, ask, err);
}
