/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "broker/cli/act.h"
#include "broker/receipt.h"

struct verify_values {
    const char *key;
};

static const struct gl_option options[] = {
    {"key", 'k', GL_OPT_TEXT, offsetof(struct verify_values, key), "FILE",
     "public key it must be signed with: a file or 64 hex digits", NULL, NULL, NULL, 0, 0, 0,
     "file"},
    {0},
};

/* A launch of our own ledger may be named instead of a file. */
static int find_receipt(struct gl_context *context, const char *name, char **out,
                        size_t *out_length, struct gl_error *err)
{
    GL_AUTO(gl_auto_free) char *path = NULL;
    const char *folder;

    if (gl_file_exists(name) || strchr(name, '/') != NULL || strcmp(name, "-") == 0)
        return gl_file_read_given(name, GL_RECEIPT_MAX_BYTES, out, out_length, err);
    folder = gl_context_state(context, err);
    if (folder == NULL)
        return -1;
    path = gl_receipt_path(folder, name);
    if (!gl_file_exists(path))
        return gl_fail(err, GL_E_UNKNOWN_NAME, "no file and no ended launch \"%s\"", name);
    return gl_file_read(path, GL_RECEIPT_MAX_BYTES, out, out_length, err);
}

static int report(struct gl_context *context, const char *bytes,
                  const struct gl_receipt_check *check, struct gl_error *err)
{
    char launch[GL_TEXT_SHOWN];

    gl_str_addf(&context->reply.text, "VERIFIED  receipt of launch %s\n",
                gl_text_show(check->launch, launch));
    gl_str_addf(&context->reply.text, "  signature    holds, key %.16s...%s\n", check->key,
                check->is_key_given ? "" : " (the document's own: give --key to prove who signed)");
    gl_str_addf(&context->reply.text, "  readings     %zu, each signed by the meter and chained\n",
                check->readings);
    gl_str_add(&context->reply.text,
               "  figures      every derived number follows from the evidence inside\n");
    context->reply.data =
        json_pack("{s:b,s:s,s:b,s:I}", "verified", 1, "key", check->key, "key_given",
                  check->is_key_given, "readings", (json_int_t)check->readings);
    return gl_act_show_receipt(context, bytes, err);
}

static int run(struct gl_context *context, const struct gl_call *call, struct gl_error *err)
{
    const struct verify_values *values = call->values;
    GL_AUTO(gl_auto_free) char *bytes = NULL;
    struct gl_public_key key;
    struct gl_receipt_check check;
    size_t length;
    int result;

    if (call->operands->count != 1)
        return gl_fail(err, GL_E_USAGE, "name one receipt: greenlaunch verify FILE");
    if ((values->key != NULL && gl_public_key_read(values->key, &key, err) != 0) ||
        find_receipt(context, call->operands->words[0], &bytes, &length, err) != 0)
        return -1;
    if (gl_receipt_verify(bytes, length, values->key != NULL ? &key : NULL, &check, err) != 0)
        return gl_wrap(err, "%s", call->operands->words[0]);
    result = report(context, bytes, &check, err);
    gl_receipt_check_done(&check);
    return result;
}

const struct gl_command gl_command_verify = {
    .name = "verify",
    .group = "Prove",
    .summary = "recompute every number of a receipt and check its signatures",
    .operands = "FILE",
    .description =
        "Needs only the file, and the public key to prove who signed it (broker.pub beside the "
        "ledger). Checks the signature of the document and of every batch of readings, recomputes "
        "every derived number from the evidence inside, and names the first thing that does not "
        "follow (exit 9).",
    .example = "greenlaunch verify receipt.json --key broker.pub",
    .options = options,
    .values_size = sizeof(struct verify_values),
    .run = run,
};
