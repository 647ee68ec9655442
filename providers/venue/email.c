/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/venue/mail.h"

#include "base/file.h"
#include "base/http_curl_mail.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Two venues of one message. `email`: a file that every mail program opens, and a mailto address;
 * the person sends it. `smtp`: through the user's own server, with TLS and authentication. Mail
 * that was handed over cannot be looked for: after an unknown outcome nothing is sent again. */

#define MAILTO_MAX 1900 /* longer ones are cut by some systems */
#define READ_MAX   ((size_t)1 << 20)

#define KEY_FROM                                                    \
    {                                                               \
        .name = "from", .what = "your mailbox", .is_required = true \
    }
#define KEY_TO                                                              \
    {                                                                       \
        .name = "to", .what = "the provider's mailbox", .is_required = true \
    }

static const struct gl_setting_key email_keys[] = {
    KEY_FROM,
    KEY_TO,
    {.name = "folder", .what = "where the message goes", .is_required = true},
    {0}};

static const struct gl_setting_key smtp_keys[] = {
    KEY_FROM,
    KEY_TO,
    {.name = "server", .what = "smtps://HOST[:465] or smtp://HOST[:587]", .is_required = true},
    {.name = "user", .what = "name to sign in with; else nobody signs in"},
    {.name = "ca_file", .what = "PEM file of the server's own authority"},
    {.name = "password", .what = "password of \"user\"", .variable = "GREENLAUNCH_SMTP_PASSWORD"},
    {0}};

static int check_mailboxes(struct gl_venue *venue, struct gl_error *err)
{
    static const char *const names[] = {"from", "to"};

    for (size_t i = 0; i < 2; i++)
        if (!gl_venue_is_mailbox(gl_venue_setting(venue, names[i])))
            return gl_fail(err, GL_E_CONFIG, "%s: \"%s\" must be one mail address",
                           venue->ops->name, names[i]);
    return 0;
}

static int open_smtp(struct gl_venue *venue, struct gl_error *err)
{
    const char *server = gl_venue_setting(venue, "server");

    if (check_mailboxes(venue, err) < 0)
        return -1;
    if (!gl_venue_is_word(server, "-._~:/[]", 255) ||
        (strncmp(server, "smtps://", 8) != 0 && strncmp(server, "smtp://", 7) != 0))
        return gl_fail(err, GL_E_CONFIG, "smtp: \"server\" is written smtps://HOST or smtp://HOST");
    return 0;
}

/* ---- a file and an address ---- */

static int compose_email(const struct gl_venue *venue, const struct gl_venue_draft *draft,
                         struct gl_venue_preview *out, struct gl_error *err)
{
    const char *from = gl_venue_setting(venue, "from"), *to = gl_venue_setting(venue, "to");
    GL_AUTO(gl_str_done) struct gl_str message = {0}, link = {0};
    struct gl_venue_step *step;

    (void)err;
    snprintf(out->sender, sizeof out->sender, "%s", from);
    gl_mail_compose(draft, from, to, &message);
    step =
        gl_venue_step_add(out, "write", "%s/%s.eml", gl_venue_setting(venue, "folder"), draft->tag);
    gl_venue_step_body(step, message.text, message.length);
    if (gl_mail_link(draft, to, MAILTO_MAX, &link))
        gl_venue_note(out->note, "the mailto address is shortened to %d bytes, and says so",
                      MAILTO_MAX);
    gl_venue_step_add(out, "open", "%s", link.text);
    return 0;
}

static int act_email(struct gl_venue *venue, const struct gl_venue_preview *preview, size_t index,
                     struct gl_venue_receipt *receipt, struct gl_error *err)
{
    const struct gl_venue_step *step = &preview->steps[index];

    venue->answer = GL_ANSWER_PERSON;
    if (index > 0) {
        snprintf(receipt->url, sizeof receipt->url, "%s", step->where);
        return 0;
    }
    if (gl_dir_make(gl_venue_setting(venue, "folder"), err) < 0 ||
        gl_file_write(step->where, step->body, step->body_length, 0600, err) < 0)
        return -1;
    snprintf(receipt->id, sizeof receipt->id, "%.*s", GL_VENUE_ID - 1, step->where);
    return 0;
}

/* ---- SMTP ---- */

static int compose_smtp(const struct gl_venue *venue, const struct gl_venue_draft *draft,
                        struct gl_venue_preview *out, struct gl_error *err)
{
    const char *from = gl_venue_setting(venue, "from"), *to = gl_venue_setting(venue, "to");
    const char *user = gl_venue_setting(venue, "user");
    GL_AUTO(gl_str_done) struct gl_str message = {0};
    struct gl_venue_step *step;

    (void)err;
    snprintf(out->sender, sizeof out->sender, "%.*s", (int)sizeof out->sender - 1, from);
    gl_mail_compose(draft, from, to, &message);
    step = gl_venue_step_add(out, "mail", "%s", gl_venue_setting(venue, "server"));
    gl_venue_step_header(step, "MAIL FROM", from);
    gl_venue_step_header(step, "RCPT TO", to);
    gl_venue_step_body(step, message.text, message.length);
    step->is_create = true;
    if (user != NULL)
        snprintf(step->added, sizeof step->added, "AUTH as %.80s with GREENLAUNCH_SMTP_PASSWORD",
                 user);
    gl_mail_id(draft, from, out->target);
    return 0;
}

/* RFC 5321 section 4.2.3; grey-listing (450, 451) is no more than come again later. */
static enum gl_venue_answer answer_of(long code)
{
    static const struct {
        long code;
        enum gl_venue_answer answer;
    } codes[] = {{421, GL_ANSWER_RATE_LIMITED}, {451, GL_ANSWER_RATE_LIMITED},
                 {452, GL_ANSWER_RATE_LIMITED}, {530, GL_ANSWER_LOGIN},
                 {534, GL_ANSWER_LOGIN},        {535, GL_ANSWER_LOGIN},
                 {550, GL_ANSWER_FORBIDDEN},    {551, GL_ANSWER_GONE},
                 {553, GL_ANSWER_REFUSED},      {554, GL_ANSWER_FORBIDDEN}};

    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
        if (codes[i].code == code)
            return codes[i].answer;
    return code >= 500 ? GL_ANSWER_REFUSED : GL_ANSWER_UNCLEAR;
}

static int act_smtp(struct gl_venue *venue, const struct gl_venue_preview *preview, size_t index,
                    struct gl_venue_receipt *receipt, struct gl_error *err)
{
    const struct gl_venue_step *step = &preview->steps[index];
    const char *ca = gl_venue_setting(venue, "ca_file"), *password = "";
    struct gl_mail mail = {.server = step->where,
                           .user = gl_venue_setting(venue, "user"),
                           .from = gl_venue_setting(venue, "from"),
                           .to = gl_venue_setting(venue, "to"),
                           .message = {step->body, step->body_length}};
    GL_AUTO(gl_auto_free) char *pem = NULL;
    struct gl_error why = {0};
    size_t length;
    long code = 0;

    if (gl_venue_secret(venue, "password", mail.user != NULL, &password, err) < 0 ||
        (ca != NULL && gl_file_read(ca, (size_t)64 << 10, &pem, &length, err) < 0))
        return -1;
    if (venue->options->world->http == NULL)
        return gl_fail(err, GL_E_NETWORK, "smtp: the network is not to be used");
    mail.password = password;
    mail.ca_pem = pem;
    if (gl_mail_send(&mail, &code, &why) == 0) {
        venue->answer = GL_ANSWER_OK;
        snprintf(receipt->id, sizeof receipt->id, "%s", preview->target);
        return 0;
    }
    venue->answer = answer_of(code);
    return gl_fail(err, why.code, "%s", why.text);
}

const struct gl_venue_ops gl_venue_email = {
    .name = "email",
    .title = "a message to be sent by you",
    .docs = "https://www.rfc-editor.org/rfc/rfc5322",
    .caps = GL_VENUE_OFFLINE | GL_VENUE_BY_HAND | GL_VENUE_IDEMPOTENT,
    .keys = email_keys,
    .place_key = "to",
    .open = check_mailboxes,
    .compose = compose_email,
    .act = act_email,
};

const struct gl_venue_ops gl_venue_smtp = {
    .name = "smtp",
    .title = "a message through your mail server",
    .docs = "https://www.rfc-editor.org/rfc/rfc5321",
    .caps = 0,
    .keys = smtp_keys,
    .place_key = "to",
    .open = open_smtp,
    .compose = compose_smtp,
    .act = act_smtp,
};
