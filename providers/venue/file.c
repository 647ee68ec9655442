/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/venue/adapter.h"

#include "base/file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The request as files of the user's own: NAME.md, and NAME.json where the draft has one. Whoever
 * wants to hand it on otherwise finds all of it there. */

#define READ_MAX ((size_t)1 << 20)

static const struct gl_setting_key keys[] = {
    {.name = "folder", .what = "where the files go", .is_required = true}, {0}};

static void add(const struct gl_venue *venue, const struct gl_venue_draft *draft,
                const char *ending, const char *text, struct gl_venue_preview *out)
{
    struct gl_venue_step *step = gl_venue_step_add(
        out, "write", "%s/%s.%s", gl_venue_setting(venue, "folder"), draft->tag, ending);

    gl_venue_step_body(step, text, strlen(text));
}

static int compose(const struct gl_venue *venue, const struct gl_venue_draft *draft,
                   struct gl_venue_preview *out, struct gl_error *err)
{
    GL_AUTO(gl_str_done) struct gl_str text = {0}, body = {0};

    (void)err;
    snprintf(out->sender, sizeof out->sender, "nobody: it stays on this machine");
    gl_venue_text(draft, false, GL_VENUE_BODY_MAX * 2, out->note, &body);
    gl_str_addf(&text, "# %s\n\n%s\n", draft->title, gl_str_text(&body));
    add(venue, draft, "md", text.text, out);
    if (draft->request->json != NULL)
        add(venue, draft, "json", draft->request->json, out);
    return 0;
}

static int act(struct gl_venue *venue, const struct gl_venue_preview *preview, size_t index,
               struct gl_venue_receipt *receipt, struct gl_error *err)
{
    const struct gl_venue_step *step = &preview->steps[index];

    if (gl_dir_make(gl_venue_setting(venue, "folder"), err) < 0 ||
        gl_file_write(step->where, step->body, step->body_length, 0600, err) < 0)
        return -1;
    if (index == 0) {
        snprintf(receipt->id, sizeof receipt->id, "%s", preview->tag);
        snprintf(receipt->url, sizeof receipt->url, "%s", step->where);
    }
    venue->answer = GL_ANSWER_OK;
    return 0;
}

/* There when every file holds just these bytes. */
static int find(struct gl_venue *venue, const struct gl_venue_preview *preview,
                struct gl_venue_receipt *out, struct gl_error *err)
{
    (void)venue;
    for (size_t i = 0; i < preview->step_count; i++) {
        const struct gl_venue_step *step = &preview->steps[i];
        GL_AUTO(gl_auto_free) char *bytes = NULL;
        size_t length = 0;

        if (!gl_file_exists(step->where))
            return 0;
        if (gl_file_read(step->where, READ_MAX, &bytes, &length, err) < 0)
            return -1;
        if (length != step->body_length || memcmp(bytes, step->body, length) != 0)
            return 0;
    }
    snprintf(out->id, sizeof out->id, "%s", preview->tag);
    snprintf(out->url, sizeof out->url, "%s", preview->steps[0].where);
    return 1;
}

const struct gl_venue_ops gl_venue_file = {
    .name = "file",
    .title = "a file",
    .docs = "",
    .caps = GL_VENUE_OFFLINE | GL_VENUE_BY_HAND | GL_VENUE_FIND | GL_VENUE_IDEMPOTENT,
    .keys = keys,
    .place_key = "folder",
    .compose = compose,
    .act = act,
    .find = find,
};
