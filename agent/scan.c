/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/scan.h"

#include <string.h>

void gl_scan_begin(struct gl_scan *scan, const char *bytes, size_t length)
{
    *scan = (struct gl_scan){.at = bytes, .end = bytes + length, .is_first = true};
}

bool gl_scan_refuse(struct gl_scan *scan, const char *problem)
{
    if (scan->problem == NULL)
        scan->problem = problem;
    return false;
}

static void skip_space(struct gl_scan *scan)
{
    while (scan->at < scan->end && strchr(" \t\r\n", *scan->at) != NULL && *scan->at != '\0')
        scan->at++;
}

/* Take this byte if it is next. */
static bool take(struct gl_scan *scan, char c)
{
    skip_space(scan);
    if (scan->problem != NULL || scan->at >= scan->end || *scan->at != c)
        return false;
    scan->at++;
    return true;
}

static bool take_word(struct gl_scan *scan, const char *word)
{
    size_t length = strlen(word);

    skip_space(scan);
    if (scan->problem != NULL || (size_t)(scan->end - scan->at) < length ||
        memcmp(scan->at, word, length) != 0)
        return false;
    scan->at += length;
    return true;
}

bool gl_scan_enter(struct gl_scan *scan, char bracket)
{
    if (scan->depth >= GL_SCAN_DEPTH)
        return gl_scan_refuse(scan, "nested too deep");
    if (!take(scan, bracket))
        return gl_scan_refuse(scan, bracket == '{' ? "expected an object" : "expected an array");
    scan->depth++;
    scan->is_first = true;
    return true;
}

bool gl_scan_more(struct gl_scan *scan, char bracket)
{
    if (take(scan, bracket)) {
        scan->depth--;
        scan->is_first = false;
        return false;
    }
    if (!scan->is_first && !take(scan, ','))
        return gl_scan_refuse(scan, "expected a comma");
    scan->is_first = false;
    return scan->problem == NULL;
}

bool gl_scan_key(struct gl_scan *scan, char out[GL_SCAN_KEY])
{
    if (!gl_scan_string(scan, out, GL_SCAN_KEY, NULL))
        return false;
    return take(scan, ':') || gl_scan_refuse(scan, "expected a colon");
}

/* Four hex digits, -1 when they are not. */
static long take_hex4(struct gl_scan *scan)
{
    static const char digits[] = "0123456789abcdef0123456789ABCDEF";
    long value = 0;

    if (scan->end - scan->at < 4)
        return -1;
    for (int i = 0; i < 4; i++) {
        const char *digit = memchr(digits, scan->at[i], sizeof digits - 1);

        if (digit == NULL)
            return -1;
        value = value << 4 | ((digit - digits) & 15);
    }
    scan->at += 4;
    return value;
}

/* The code point of \uXXXX or a surrogate pair, after the 'u'; -1 for a broken or NUL one. */
static long take_unicode(struct gl_scan *scan)
{
    long high = take_hex4(scan), low;

    if (high <= 0 || (high >= 0xdc00 && high < 0xe000))
        return -1;
    if (high < 0xd800 || high >= 0xe000)
        return high;
    if (scan->end - scan->at < 2 || memcmp(scan->at, "\\u", 2) != 0)
        return -1;
    scan->at += 2;
    low = take_hex4(scan);
    if (low < 0xdc00 || low >= 0xe000)
        return -1;
    return 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
}

/* UTF-8 of a code point; returns the number of bytes. */
static size_t utf8(long point, char out[4])
{
    if (point < 0x80) {
        out[0] = (char)point;
        return 1;
    }
    if (point < 0x800) {
        out[0] = (char)(0xc0 | point >> 6);
        out[1] = (char)(0x80 | (point & 63));
        return 2;
    }
    if (point < 0x10000) {
        out[0] = (char)(0xe0 | point >> 12);
        out[1] = (char)(0x80 | (point >> 6 & 63));
        out[2] = (char)(0x80 | (point & 63));
        return 3;
    }
    out[0] = (char)(0xf0 | point >> 18);
    out[1] = (char)(0x80 | (point >> 12 & 63));
    out[2] = (char)(0x80 | (point >> 6 & 63));
    out[3] = (char)(0x80 | (point & 63));
    return 4;
}

/* The bytes of an escape after its backslash; 0 when it is none. */
static size_t take_escape(struct gl_scan *scan, char out[4])
{
    static const char letters[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";
    const char *letter;
    long point;

    if (scan->at >= scan->end)
        return 0;
    if (*scan->at == 'u') {
        scan->at++;
        point = take_unicode(scan);
        return point < 0 ? 0 : utf8(point, out);
    }
    letter = memchr(letters, *scan->at, sizeof letters - 1);
    if (letter == NULL)
        return 0;
    scan->at++;
    out[0] = values[letter - letters];
    return 1;
}

bool gl_scan_string(struct gl_scan *scan, char *out, size_t room, size_t *out_length)
{
    size_t used = 0;

    if (!take(scan, '"'))
        return gl_scan_refuse(scan, "expected a string");
    while (scan->at < scan->end && *scan->at != '"') {
        char bytes[4] = {*scan->at++};
        size_t count = 1;

        if (bytes[0] == '\\')
            count = take_escape(scan, bytes);
        else if (bytes[0] < ' ' || bytes[0] > '~')
            return gl_scan_refuse(scan, "bad byte in a string");
        if (count == 0)
            return gl_scan_refuse(scan, "bad escape in a string");
        if (used + count >= room)
            return gl_scan_refuse(scan, "a string is too long");
        memcpy(out + used, bytes, count);
        used += count;
    }
    if (!take(scan, '"'))
        return gl_scan_refuse(scan, "a string does not end");
    out[used] = '\0';
    if (out_length != NULL)
        *out_length = used;
    return true;
}

/* Digits of an integer without a leading zero; the value may not pass INT64_MAX. */
static bool take_digits(struct gl_scan *scan, int64_t *out)
{
    const char *start = scan->at;
    int64_t value = 0;

    while (scan->at < scan->end && *scan->at >= '0' && *scan->at <= '9') {
        if (__builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, *scan->at - '0', &value))
            return false;
        scan->at++;
    }
    *out = value;
    return scan->at > start && (*start != '0' || scan->at == start + 1);
}

bool gl_scan_int(struct gl_scan *scan, int64_t low, int64_t high, int64_t *out)
{
    bool is_negative = take(scan, '-');
    int64_t value;

    skip_space(scan);
    if (scan->problem != NULL || !take_digits(scan, &value))
        return gl_scan_refuse(scan, "expected an integer");
    if (scan->at < scan->end && strchr(".eE", *scan->at) != NULL && *scan->at != '\0')
        return gl_scan_refuse(scan, "expected an integer");
    value = is_negative ? -value : value;
    if (value < low || value > high)
        return gl_scan_refuse(scan, "a number is out of range");
    *out = value;
    return true;
}

bool gl_scan_bool(struct gl_scan *scan, bool *out)
{
    if (take_word(scan, "true"))
        *out = true;
    else if (take_word(scan, "false"))
        *out = false;
    else
        return gl_scan_refuse(scan, "expected true or false");
    return true;
}

bool gl_scan_null(struct gl_scan *scan)
{
    return take_word(scan, "null");
}

bool gl_scan_done(struct gl_scan *scan)
{
    skip_space(scan);
    if (scan->problem == NULL && (scan->at != scan->end || scan->depth != 0))
        scan->problem = "something follows the document";
    return scan->problem == NULL;
}
