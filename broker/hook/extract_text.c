/* SPDX-License-Identifier: Apache-2.0 */
#include "base/unit.h"
#include "broker/hook/mapping_part.h"

#include <stdlib.h>
#include <string.h>

#define MILLION     INT64_C(1000000)
#define DIGITS_MAX  12
#define SUFFIX_SIZE 8

/* "e6" of "129e6"; false = there is one, and it takes the number out of range. */
static bool take_exponent(const char **io_text, int64_t *io_number_u)
{
    const char *text = *io_text + (**io_text == 'e' || **io_text == 'E');
    bool is_less = *text == '-';
    long exponent;
    char *end;

    text += text > *io_text && (is_less || *text == '+');
    if (text == *io_text || *text < '0' || *text > '9')
        return true; /* "1E" is a suffix */
    exponent = strtol(text, &end, 10);
    *io_text = end;
    for (; exponent > 0 && *io_number_u != 0; exponent--)
        if (is_less)
            *io_number_u /= 10;
        else if (__builtin_mul_overflow(*io_number_u, 10, io_number_u))
            return false;
    return true;
}

/* "1.5 GB": millionths of the number, and what follows it. */
static bool split(const char *text, int64_t *out_u, const char **out_suffix)
{
    int64_t number = 0, scale = MILLION;
    size_t digits = 0;

    text += strspn(text, " ");
    for (; *text >= '0' && *text <= '9'; text++, digits++)
        number = digits < DIGITS_MAX ? number * 10 + (*text - '0') : number;
    if ((digits == 0 && *text != '.') || digits > DIGITS_MAX)
        return false;
    number *= MILLION;
    if (*text == '.')
        for (text++; *text >= '0' && *text <= '9'; text++) {
            scale /= 10;
            number += (*text - '0') * scale;
        }
    if (!take_exponent(&text, &number))
        return false;
    *out_u = number;
    *out_suffix = text + strspn(text, " ");
    return true;
}

int64_t gl_hook_vcpus(const char *text, const char *unit)
{
    const char *suffix;
    int64_t number_u;

    if (!split(text, &number_u, &suffix))
        return GL_UNKNOWN;
    if (strcmp(suffix, "m") == 0)
        return number_u / 1000;
    if (strcasecmp(suffix, "vCPU") == 0)
        return number_u;
    if (*suffix != '\0')
        return GL_UNKNOWN;
    if (strcmp(unit, "units") == 0)
        return number_u / 1024;
    return strcmp(unit, "milli") == 0 ? number_u / 1000 : number_u;
}

/* Bytes of one. Providers that write "GB" for memory mean 2^30. */
static const struct {
    const char suffix[SUFFIX_SIZE];
    int64_t bytes;
} memory_rows[] = {
    {"Ki", INT64_C(1) << 10},
    {"Mi", INT64_C(1) << 20},
    {"Gi", INT64_C(1) << 30},
    {"Ti", INT64_C(1) << 40},
    {"Pi", INT64_C(1) << 50},
    {"KiB", INT64_C(1) << 10},
    {"MiB", INT64_C(1) << 20},
    {"GiB", INT64_C(1) << 30},
    {"KB", INT64_C(1) << 10},
    {"MB", INT64_C(1) << 20},
    {"GB", INT64_C(1) << 30},
    {"k", 1000},
    {"M", 1000000},
    {"G", 1000000000},
    {"T", 1000000000000},
    {"P", 1000000000000000},
    {"bytes", 1},
};

static int64_t bytes_of(const char *suffix)
{
    for (size_t i = 0; i < sizeof memory_rows / sizeof memory_rows[0]; i++)
        if (strcmp(memory_rows[i].suffix, suffix) == 0)
            return memory_rows[i].bytes;
    return 0;
}

int64_t gl_hook_memory(const char *text, const char *unit)
{
    const int64_t mib = INT64_C(1) << 20;
    const char *suffix;
    int64_t number_u, bytes;

    if (!split(text, &number_u, &suffix))
        return GL_UNKNOWN;
    /* Thousandths, as Kubernetes writes what is no whole number of bytes. */
    if (strcmp(suffix, "m") == 0 && strcmp(unit, "bytes") == 0) {
        number_u /= 1000;
        suffix++;
    }
    bytes = bytes_of(*suffix != '\0' ? suffix : unit);
    if (bytes == 0)
        return GL_UNKNOWN;
    /* Whole and millionths apart, lest they overflow. */
    if (number_u / MILLION > INT64_MAX / 2 / bytes)
        return GL_UNKNOWN;
    bytes = number_u / MILLION * bytes + number_u % MILLION * (bytes / 1000) / 1000;
    return (bytes + mib - 1) / mib;
}

int64_t gl_hook_duration(const char *text)
{
    struct gl_error err = {0};
    struct gl_span span;
    const char *suffix;
    int64_t number_u;

    if (split(text, &number_u, &suffix) && *suffix == '\0')
        return number_u / MILLION;
    return gl_span_parse(text, &span, &err) == 0 ? span.s : GL_UNKNOWN;
}

const char *gl_hook_catalogue(const char *type, const char *const *strip, struct gl_arena *arena)
{
    size_t length = strlen(type);

    for (; strip != NULL && *strip != NULL; strip++) {
        size_t affix = strlen(*strip);
        bool is_behind = (*strip)[0] == '.';

        if (affix >= length)
            continue;
        if (!is_behind && strncmp(type, *strip, affix) == 0) {
            type += affix;
            length -= affix;
        } else if (is_behind && strcmp(type + length - affix, *strip) == 0) {
            length -= affix;
        }
    }
    return gl_arena_text(arena, type, length);
}

bool gl_hook_custom_size(const char *type, int64_t *out_vcpus_u, int64_t *out_memory_mib)
{
    const char *at = strstr(type, "custom-");
    char *end;
    long vcpus, memory;

    if (at == NULL || (at != type && at[-1] != '-'))
        return false;
    vcpus = strtol(at + strlen("custom-"), &end, 10);
    if (vcpus <= 0 || vcpus > 10000 || *end != '-')
        return false;
    memory = strtol(end + 1, &end, 10);
    if (memory <= 0 || memory > 100000000 || (*end != '\0' && strcmp(end, "-ext") != 0))
        return false;
    *out_vcpus_u = vcpus * MILLION;
    *out_memory_mib = memory;
    return true;
}
