/* SPDX-License-Identifier: Apache-2.0 */
/* Providers, the shapes of their names, and the families of their instance types: naming as in each
 * provider's own list of instance types. */
#include "policy/demand_table.h"

#include <stdio.h>
#include <string.h>

#define RUN_MAX    24
#define DIGITS_MAX 3

/* ---- shapes ---- */

static bool is_lower(char c)
{
    return c >= 'a' && c <= 'z';
}

static bool is_upper(char c)
{
    return c >= 'A' && c <= 'Z';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_word(char c)
{
    return is_lower(c) || is_upper(c) || is_digit(c);
}

/* Length of the run at `text` that the shape's character takes; 0 = it does not fit. */
static size_t run_length(char shape, const char *text)
{
    bool (*is_of)(char) = shape == 'a'   ? is_lower
                          : shape == 'A' ? is_upper
                          : shape == '9' ? is_digit
                                         : is_word;
    size_t most = shape == '9' ? DIGITS_MAX : RUN_MAX, length = 0;

    if (shape == 'x' && is_digit(text[0]))
        return 0;
    while (length <= most && is_of(text[length]))
        length++;
    return length <= most ? length : 0;
}

static bool fits(const char *shape, size_t length, const char *text)
{
    for (size_t i = 0; i < length; i++) {
        size_t run = strchr("aA9x", shape[i]) != NULL ? run_length(shape[i], text)
                                                      : (size_t)(*text == shape[i]);

        if (run == 0)
            return false;
        text += run;
    }
    return *text == '\0';
}

bool gl_demand_has_shape(const char *shapes, const char *text)
{
    while (*shapes != '\0') {
        size_t length = strcspn(shapes, " ");

        if (fits(shapes, length, text))
            return true;
        shapes += length + (shapes[length] == ' ');
    }
    return false;
}

/* ---- families ---- */

static bool put(char out[GL_DEMAND_NAME], const char *text, size_t length)
{
    if (length == 0 || length >= GL_DEMAND_NAME)
        return false;
    memcpy(out, text, length);
    out[length] = '\0';
    return true;
}

/* "m5.large" -> "m5"; "u-6tb1.112xlarge" -> "u-6tb1". */
static bool before_dot(const char *type, char out[GL_DEMAND_NAME])
{
    const char *dot = strchr(type, '.');

    return dot != NULL && dot[1] != '\0' && put(out, type, (size_t)(dot - type));
}

/* "n2-standard-4" -> "n2"; "b2-7" -> "b2"; "DEV1-S" -> "DEV1"; "s-1vcpu-1gb" -> "s". */
static bool before_dash(const char *type, char out[GL_DEMAND_NAME])
{
    const char *dash = strchr(type, '-');

    return dash != NULL && dash[1] != '\0' && put(out, type, (size_t)(dash - type));
}

/* A custom machine without a series is of the first one. */
static bool gcp_family(const char *type, char out[GL_DEMAND_NAME])
{
    return strncmp(type, "custom-", 7) == 0 ? put(out, "n1", 2) : before_dash(type, out);
}

/* "Standard_D4s_v5" -> "Dsv5"; "Standard_E4-2ds_v5" -> "Edsv5"; "Standard_NC24ads_A100_v4" ->
 * "NCadsA100v4". */
static bool azure_family(const char *type, char out[GL_DEMAND_NAME])
{
    static const char *const tiers[] = {"Standard_", "Basic_"};
    const char *rest = NULL;
    size_t length = 0, letters;

    for (size_t i = 0; i < sizeof tiers / sizeof tiers[0] && rest == NULL; i++)
        if (strncmp(type, tiers[i], strlen(tiers[i])) == 0)
            rest = type + strlen(tiers[i]);
    if (rest == NULL || !is_upper(rest[0]) || strlen(rest) >= GL_DEMAND_NAME)
        return false;
    for (letters = 0; is_upper(rest[letters]); letters++)
        out[length++] = rest[letters];
    rest += letters;
    if (!is_digit(*rest))
        return false;
    rest += strspn(rest, "0123456789-");
    for (; *rest != '\0'; rest++)
        if (*rest != '_')
            out[length++] = *rest;
    out[length] = '\0';
    return true;
}

/* "cpx11" -> "cpx". */
static bool letters_before_digits(const char *type, char out[GL_DEMAND_NAME])
{
    size_t letters = 0;

    while (is_lower(type[letters]))
        letters++;
    return is_digit(type[letters]) &&
           type[letters + strspn(type + letters, "0123456789")] == '\0' && put(out, type, letters);
}

/* "VM.Standard.E4.Flex" -> "VM.Standard.E4". */
static bool before_last_dot(const char *type, char out[GL_DEMAND_NAME])
{
    const char *dot = strrchr(type, '.');

    return dot != NULL && dot[1] != '\0' && put(out, type, (size_t)(dot - type));
}

/* "ecs.g7.large" -> "g7". */
static bool alibaba_family(const char *type, char out[GL_DEMAND_NAME])
{
    return strncmp(type, "ecs.", 4) == 0 && before_dot(type + 4, out);
}

static const struct gl_demand_provider providers[] = {
    {"alibaba", "compute", "a-a-9 a-a a-a-a", "x x-x", alibaba_family},
    {"aws", "compute", "a-a-9 a-a-a-9", "x x-9x x-x", before_dot},
    {"azure", "compute", "a a9", "x", azure_family},
    {"digitalocean", "compute", "a9", "x x_9", before_dash},
    {"gcp", "compute", "a-a9", "x", gcp_family},
    {"hetzner", "compute", "a a9", "a", letters_before_digits},
    {"kubernetes", "containers", "", "", NULL},
    {"local", "compute", "", "", NULL},
    {"openstack", "compute", "", "", NULL},
    {"oracle", "compute", "a-a-9", "VM.x VM.x.x BM.x BM.x.x BM.x.x-x", before_last_dot},
    {"private", "compute", "", "", NULL},
    {"ovh", "compute", "A A9 A-A-A A-A-A-A", "x", before_dash},
    {"scaleway", "compute", "a-a a-a-9", "x", before_dash},
};

const struct gl_demand_provider *gl_demand_provider(const char *name)
{
    for (size_t i = 0; i < sizeof providers / sizeof providers[0]; i++)
        if (strcmp(providers[i].name, name) == 0)
            return &providers[i];
    return NULL;
}

const char *gl_demand_provider_word(const char *name)
{
    const struct gl_demand_provider *row = gl_demand_provider(name);

    return row != NULL ? row->name : "private";
}

bool gl_demand_is_public(const char *provider)
{
    const struct gl_demand_provider *row = gl_demand_provider(provider);

    return row != NULL && row->regions[0] != '\0';
}

const char *gl_demand_area(const char *provider)
{
    const struct gl_demand_provider *row = gl_demand_provider(provider);

    return row != NULL ? row->area : "compute";
}

void gl_demand_family(const char *provider, const char *type, char out[GL_DEMAND_NAME])
{
    const struct gl_demand_provider *row = gl_demand_provider(provider);

    if (row == NULL || row->family == NULL || !row->family(type, out) ||
        !gl_demand_has_shape(row->families, out))
        out[0] = '\0';
}
