/* SPDX-License-Identifier: Apache-2.0 */
/* `request export`: everything that was ever sent or let go, as one document. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/time.h"
#include "broker/cli/request.h"

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text != NULL ? text : "";
}

/* Lines of what was sent, indented as Markdown has code: nothing in them marks anything up. */
static void add_block(struct gl_str *out, const char *text)
{
    while (*text != '\0') {
        size_t length = strcspn(text, "\n");

        gl_str_add(out, "    ");
        gl_str_add_printable(out, text, length);
        gl_str_add_char(out, '\n');
        text += length + (text[length] == '\n');
    }
}

static void add_steps(struct gl_str *out, const json_t *entry)
{
    const json_t *step;
    size_t i;

    json_array_foreach(json_object_get(entry, "steps"), i, step)
    {
        GL_AUTO(gl_str_done) struct gl_str head = {0};

        gl_str_addf(&head, "%s %s\n%s", text_of(step, "method"), text_of(step, "where"),
                    text_of(step, "headers"));
        gl_str_add_char(out, '\n');
        add_block(out, gl_str_text(&head));
        add_block(out, text_of(step, "body"));
    }
}

static void add_entry(struct gl_str *out, const json_t *entry)
{
    int64_t at_ms = json_integer_value(json_object_get(entry, "at_ms"));
    char at[GL_INSTANT_TEXT];

    gl_instant_text((struct gl_instant){at_ms / 1000}, at);
    if (strcmp(text_of(entry, "op"), "approved") == 0) {
        gl_str_addf(out, "\n## %s GL-%.8s: %s\n\n", at, text_of(entry, "fingerprint"),
                    text_of(entry, "action"));
        gl_str_add(out, "Approved by ");
        gl_str_add_printable(out, text_of(entry, "by"), strlen(text_of(entry, "by")));
        gl_str_addf(out, "%s, to go to %s, digest %s.\n",
                    json_is_true(json_object_get(entry, "retry")) ? " as a further try" : "",
                    text_of(entry, "place"), text_of(entry, "digest"));
        add_steps(out, entry);
        return;
    }
    if (strcmp(text_of(entry, "op"), "outcome") == 0)
        gl_str_addf(out, "\n%s: %s (%s)\n", at, text_of(entry, "result"), text_of(entry, "answer"));
    else
        gl_str_addf(out, "\n%s: a person says that it is %sthere\n", at,
                    json_is_true(json_object_get(entry, "is_there")) ? "" : "not ");
    add_block(out, text_of(entry, "url"));
    add_block(out, text_of(entry, "error"));
}

static void add_feed(struct gl_str *out, const json_t *entry)
{
    int64_t at_ms = json_integer_value(json_object_get(entry, "at_ms"));
    bool is_shared = strcmp(text_of(entry, "kind"), "shared") == 0;
    char at[GL_INSTANT_TEXT];
    GL_AUTO(gl_str_done) struct gl_str who = {0};

    gl_instant_text((struct gl_instant){at_ms / 1000}, at);
    if (is_shared)
        gl_str_addf(&who,
                    "Merged of %" JSON_INTEGER_FORMAT " organisations, k %" JSON_INTEGER_FORMAT,
                    json_integer_value(json_object_get(entry, "organisations")),
                    json_integer_value(json_object_get(entry, "k")));
    else
        gl_str_addf(&who, "Consent of %s", text_of(entry, "consent"));
    gl_str_addf(out, "\n## %s %s demand feed\n\n", at, is_shared ? "shared" : "own");
    gl_str_add_printable(out, gl_str_text(&who), who.length);
    gl_str_addf(out, "; %" JSON_INTEGER_FORMAT " cells; SHA-256 %s; written to:\n",
                json_integer_value(json_object_get(entry, "cells")), text_of(entry, "sha256"));
    add_block(out, json_is_string(json_object_get(entry, "out")) ? text_of(entry, "out")
                                                                 : "standard output");
}

static void write_markdown(const json_t *entries, const json_t *feeds, struct gl_str *out)
{
    const json_t *entry;
    size_t i;

    gl_str_add(out, "# Everything that was sent\n");
    json_array_foreach(entries, i, entry) add_entry(out, entry);
    if (json_array_size(entries) == 0)
        gl_str_add(out, "\nNothing was ever sent.\n");
    gl_str_add(out, "\n# Every demand feed that was let go\n");
    json_array_foreach(feeds, i, entry) add_feed(out, entry);
    if (json_array_size(feeds) == 0)
        gl_str_add(out, "\nNone ever was.\n");
}

static int write_out(const struct gl_request_call *call, const struct gl_str *text,
                     struct gl_error *err)
{
    const char *path = call->values->feed.out;

    if (path == NULL) {
        gl_str_add(&call->context->reply.text, gl_str_text(text));
        return 0;
    }
    if (gl_file_write_given(path, gl_str_text(text), text->length, 0600, err) != 0)
        return -1;
    gl_str_addf(&call->context->reply.text, "Written to %s.\n", path);
    return 0;
}

int gl_request_run_export(struct gl_request_call *call, struct gl_error *err)
{
    json_t *entries = gl_requests_export(call->desk.ledger, err);
    json_t *feeds = entries != NULL ? gl_requests_export_feeds(call->desk.ledger, err) : NULL;
    GL_AUTO(gl_str_done) struct gl_str text = {0};
    const char *format = call->values->format;

    if (feeds == NULL) {
        json_decref(entries);
        return -1;
    }
    call->context->reply.data =
        json_pack("{s:i,s:o,s:o}", "greenlaunch_requests", 1, "sent", entries, "feeds", feeds);
    if (format != NULL && strcmp(format, "json") == 0) {
        GL_AUTO(gl_auto_free) char *pretty = gl_json_pretty(call->context->reply.data);

        gl_str_addf(&text, "%s\n", pretty);
        call->context->reply.is_document = true;
    } else {
        write_markdown(entries, feeds, &text);
    }
    return write_out(call, &text, err);
}
