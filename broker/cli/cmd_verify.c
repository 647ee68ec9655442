/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "broker/cli/act.h"
#include "broker/proof.h"
#include "broker/receipt.h"
#include "broker/tie.h"

struct verify_values {
    const char *key;
};

static const struct gl_option options[] = {
    {"key", 'k', GL_OPT_TEXT, offsetof(struct verify_values, key), "FILE",
     "public key it must be signed with: a file or 64 hex digits", NULL, NULL, NULL, 0, 0, 0,
     "file"},
    {0},
};

/* A receipt and what it is held against. */
struct subject {
    const char *name; /* as given */
    char *path;       /* shown in errors */
    char *bytes;
    size_t length;
    bool is_own;  /* a launch of our own ledger, not a file */
    bool has_key; /* `key` is to be held against it */
    struct gl_public_key key;
    bool is_in_ledger; /* and is what the ledger says */
};

static void subject_done(struct subject *subject)
{
    free(subject->path);
    free(subject->bytes);
}

static int find_receipt(struct gl_context *context, struct subject *subject, struct gl_error *err)
{
    const char *name = subject->name, *folder;
    struct gl_error nowhere = {0};

    if (gl_file_exists(name) || strchr(name, '/') != NULL || strcmp(name, "-") == 0) {
        subject->path = gl_strdup(strcmp(name, "-") == 0 ? "standard input" : name);
        return gl_file_read_given(name, GL_RECEIPT_MAX_BYTES, &subject->bytes, &subject->length,
                                  err);
    }
    folder = gl_context_state(context, &nowhere);
    if (folder == NULL) /* who only verifies files needs no place of their own */
        return gl_fail(err, GL_E_UNKNOWN_NAME, "no file \"%s\", and no launches here (%s)", name,
                       nowhere.text);
    subject->is_own = true;
    subject->path = gl_receipt_path(folder, name);
    if (!gl_file_exists(subject->path))
        return gl_fail(err, GL_E_UNKNOWN_NAME, "no file and no ended launch \"%s\"", name);
    return gl_file_read(subject->path, GL_RECEIPT_MAX_BYTES, &subject->bytes, &subject->length,
                        err);
}

/* The key that was given; without one the receipt of an own launch must be signed by us. */
static int find_key(const struct gl_context *context, const char *given, struct subject *subject,
                    struct gl_error *err)
{
    GL_AUTO(gl_auto_free) char *own = NULL;

    if (given == NULL && subject->is_own) {
        own = gl_path_join(context->state_folder, "broker.pub");
        given = gl_file_exists(own) ? own : NULL;
    }
    if (given == NULL)
        return 0;
    subject->has_key = true;
    return gl_public_key_read(given, &subject->key, err);
}

static int check_ledger(struct gl_context *context, const struct gl_receipt_check *check,
                        struct subject *subject, struct gl_error *err)
{
    struct gl_ledger *ledger;

    if (!subject->is_own)
        return 0;
    if (strcmp(check->launch, subject->name) != 0)
        return gl_fail(err, GL_E_NOT_VERIFIED, "it is the receipt of launch %s", check->launch);
    ledger = gl_context_ledger_to_look(context, err);
    if (ledger == NULL)
        return -1;
    return gl_tie_receipt(ledger, check->receipt, subject->bytes, &subject->is_in_ledger, err);
}

static void show_signer(struct gl_str *out, const struct gl_receipt_check *check,
                        const struct subject *subject, bool is_given)
{
    gl_str_addf(out, "  signature    holds, key %.16s...", check->key);
    if (!check->is_key_given)
        gl_str_add(out, " (the document's own)\n               this proves that it is whole, not "
                        "who signed it: give --key");
    else if (!is_given)
        gl_str_add(out, " (ours: broker.pub)");
    gl_str_add_char(out, '\n');
    if (subject->is_own)
        gl_str_addf(out, "  ledger       %s\n",
                    subject->is_in_ledger ? "speaks of this very receipt"
                                          : "knows nothing of this launch");
}

static int report(struct gl_context *context, const struct gl_receipt_check *check,
                  const struct subject *subject, bool is_given, struct gl_error *err)
{
    struct gl_str *out = &context->reply.text;
    char launch[GL_TEXT_SHOWN];

    gl_str_addf(out, "VERIFIED  receipt of launch %s\n", gl_text_show(check->launch, launch));
    show_signer(out, check, subject, is_given);
    gl_str_addf(out, "  readings     %zu, each signed by the meter and chained\n", check->readings);
    gl_str_add(out, "  figures      every derived number follows from the evidence inside\n");
    context->reply.data = json_pack("{s:b,s:s,s:b,s:b,s:I}", "verified", 1, "key", check->key,
                                    "key_given", check->is_key_given, "in_ledger",
                                    subject->is_in_ledger, "readings", (json_int_t)check->readings);
    return gl_act_show_receipt(context, subject->bytes, err);
}

/* A document that is whole may still tell of a promise that was not kept. */
static int exit_of(const struct gl_receipt_check *check)
{
    const json_t *derived = json_object_get(check->receipt, "derived");
    const char *state =
        json_string_value(json_object_get(json_object_get(derived, "guarantee"), "state"));

    return state != NULL && strcmp(state, "breached") == 0 ? GL_EXIT_BREACH : GL_EXIT_OK;
}

/* The place is the file, not what the parser calls it. */
static int name_file(const struct subject *subject, struct gl_error *err)
{
    if (err->pos.line == 0)
        return gl_wrap(err, "%s", subject->path);
    snprintf(err->pos.file, sizeof err->pos.file, "%s", subject->path);
    return -1;
}

static int run(struct gl_context *context, const struct gl_call *call, struct gl_error *err)
{
    const struct verify_values *values = call->values;
    GL_AUTO(subject_done) struct subject subject = {0};
    struct gl_receipt_check check = {0};
    int result = -1;

    if (call->operands->count != 1)
        return gl_fail(err, GL_E_USAGE, "name one receipt: greenlaunch verify FILE|INSTANCE");
    subject.name = call->operands->words[0];
    if (find_receipt(context, &subject, err) != 0 ||
        find_key(context, values->key, &subject, err) != 0)
        return -1;
    if (gl_receipt_verify(subject.bytes, subject.length, subject.has_key ? &subject.key : NULL,
                          &check, err) != 0 ||
        check_ledger(context, &check, &subject, err) != 0 ||
        gl_proof_stands(json_object_get(check.receipt, "evidence"), err) != 0)
        name_file(&subject, err);
    else if (report(context, &check, &subject, values->key != NULL, err) == 0)
        result = exit_of(&check);
    gl_receipt_check_done(&check);
    return result;
}

const struct gl_command gl_command_verify = {
    .name = "verify",
    .group = "Prove",
    .summary = "recompute every number of a receipt and check its signatures",
    .operands = "FILE|INSTANCE",
    .description =
        "Needs only the file, and the public key to prove who signed it (broker.pub beside the "
        "ledger). Checks the signature of the document and of every batch of readings, that zones, "
        "times, token and plan belong together, recomputes every derived number from the evidence "
        "inside, and names the first thing that does not follow (exit 9). A launch of the own "
        "ledger may be named instead of a file: its receipt must be signed with the own key and "
        "be the one the ledger speaks of. A receipt that is whole and tells of a breached "
        "guarantee, or of a place that the cloud's own signature contradicts, ends with 9 too.",
    .example = "greenlaunch verify receipt.json --key broker.pub",
    .options = options,
    .values_size = sizeof(struct verify_values),
    .run = run,
};
