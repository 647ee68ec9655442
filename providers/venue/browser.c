/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/venue/adapter.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The address of a repository's form for a new issue, filled in: no token, the person reads it and
 * presses the button, and forms with consent boxes work. Below 8,192 bytes, as gh keeps it.
 * https://docs.github.com/en/issues/tracking-your-work-with-issues/using-issues/creating-an-issue#creating-an-issue-from-a-url-query
 * A form's fields are filled by their ids. Sending it opens nothing: the caller shows the address.
 */

#define URL_MAX 8191

static const struct gl_setting_key keys[] = {
    {.name = "repository", .what = "OWNER/NAME", .is_required = true},
    {.name = "template", .what = "file name of the issue form; else the draft's"},
    {.name = "endpoint", .what = "address of the site", .fallback = "https://github.com"},
    {0}};

static int open_browser(struct gl_venue *venue, struct gl_error *err)
{
    const char *repository = gl_venue_setting(venue, "repository");
    const char *form = gl_venue_setting(venue, "template");

    if (!gl_venue_is_word(repository, "-_./", 140) || strchr(repository, '/') == NULL ||
        strstr(repository, "..") != NULL)
        return gl_fail(err, GL_E_CONFIG, "browser: \"repository\" is written OWNER/NAME");
    if (form != NULL && !gl_venue_is_word(form, "-_.", 120))
        return gl_fail(err, GL_E_CONFIG, "browser: \"template\" is a plain file name");
    return gl_venue_take_endpoint(venue, err);
}

static void add(struct gl_str *url, const char *name, const char *value)
{
    gl_str_add_char(url, strchr(url->text, '?') != NULL ? '&' : '?');
    gl_str_addf(url, "%s=", name);
    gl_remote_encode(url, value);
}

/* Values of at most `most` bytes; true when one was cut. */
static bool add_values(const struct gl_venue_draft *draft, size_t most, struct gl_str *url)
{
    const struct gl_venue_request *request = draft->request;
    bool is_cut = false;

    for (size_t i = 0; i < request->field_count; i++) {
        GL_AUTO(gl_str_done) struct gl_str value = {0};

        is_cut |= gl_venue_cut(request->fields[i].value, most, &value);
        if (request->fields[i].id != NULL)
            add(url, request->fields[i].id, gl_str_text(&value));
    }
    if (request->field_count == 0) {
        GL_AUTO(gl_str_done) struct gl_str value = {0};

        is_cut |= gl_venue_cut(request->markdown, most, &value);
        add(url, "body", gl_str_text(&value));
    }
    return is_cut;
}

static const char *form_of(const struct gl_venue *venue, const struct gl_venue_draft *draft)
{
    const char *form = gl_venue_setting(venue, "template");

    return form != NULL ? form : draft->request->template_name;
}

static void build(const struct gl_venue *venue, const struct gl_venue_draft *draft, size_t most,
                  struct gl_str *url, bool *out_is_cut)
{
    const char *form = form_of(venue, draft);
    GL_AUTO(gl_str_done) struct gl_str labels = {0};

    for (const char *const *label = draft->request->labels; label != NULL && *label != NULL;
         label++)
        gl_str_addf(&labels, "%s%s", labels.length > 0 ? "," : "", *label);
    gl_str_addf(url, "%s/%s/issues/new", venue->endpoint, gl_venue_setting(venue, "repository"));
    if (form != NULL)
        add(url, "template", form);
    add(url, "title", draft->title);
    if (labels.length > 0)
        add(url, "labels", labels.text);
    *out_is_cut = add_values(draft, most, url);
}

/* A form with fields of its own takes no "body", and fields without ids cannot be filled. */
static bool has_blind_form(const struct gl_venue *venue, const struct gl_venue_draft *draft)
{
    const char *form = form_of(venue, draft), *dot = form != NULL ? strrchr(form, '.') : NULL;

    return dot != NULL && (strcmp(dot, ".yml") == 0 || strcmp(dot, ".yaml") == 0) &&
           draft->request->field_count == 0;
}

/* The largest share of each value with which the whole address is short enough. */
static size_t share_that_fits(const struct gl_venue *venue, const struct gl_venue_draft *draft)
{
    size_t low = 0, high = GL_VENUE_BODY_MAX;

    while (low < high) {
        size_t middle = low + (high - low + 1) / 2;
        GL_AUTO(gl_str_done) struct gl_str url = {0};
        bool is_cut;

        build(venue, draft, middle, &url, &is_cut);
        if (url.length <= URL_MAX)
            low = middle;
        else
            high = middle - 1;
    }
    return low;
}

static int compose(const struct gl_venue *venue, const struct gl_venue_draft *draft,
                   struct gl_venue_preview *out, struct gl_error *err)
{
    GL_AUTO(gl_str_done) struct gl_str url = {0};
    bool is_cut = false;

    snprintf(out->sender, sizeof out->sender, "whoever is signed in in the browser");
    build(venue, draft, share_that_fits(venue, draft), &url, &is_cut);
    if (url.length > URL_MAX)
        return gl_fail(err, GL_E_TOO_LARGE,
                       "browser: title and labels alone are longer than an "
                       "address may be");
    if (has_blind_form(venue, draft))
        gl_venue_note(out->note, "this form takes only the title from an address: its fields have "
                                 "no ids, paste the text");
    if (is_cut)
        gl_venue_note(out->note, "shortened to fit an address of %d bytes, and says so", URL_MAX);
    gl_venue_step_add(out, "open", "%s", url.text);
    return 0;
}

static int act(struct gl_venue *venue, const struct gl_venue_preview *preview, size_t index,
               struct gl_venue_receipt *receipt, struct gl_error *err)
{
    (void)err;
    snprintf(receipt->url, sizeof receipt->url, "%s", preview->steps[index].where);
    venue->answer = GL_ANSWER_PERSON;
    return 0;
}

const struct gl_venue_ops gl_venue_browser = {
    .name = "browser",
    .title = "a prefilled form in the browser",
    .docs = "https://docs.github.com/en/issues",
    .caps = GL_VENUE_OFFLINE | GL_VENUE_BY_HAND | GL_VENUE_PUBLIC | GL_VENUE_IDEMPOTENT,
    .keys = keys,
    .place_key = "repository",
    .open = open_browser,
    .compose = compose,
    .act = act,
};
