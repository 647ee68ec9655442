/* SPDX-License-Identifier: Apache-2.0 */
#include "base/jsonpull_grammar.h"

#include <stdio.h>

/* ---- where it stands ---- */

struct place {
    uint64_t lines, columns; /* line ends before it, bytes since the last of them */
};

/* Found when it is asked for: the scans do not count lines. */
static struct place place_of(const struct gl_jsonpull *pull, const char *at)
{
    size_t length = (size_t)(at - pull->counted);
    const char *last = memrchr(pull->counted, '\n', length);
    struct place place = {pull->lines, pull->columns + length};

    if (last != NULL) {
        place.lines += gl_jscan_line_ends(pull->counted, at);
        place.columns = (uint64_t)(at - last - 1);
    }
    return place;
}

static struct gl_pos pos_of(const struct gl_jsonpull *pull, const char *at)
{
    struct place place = place_of(pull, at);
    struct gl_pos pos = {
        .line = place.lines < UINT32_MAX ? (uint32_t)place.lines + 1 : UINT32_MAX,
        .column = place.columns < UINT32_MAX ? (uint32_t)place.columns + 1 : UINT32_MAX,
    };

    snprintf(pos.file, sizeof pos.file, "%s", gl_feed_name(pull->feed));
    return pos;
}

uint64_t gl_jsonpull_line(const struct gl_jsonpull *pull)
{
    return pull->lines + gl_jscan_line_ends(pull->counted, pull->at) + 1;
}

const char *gl_jscan_fail(struct gl_jsonpull *pull, const char *at, enum gl_errc code,
                          const char *what)
{
    struct gl_pos pos = pos_of(pull, at);

    gl_fail_at(pull->err, code, &pos, "%s is not usable JSON: %s", pos.file, what);
    return NULL;
}

const char *gl_jscan_expected(struct gl_jsonpull *pull, const char *at, const char *what)
{
    struct gl_pos pos = pos_of(pull, at);
    bool is_end = at == pull->end && pull->is_over;

    gl_fail_at(pull->err, GL_E_SYNTAX, &pos, "%s is not valid JSON: expected %s%s", pos.file, what,
               is_end ? ", but the input ends" : "");
    return NULL;
}

/* ---- the window ---- */

/* What was read leaves the window and is counted. */
static void leave(struct gl_jsonpull *pull, const char *at)
{
    struct place place = place_of(pull, at);
    size_t kept = (size_t)(pull->end - at);

    pull->lines = place.lines;
    pull->columns = place.columns;
    memmove(pull->window, at, kept);
    pull->counted = pull->window;
    pull->end = pull->window + kept;
    pull->block = NULL;
}

const char *gl_jscan_refill(struct gl_jsonpull *pull, const char *at)
{
    size_t kept = (size_t)(pull->end - at), length;

    leave(pull, at);
    if (gl_feed_read(pull->feed, pull->window + kept, GL_JSCAN_WINDOW - kept, &length, pull->err) !=
        0)
        return NULL;
    pull->is_over = length == 0;
    pull->end += length;
    memset(pull->window + kept + length, 0, GL_JSCAN_PAD);
    return pull->window;
}

const char *gl_jscan_need(struct gl_jsonpull *pull, const char *at, size_t count)
{
    while (at != NULL && (size_t)(pull->end - at) < count && !pull->is_over)
        at = gl_jscan_refill(pull, at);
    return at;
}

const char *gl_jscan_spaces(struct gl_jsonpull *pull, const char *at)
{
    while (at != NULL) {
        at = gl_jscan_space_end(at);
        if (at != pull->end || pull->is_over)
            break;
        at = gl_jscan_refill(pull, at);
    }
    return at;
}

/* ---- strings ---- */

void gl_jscan_grow(struct gl_jscan_text *out, size_t needed)
{
    size_t capacity = out->capacity > 0 ? out->capacity : GL_JSCAN_WINDOW;

    while (capacity < needed)
        capacity *= 2;
    out->text = gl_realloc(out->text, capacity);
    out->capacity = capacity;
}

static void put(struct gl_jscan_text *out, const char *bytes, size_t length)
{
    if (out == NULL)
        return;
    memcpy(out->text + out->length, bytes, length);
    out->length += length;
}

/* Length of the UTF-8 sequence at `at`, 0 when it is none (RFC 3629 section 4). The NUL bytes
 * behind the window continue nothing. */
static size_t sequence(const char *at)
{
    const unsigned char *byte = (const unsigned char *)at;
    size_t length = byte[0] >= 0xf0 ? 4 : byte[0] >= 0xe0 ? 3 : 2;
    unsigned char low = 0x80, high = 0xbf;

    if (byte[0] < 0xc2 || byte[0] > 0xf4)
        return 0;
    if (byte[0] == 0xe0)
        low = 0xa0;
    if (byte[0] == 0xed)
        high = 0x9f;
    if (byte[0] == 0xf0)
        low = 0x90;
    if (byte[0] == 0xf4)
        high = 0x8f;
    if (byte[1] < low || byte[1] > high)
        return 0;
    for (size_t i = 2; i < length; i++)
        if ((byte[i] & 0xc0) != 0x80)
            return 0;
    return length;
}

static const char *beyond_ascii(struct gl_jsonpull *pull, const char *at, struct gl_jscan_text *out)
{
    size_t length;

    do {
        length = sequence(at);
        if (length == 0)
            return gl_jscan_fail(pull, at, GL_E_SYNTAX, "a string that is not UTF-8");
        put(out, at, length);
        at += length;
    } while ((unsigned char)*at >= 0x80 && pull->end - at >= 4);
    return at;
}

/* The value of four hexadecimal digits, -1 when they are not. */
static int32_t hex4(const char *at)
{
    int32_t value = 0;

    for (int i = 0; i < 4; i++) {
        int32_t lower = at[i] | 0x20;

        if (at[i] >= '0' && at[i] <= '9')
            value = value * 16 + (at[i] - '0');
        else if (lower >= 'a' && lower <= 'f')
            value = value * 16 + (lower - 'a' + 10);
        else
            return -1;
    }
    return value;
}

/* The second half of a pair at `at`, -1 when there is none. */
static int32_t low_half(const char *at)
{
    int32_t unit = at[0] == '\\' && at[1] == 'u' ? hex4(at + 2) : -1;

    return unit >= 0xdc00 && unit <= 0xdfff ? unit - 0xdc00 : -1;
}

/* \uXXXX, or two of them that make a pair; all twelve bytes are in the window. */
static const char *unicode(struct gl_jsonpull *pull, const char *at, struct gl_jscan_text *out)
{
    int32_t unit = hex4(at + 2), low = 0;
    bool is_high = unit >= 0xd800 && unit <= 0xdbff;
    char bytes[4];

    if (unit < 0)
        return gl_jscan_expected(pull, at, "four hexadecimal digits after \\u");
    if (is_high)
        low = low_half(at + 6);
    if (low < 0 || (unit >= 0xdc00 && unit <= 0xdfff))
        return gl_jscan_fail(pull, at, GL_E_SYNTAX, "half a surrogate pair");
    if (out != NULL) {
        uint32_t code = (uint32_t)(is_high ? 0x10000 + (unit - 0xd800) * 0x400 + low : unit);

        out->has_nul = out->has_nul || code == 0;
        put(out, bytes, gl_utf8_put(code, bytes));
    }
    return at + (is_high ? 12 : 6);
}

static const char *escape(struct gl_jsonpull *pull, const char *at, struct gl_jscan_text *out)
{
    static const char names[] = "\"\\/bfnrt", bytes[] = "\"\\/\b\f\n\r\t";
    const char *name;

    if (at[1] == 'u')
        return unicode(pull, at, out);
    name = at[1] != '\0' ? strchr(names, at[1]) : NULL;
    if (name == NULL)
        return gl_jscan_expected(pull, at, "an escape of JSON");
    put(out, bytes + (name - names), 1);
    return at + 2;
}

const char *gl_jscan_special(struct gl_jsonpull *pull, const char *at, struct gl_jscan_text *out)
{
    /* An escaped pair is the longest. */
    if (pull->end - at < 12 && !pull->is_over) {
        at = gl_jscan_need(pull, at, 12);
        if (at != NULL && out != NULL)
            gl_jscan_reserve(pull, at, out);
        return at;
    }
    if (*at == '\\')
        return escape(pull, at, out);
    if ((unsigned char)*at >= 0x80)
        return beyond_ascii(pull, at, out);
    if (at == pull->end)
        return gl_jscan_expected(pull, at, "the end of a string");
    return gl_jscan_fail(pull, at, GL_E_SYNTAX, "a control character in a string");
}

/* ---- numbers and words ---- */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Behind the digits at *io_at; false when there is none. */
static bool pass_digits(const char **io_at)
{
    const char *from = *io_at;

    while (is_digit(**io_at))
        ++*io_at;
    return *io_at > from;
}

/* Behind the number at *io_at, or at the byte that does not fit, then false. */
static bool pass_number(const char **io_at)
{
    *io_at += **io_at == '-';
    if (**io_at == '0')
        ++*io_at;
    else if (!pass_digits(io_at))
        return false;
    if (**io_at == '.') {
        ++*io_at;
        if (!pass_digits(io_at))
            return false;
    }
    if (**io_at == 'e' || **io_at == 'E') {
        ++*io_at;
        *io_at += **io_at == '+' || **io_at == '-';
        return pass_digits(io_at);
    }
    return true;
}

const char *gl_jscan_number(struct gl_jsonpull *pull, const char **io_at)
{
    for (;;) {
        const char *to = *io_at;
        bool is_number = pass_number(&to);

        if ((size_t)(to - *io_at) > GL_JSONPULL_MAX_NUMBER)
            return gl_jscan_fail(pull, *io_at, GL_E_TOO_LARGE, "a number of more than 4 KiB");
        if (to != pull->end || pull->is_over)
            return is_number ? to : gl_jscan_expected(pull, to, "a digit");
        *io_at = gl_jscan_refill(pull, *io_at);
        if (*io_at == NULL)
            return NULL;
    }
}

const char *gl_jscan_late_word(struct gl_jsonpull *pull, const char *at, enum gl_jkind kind)
{
    size_t length = kind == GL_JFALSE ? 5 : 4;

    at = gl_jscan_need(pull, at, length);
    if (at == NULL || gl_jscan_is_word(at, kind))
        return at != NULL ? at + length : NULL;
    return gl_jscan_expected(pull, at, "a value");
}

/* ---- dropping a value ---- */

static const char *skip_scalar(struct gl_jsonpull *pull, const char *at)
{
    switch (*at) {
    case '"':
        return gl_jscan_pass_string(pull, at);
    case 'n':
        return gl_jscan_word(pull, at, GL_JNULL);
    case 'f':
        return gl_jscan_word(pull, at, GL_JFALSE);
    case 't':
        return gl_jscan_word(pull, at, GL_JTRUE);
    default:
        if (*at != '-' && !is_digit(*at))
            return gl_jscan_expected(pull, at, "a value");
        return gl_jscan_number(pull, &at);
    }
}

/* On from one value to the next below `base`; they all lie in `pull->depth` containers. */
const char *gl_jscan_skip(struct gl_jsonpull *pull, const char *at)
{
    unsigned base = pull->depth;
    bool has = false;

    do {
        has = false;
        if (*at == '{' || *at == '[') {
            at = gl_jscan_open(pull, at);
            at = at != NULL ? gl_jscan_first(pull, at, &has) : NULL;
        } else {
            at = skip_scalar(pull, at);
        }
        while (at != NULL && !has && pull->depth > base)
            at = gl_jscan_next(pull, at, &has);
        if (at != NULL && has && pull->is_object[pull->depth])
            at = gl_jscan_key(pull, at, NULL);
    } while (at != NULL && has);
    return at;
}
