/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/venue/mail.h"

#include "base/time.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINE_MAX_QP   75 /* RFC 2045 section 6.7: 76 with the "=" of a soft break */
#define WORD_BYTES    42 /* of text in one encoded word: 56 base64 characters, 68 in all */
#define BASE64_BYTES  57 /* of text in a line of 76 */
#define FINGERPRINT_N 32

/* ---- headers ---- */

static bool is_ascii(const char *text)
{
    for (; *text != '\0'; text++)
        if ((unsigned char)*text >= 127 || (unsigned char)*text < ' ')
            return false;
    return true;
}

static size_t character_end(const char *text, size_t most)
{
    size_t length = strnlen(text, most + 1);

    if (length <= most)
        return length;
    length = most;
    while (length > 0 && ((unsigned char)text[length] & 0xc0) == 0x80)
        length--;
    return length;
}

/* RFC 2047: whole characters in each encoded word. */
static void add_encoded(const char *text, struct gl_str *out)
{
    char base64[64];

    while (*text != '\0') {
        size_t length = character_end(text, WORD_BYTES);

        gl_str_addf(out, "=?UTF-8?B?%s?=", gl_base64_text(text, length, base64));
        text += length;
        if (*text != '\0')
            gl_str_add(out, "\r\n ");
    }
}

/* Folded between words before column 76 (RFC 5322 section 2.2.3). */
static void add_folded(const char *text, size_t column, struct gl_str *out)
{
    while (*text != '\0') {
        size_t length = strspn(text, " ");

        length += strcspn(text + length, " ");
        if (column + length > 76 && column > 1) {
            gl_str_add(out, "\r\n");
            column = 0;
        }
        gl_str_add_bytes(out, text, length);
        column += length;
        text += length;
    }
}

static void add_subject(const char *title, struct gl_str *out)
{
    bool is_plain = is_ascii(title) && strstr(title, "=?") == NULL;

    gl_str_add(out, "Subject: ");
    if (is_plain)
        add_folded(title, strlen("Subject: "), out);
    else
        add_encoded(title, out);
    gl_str_add(out, "\r\n");
}

/* RFC 5322 section 3.3; 1970-01-01 was a Thursday. */
static void add_date(struct gl_instant at, struct gl_str *out)
{
    static const char *const days[] = {"Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"};
    static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                         "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    int year, month, day, hour, minute, second;

    gl_instant_civil(at, &year, &month, &day, &hour, &minute, &second);
    gl_str_addf(out, "Date: %s, %d %s %04d %02d:%02d:%02d +0000\r\n", days[at.unix_s / 86400 % 7],
                day, months[month - 1], year, hour, minute, second);
}

void gl_mail_id(const struct gl_venue_draft *draft, const char *from, char out[GL_VENUE_ID])
{
    snprintf(out, GL_VENUE_ID, "<%s.%.*s@%s>", draft->tag, FINGERPRINT_N,
             draft->request->fingerprint, strchr(from, '@') + 1);
}

/* ---- bodies ---- */

/* A blank at the end of a line is lost on the way; a line of "From" or "." is changed by some. */
static bool is_kept(const char *at, size_t column)
{
    unsigned char c = (unsigned char)*at;

    if (c == ' ' || c == '\t')
        return at[1] != '\n' && at[1] != '\0';
    return c > ' ' && c < 127 && c != '=' && !(column == 0 && (c == '.' || c == 'F'));
}

/* Quoted-printable of text with '\n' ends. */
static void add_quoted(const char *text, struct gl_str *out)
{
    size_t column = 0;

    for (const char *at = text; *at != '\0'; at++) {
        size_t width = is_kept(at, column) ? 1 : 3;

        if (*at == '\n') {
            gl_str_add(out, "\r\n");
            column = 0;
            continue;
        }
        if (column + width > LINE_MAX_QP) {
            gl_str_add(out, "=\r\n");
            column = 0;
            width = is_kept(at, column) ? 1 : 3;
        }
        gl_str_addf(out, width == 1 ? "%c" : "=%02X", (unsigned)(unsigned char)*at);
        column += width;
    }
    gl_str_add(out, "\r\n");
}

static void add_base64(const char *bytes, struct gl_str *out)
{
    char line[80];

    for (size_t length = strlen(bytes); length > 0;) {
        size_t part = length < BASE64_BYTES ? length : BASE64_BYTES;

        gl_str_addf(out, "%s\r\n", gl_base64_text(bytes, part, line));
        bytes += part;
        length -= part;
    }
}

static void add_text_part(const struct gl_venue_draft *draft, struct gl_str *out)
{
    GL_AUTO(gl_str_done) struct gl_str text = {0};
    char note[GL_VENUE_NOTE] = "";

    gl_venue_text(draft, true, GL_VENUE_BODY_MAX * 2, note, &text);
    gl_str_add(out, "Content-Type: text/plain; charset=utf-8\r\n"
                    "Content-Transfer-Encoding: quoted-printable\r\n\r\n");
    add_quoted(gl_str_text(&text), out);
}

/* Quoted-printable never holds "=_", nor does base64: the boundary cannot occur inside. */
static void add_parts(const struct gl_venue_draft *draft, struct gl_str *out)
{
    char boundary[48];

    snprintf(boundary, sizeof boundary, "=_%.*s", FINGERPRINT_N, draft->request->fingerprint);
    gl_str_addf(out, "Content-Type: multipart/mixed; boundary=\"%s\"\r\n\r\n--%s\r\n", boundary,
                boundary);
    add_text_part(draft, out);
    gl_str_addf(out,
                "--%s\r\nContent-Type: application/json\r\n"
                "Content-Disposition: attachment; filename=\"%s.json\"\r\n"
                "Content-Transfer-Encoding: base64\r\n\r\n",
                boundary, draft->tag);
    add_base64(draft->request->json, out);
    gl_str_addf(out, "--%s--\r\n", boundary);
}

void gl_mail_compose(const struct gl_venue_draft *draft, const char *from, const char *to,
                     struct gl_str *out)
{
    const char *language = draft->request->language;
    char id[GL_VENUE_ID];

    gl_mail_id(draft, from, id);
    add_date(draft->request->drafted, out);
    gl_str_addf(out, "From: <%s>\r\nReply-To: <%s>\r\nTo: <%s>\r\n", from, from, to);
    add_subject(draft->title, out);
    gl_str_addf(out, "Message-ID: %s\r\nContent-Language: %s\r\nMIME-Version: 1.0\r\n", id,
                language != NULL ? language : "en");
    if (draft->request->json != NULL)
        add_parts(draft, out);
    else
        add_text_part(draft, out);
}

/* ---- mailto ---- */

static void link_of(const struct gl_venue_draft *draft, const char *to, const char *text,
                    struct gl_str *out)
{
    GL_AUTO(gl_str_done) struct gl_str lines = {0};

    for (const char *at = text; *at != '\0'; at++) /* RFC 6068 section 5: %0D%0A */
        gl_str_add_bytes(&lines, *at == '\n' ? "\r\n" : at, *at == '\n' ? 2 : 1);
    gl_str_add(out, "mailto:");
    for (const char *at = to; *at != '\0'; at++)
        gl_str_addf(out, strchr("%?&#/^`{|}=", *at) != NULL ? "%%%02X" : "%c", *at);
    gl_str_add(out, "?subject=");
    gl_remote_encode(out, draft->title);
    gl_str_add(out, "&body=");
    gl_remote_encode(out, gl_str_text(&lines));
}

bool gl_mail_link(const struct gl_venue_draft *draft, const char *to, size_t most,
                  struct gl_str *out)
{
    GL_AUTO(gl_str_done) struct gl_str text = {0};
    char note[GL_VENUE_NOTE] = "";
    size_t low = 0, high;

    gl_venue_text(draft, true, GL_VENUE_BODY_MAX * 2, note, &text);
    high = text.length;
    while (low < high) {
        size_t middle = low + (high - low + 1) / 2;
        GL_AUTO(gl_str_done) struct gl_str cut = {0}, link = {0};

        gl_venue_cut(gl_str_text(&text), middle, &cut);
        link_of(draft, to, gl_str_text(&cut), &link);
        if (link.length <= most)
            low = middle;
        else
            high = middle - 1;
    }
    {
        GL_AUTO(gl_str_done) struct gl_str cut = {0};
        bool is_cut = gl_venue_cut(gl_str_text(&text), low, &cut);

        link_of(draft, to, gl_str_text(&cut), out);
        return is_cut;
    }
}
