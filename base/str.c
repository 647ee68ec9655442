/* SPDX-License-Identifier: Apache-2.0 */
#include "base/str.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define DISTANCE_MAX 255

struct range {
    uint32_t first, last;
};

/* Code points without a column: Unicode 15 categories Mn, Me and Cf, the common blocks. */
static const struct range zero_width[] = {
    {0x0300, 0x036f}, {0x0483, 0x0489}, {0x0591, 0x05bd},   {0x05bf, 0x05bf},   {0x05c1, 0x05c2},
    {0x05c4, 0x05c5}, {0x05c7, 0x05c7}, {0x0610, 0x061a},   {0x064b, 0x065f},   {0x0670, 0x0670},
    {0x06d6, 0x06dc}, {0x06df, 0x06e4}, {0x06e7, 0x06e8},   {0x06ea, 0x06ed},   {0x0900, 0x0902},
    {0x093c, 0x093c}, {0x0941, 0x0948}, {0x094d, 0x094d},   {0x0e31, 0x0e31},   {0x0e34, 0x0e3a},
    {0x0e47, 0x0e4e}, {0x1ab0, 0x1aff}, {0x1dc0, 0x1dff},   {0x200b, 0x200f},   {0x202a, 0x202e},
    {0x2060, 0x206f}, {0x20d0, 0x20ff}, {0x302a, 0x302d},   {0x3099, 0x309a},   {0xfe00, 0xfe0f},
    {0xfe20, 0xfe2f}, {0xfeff, 0xfeff}, {0xe0001, 0xe007f}, {0xe0100, 0xe01ef},
};

/* Code points two columns wide: East Asian Width W and F (Unicode Annex 11), the common blocks. */
static const struct range double_width[] = {
    {0x1100, 0x115f},   {0x231a, 0x231b},   {0x2329, 0x232a},   {0x23e9, 0x23ec},
    {0x23f0, 0x23f0},   {0x23f3, 0x23f3},   {0x25fd, 0x25fe},   {0x2614, 0x2615},
    {0x2648, 0x2653},   {0x267f, 0x267f},   {0x2693, 0x2693},   {0x26a1, 0x26a1},
    {0x26aa, 0x26ab},   {0x26bd, 0x26be},   {0x26c4, 0x26c5},   {0x26ce, 0x26ce},
    {0x26d4, 0x26d4},   {0x26ea, 0x26ea},   {0x26f2, 0x26f3},   {0x26f5, 0x26f5},
    {0x26fa, 0x26fa},   {0x26fd, 0x26fd},   {0x2705, 0x2705},   {0x270a, 0x270b},
    {0x2728, 0x2728},   {0x274c, 0x274c},   {0x274e, 0x274e},   {0x2753, 0x2755},
    {0x2757, 0x2757},   {0x2795, 0x2797},   {0x27b0, 0x27b0},   {0x27bf, 0x27bf},
    {0x2b1b, 0x2b1c},   {0x2b50, 0x2b50},   {0x2b55, 0x2b55},   {0x2e80, 0x303e},
    {0x3041, 0x33ff},   {0x3400, 0x4dbf},   {0x4e00, 0xa4cf},   {0xa960, 0xa97f},
    {0xac00, 0xd7a3},   {0xf900, 0xfaff},   {0xfe30, 0xfe6f},   {0xff00, 0xff60},
    {0xffe0, 0xffe6},   {0x1f300, 0x1f64f}, {0x1f680, 0x1f6ff}, {0x1f900, 0x1f9ff},
    {0x1fa70, 0x1faff}, {0x20000, 0x3fffd},
};

static size_t ceiling_of(const struct gl_str *str)
{
    return str->ceiling ? str->ceiling : GL_STR_CEILING;
}

/* Room for `more` bytes and the NUL; `more` is already within the ceiling. */
static void reserve(struct gl_str *str, size_t more)
{
    size_t needed = str->length + more + 1;
    size_t capacity = str->capacity ? str->capacity : 64;

    if (needed <= str->capacity)
        return;
    while (capacity < needed)
        capacity *= 2;
    str->text = gl_realloc(str->text, capacity);
    str->capacity = capacity;
}

void gl_str_add_bytes(struct gl_str *str, const void *bytes, size_t length)
{
    size_t room = ceiling_of(str) - str->length;

    if (str->is_cut)
        return;
    if (length > room) {
        length = room;
        str->is_cut = true;
    }
    reserve(str, length);
    if (length != 0)
        memcpy(str->text + str->length, bytes, length);
    str->length += length;
    str->text[str->length] = '\0';
}

void gl_str_add(struct gl_str *str, const char *text)
{
    gl_str_add_bytes(str, text, strlen(text));
}

void gl_str_add_char(struct gl_str *str, char c)
{
    gl_str_add_bytes(str, &c, 1);
}

void gl_str_addf(struct gl_str *str, const char *format, ...)
{
    char small[256];
    char *large;
    int length;
    va_list args;

    va_start(args, format);
    length = vsnprintf(small, sizeof small, format, args);
    va_end(args);
    if (length < 0)
        return;
    if ((size_t)length < sizeof small) {
        gl_str_add_bytes(str, small, (size_t)length);
        return;
    }
    large = gl_alloc((size_t)length + 1);
    va_start(args, format);
    vsnprintf(large, (size_t)length + 1, format, args);
    va_end(args);
    gl_str_add_bytes(str, large, (size_t)length);
    free(large);
}

const char *gl_str_text(const struct gl_str *str)
{
    return str->text != NULL ? str->text : "";
}

char *gl_str_take(struct gl_str *str)
{
    char *text = str->text != NULL ? str->text : gl_strdup("");

    *str = (struct gl_str){.ceiling = str->ceiling};
    return text;
}

void gl_str_clear(struct gl_str *str)
{
    str->length = 0;
    str->is_cut = false;
    if (str->text != NULL)
        str->text[0] = '\0';
}

void gl_str_done(struct gl_str *str)
{
    free(str->text);
    *str = (struct gl_str){.ceiling = str->ceiling};
}

bool gl_glob_match(const char *pattern, const char *text)
{
    const char *star = NULL;  /* what follows the last star seen */
    const char *retry = NULL; /* where that star's match may next end */

    while (*text != '\0') {
        if (*pattern == '*') {
            star = ++pattern;
            retry = text;
        } else if (*pattern == '?' || *pattern == *text) {
            pattern++;
            text++;
        } else if (star != NULL) {
            pattern = star;
            text = ++retry;
        } else {
            return false;
        }
    }
    while (*pattern == '*')
        pattern++;
    return *pattern == '\0';
}

static unsigned least(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

/* Optimal string alignment distance, three rows at a time. */
unsigned gl_text_distance(const char *a, const char *b)
{
    unsigned rows[3][DISTANCE_MAX + 1];
    unsigned *before = rows[0], *above = rows[1], *row = rows[2];
    size_t a_length = strlen(a), b_length = strlen(b);

    if (a_length > DISTANCE_MAX || b_length > DISTANCE_MAX)
        return DISTANCE_MAX;
    for (size_t j = 0; j <= b_length; j++)
        above[j] = (unsigned)j;
    for (size_t i = 1; i <= a_length; i++) {
        unsigned *oldest = before;

        row[0] = (unsigned)i;
        for (size_t j = 1; j <= b_length; j++) {
            unsigned replaced = above[j - 1] + (a[i - 1] != b[j - 1]);

            row[j] = least(replaced, least(above[j], row[j - 1]) + 1);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                row[j] = least(row[j], before[j - 2] + 1);
        }
        before = above;
        above = row;
        row = oldest;
    }
    return above[b_length];
}

const char *gl_text_nearest(const char *name, const char *const *names, size_t count)
{
    const char *nearest = NULL;
    size_t best = strlen(name) / 3 + 1;

    for (size_t i = 0; i < count; i++) {
        bool is_same = strcasecmp(name, names[i]) == 0; /* "de" is meant as "DE" */
        unsigned distance = is_same ? 0 : gl_text_distance(name, names[i]);

        if (distance < best) {
            best = distance;
            nearest = names[i];
        }
    }
    return nearest;
}

/* Length of a UTF-8 lead byte's sequence and its payload bits; 0 when it cannot lead. */
static size_t lead(unsigned char byte, uint32_t *out_bits)
{
    if (byte < 0x80) {
        *out_bits = byte;
        return 1;
    }
    if (byte >= 0xc2 && byte <= 0xdf) {
        *out_bits = byte & 0x1fu;
        return 2;
    }
    if (byte >= 0xe0 && byte <= 0xef) {
        *out_bits = byte & 0x0fu;
        return 3;
    }
    if (byte >= 0xf0 && byte <= 0xf4) {
        *out_bits = byte & 0x07u;
        return 4;
    }
    return 0;
}

/* Decode one code point (RFC 3629: no overlong forms, no surrogates); bytes used, 0 = malformed. */
static size_t decode(const char *text, size_t length, uint32_t *out)
{
    static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    uint32_t code = 0;
    size_t size = lead((unsigned char)text[0], &code);

    if (size == 0 || size > length)
        return 0;
    for (size_t i = 1; i < size; i++) {
        unsigned char byte = (unsigned char)text[i];

        if ((byte & 0xc0) != 0x80)
            return 0;
        code = code << 6 | (byte & 0x3fu);
    }
    if (code < smallest[size] || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
        return 0;
    *out = code;
    return size;
}

size_t gl_utf8_put(uint32_t code, char out[4])
{
    static const uint8_t leads[] = {0, 0, 0xc0, 0xe0, 0xf0};
    size_t size = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;

    for (size_t i = size - 1; i > 0; i--, code >>= 6)
        out[i] = (char)(0x80 | (code & 0x3f));
    out[0] = (char)(leads[size] | code);
    return size;
}

static bool is_in(uint32_t code, const struct range *ranges, size_t count)
{
    for (size_t i = 0; i < count && ranges[i].first <= code; i++)
        if (code <= ranges[i].last)
            return true;
    return false;
}

static unsigned columns_of(uint32_t code)
{
    if (code < 0x20 || (code >= 0x7f && code < 0xa0))
        return 0;
    if (code < 0x300)
        return 1;
    if (is_in(code, zero_width, COUNT(zero_width)))
        return 0;
    return is_in(code, double_width, COUNT(double_width)) ? 2 : 1;
}

unsigned gl_text_columns(const char *text)
{
    size_t left = strlen(text);
    unsigned columns = 0;

    while (left > 0) {
        uint32_t code = 'x'; /* a malformed byte takes one column, as a letter does */
        size_t size = decode(text, left, &code);

        columns += columns_of(code);
        size = size ? size : 1;
        text += size;
        left -= size;
    }
    return columns;
}

/* Can this code point act on the terminal or reorder what is around it? */
static bool is_steering(uint32_t code)
{
    static const struct range steering[] = {
        {0, 0x1f},        {0x7f, 0x9f},     {0xad, 0xad},       {0x61c, 0x61c},
        {0x180e, 0x180e}, {0x200b, 0x200f}, {0x2028, 0x202e},   {0x2060, 0x206f},
        {0xfeff, 0xfeff}, {0xfff9, 0xfffb}, {0xe0001, 0xe007f},
    };

    return is_in(code, steering, COUNT(steering));
}

void gl_str_add_printable(struct gl_str *str, const char *text, size_t length)
{
    while (length > 0) {
        uint32_t code = 0;
        size_t size = decode(text, length, &code);

        if (size == 0)
            gl_str_addf(str, "\\x%02x", (unsigned)(unsigned char)text[0]);
        else if (code == '\n' || code == '\r' || code == '\t')
            gl_str_add_char(str, ' ');
        else if (!is_steering(code))
            gl_str_add_bytes(str, text, size);
        else
            gl_str_addf(str, code < 0x80 ? "\\x%02x" : "\\u%04x", (unsigned)code);
        size = size ? size : 1;
        text += size;
        length -= size;
    }
}

/* Blanks, and letters without a shape. */
static bool is_blank(uint32_t code)
{
    static const struct range blank[] = {
        {' ', ' '},       {0xa0, 0xa0},     {0x115f, 0x1160}, {0x1680, 0x1680},
        {0x2000, 0x200a}, {0x202f, 0x202f}, {0x205f, 0x205f}, {0x2800, 0x2800},
        {0x3000, 0x3000}, {0x3164, 0x3164}, {0xffa0, 0xffa0},
    };

    return is_steering(code) || is_in(code, blank, COUNT(blank));
}

size_t gl_text_line_within(const char *text, size_t length, size_t line)
{
    size_t last = 1;

    while (length > 0 && memchr(" \t\r\n", text[length - 1], 4) != NULL)
        length--;
    for (size_t at = 0; at < length; at++)
        last += text[at] == '\n';
    return line < last ? line : last;
}

bool gl_text_is_blank(const char *text)
{
    size_t left = text != NULL ? strlen(text) : 0;

    while (left > 0) {
        uint32_t code = 'x'; /* a malformed byte is not blank */
        size_t size = decode(text, left, &code);

        if (!is_blank(code))
            return false;
        text += size;
        left -= size;
    }
    return true;
}

char *gl_text_show(const char *text, char out[GL_TEXT_SHOWN])
{
    struct gl_str shown = {.ceiling = GL_TEXT_SHOWN - sizeof "..."};
    size_t length = strnlen(text, GL_TEXT_SHOWN);

    gl_str_add_printable(&shown, text, length);
    snprintf(out, GL_TEXT_SHOWN, "%s%s", gl_str_text(&shown), shown.is_cut ? "..." : "");
    gl_str_done(&shown);
    return out;
}
