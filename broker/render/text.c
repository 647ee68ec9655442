/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/render/text.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/unit.h"
#include "base/wrap.h"

void gl_render_wrap(const char *text, unsigned indent, unsigned columns, struct gl_str *out)
{
    if (*text == '\0')
        return;
    gl_str_addf(out, "%*s", *text != '\n' ? (int)indent : 0, "");
    gl_wrap_text(text, (struct gl_margins){indent, indent, columns}, out);
}

void gl_render_hang(const char *text, unsigned indent, unsigned columns, struct gl_str *out)
{
    gl_wrap_text(text, (struct gl_margins){indent, indent, columns}, out);
}

void gl_render_reflow(struct gl_str *text, unsigned label, unsigned columns)
{
    struct gl_str out = {0};

    for (const char *at = gl_str_text(text); *at != '\0';) {
        GL_AUTO(gl_str_done) struct gl_str line = {0};
        size_t length = strcspn(at, "\n"), spaces = strspn(at, " ");
        unsigned indent = spaces > 0 && spaces < label ? label - (unsigned)spaces : 0;

        gl_str_add_bytes(&line, at, length);
        gl_wrap_long(gl_str_text(&line), (struct gl_margins){0, indent, columns}, &out);
        at += length + (at[length] == '\n');
    }
    gl_str_done(text);
    *text = out;
}

char *gl_render_real_text(double number, char out[GL_RENDER_NUMBER])
{
    size_t length;

    gl_number_text(number, out);
    length = strlen(out);
    if (strchr(out, '.') == NULL)
        return out;
    while (out[length - 1] == '0')
        length--;
    out[out[length - 1] == '.' ? length - 1 : length] = '\0';
    return out;
}

void gl_render_band(const struct gl_band *band, struct gl_str *out)
{
    char central[GL_RENDER_NUMBER], low[GL_RENDER_NUMBER], high[GL_RENDER_NUMBER];

    if (!(band->central >= 0)) {
        gl_str_add_char(out, '?');
        return;
    }
    gl_str_add(out, gl_render_real_text(band->central, central));
    if (band->low >= 0 && band->high > band->low)
        gl_str_addf(out, " (%s..%s)", gl_render_real_text(band->low, low),
                    gl_render_real_text(band->high, high));
}

double gl_render_real(int64_t millionths)
{
    return millionths == GL_UNKNOWN ? (double)NAN : (double)millionths / 1e6;
}

char *gl_render_number(int64_t millionths, double scale, char out[GL_RENDER_NUMBER])
{
    if (millionths == GL_UNKNOWN)
        snprintf(out, GL_RENDER_NUMBER, "?");
    else
        gl_render_real_text((double)millionths * scale, out);
    return out;
}

char *gl_render_age(int64_t age_s, char out[GL_RENDER_NUMBER])
{
    if (age_s == GL_UNKNOWN)
        snprintf(out, GL_RENDER_NUMBER, "?");
    else if (age_s < 0)
        snprintf(out, GL_RENDER_NUMBER, "ahead");
    else if (age_s < 2 * 60)
        snprintf(out, GL_RENDER_NUMBER, "%" PRId64 " s", age_s);
    else if (age_s < 2 * 3600)
        snprintf(out, GL_RENDER_NUMBER, "%" PRId64 " min", age_s / 60);
    else if (age_s < 2 * 86400)
        snprintf(out, GL_RENDER_NUMBER, "%" PRId64 " h", age_s / 3600);
    else
        snprintf(out, GL_RENDER_NUMBER, "%" PRId64 " d", age_s / 86400);
    return out;
}

void gl_render_count(struct gl_str *out, size_t count, const char *noun)
{
    gl_str_addf(out, "%zu %s%s", count, noun, count == 1 ? "" : "s");
}

void gl_render_tone(struct gl_str *out, const char *word, enum gl_tone tone, bool is_color)
{
    static const char *const codes[] = {"\033[1;32m", "\033[1;33m", "\033[1;31m"};

    if (is_color)
        gl_str_addf(out, "%s%s\033[0m", codes[tone], word);
    else
        gl_str_add(out, word);
}
