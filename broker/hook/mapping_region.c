/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/hook/mapping_part.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

/* The region that a zone, location or ARN lies in, by how each cloud builds its names. The names
 * come from plans: what does not look like one has no region. */

#define NAME_BYTES 64

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_name(const char *text)
{
    size_t length = strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-");

    return length > 1 && text[length] == '\0';
}

/* ---- AWS ---- */

static const char *const area_words[] = {"us", "eu", "ap", "sa", "ca", "me",
                                         "af", "il", "mx", "cn", NULL};
static const struct {
    const char *code, *word;
} side_words[] = {
    {"ne", "northeast"}, {"nw", "northwest"}, {"se", "southeast"}, {"sw", "southwest"},
    {"n", "north"},      {"s", "south"},      {"e", "east"},       {"w", "west"},
    {"c", "central"},    {"ge", "gov-east"},  {"gw", "gov-west"},
};

/* "apne1-az2": area, side and number of the region, then the zone; between them where a Local or a
 * Wavelength Zone stands: "use1-bos1-az1", "use1-wl1-bos-wlz1".
 * Source: AWS documentation, "AZ IDs", "Available Local Zones", "Available Wavelength Zones". */
static bool region_of_zone_id(const char *text, char out[NAME_BYTES])
{
    const char *area = NULL;
    const char *at = text + 2;

    for (size_t i = 0; area_words[i] != NULL; i++)
        if (strncmp(text, area_words[i], 2) == 0)
            area = area_words[i];
    if (area == NULL || (strstr(text, "-az") == NULL && strstr(text, "-wlz") == NULL))
        return false;
    for (size_t i = 0; i < sizeof side_words / sizeof side_words[0]; i++) {
        size_t length = strlen(side_words[i].code);

        if (strncmp(at, side_words[i].code, length) == 0 && is_digit(at[length]) &&
            at[length + 1] == '-') {
            snprintf(out, NAME_BYTES, "%s-%s-%c", area, side_words[i].word, at[length]);
            return true;
        }
    }
    return false;
}

/* "us-east-1a", "us-east-1-bos-1a" (Local Zone), "us-east-1-wl1-bos-wlz-1" (Wavelength): the region
 * ends with its first number. */
static bool region_of_letter(const char *text, char out[NAME_BYTES])
{
    const char *at = text;
    unsigned dashes = 0;

    for (; *at != '\0' && !is_digit(*at); at++)
        dashes += *at == '-';
    if (dashes < 2 || !is_digit(*at) || at[-1] != '-')
        return region_of_zone_id(text, out);
    at += strspn(at, "0123456789");
    if ((size_t)(at - text) >= NAME_BYTES ||
        !(*at == '\0' || *at == '-' || (*at >= 'a' && *at <= 'z' && at[1] == '\0')))
        return false;
    memcpy(out, text, (size_t)(at - text));
    out[at - text] = '\0';
    return true;
}

/* ---- names that end with their zone ---- */

/* "europe-west9-b"; as a link its last part. */
static bool region_of_dash_letter(const char *text, char out[NAME_BYTES])
{
    const char *slash = strrchr(text, '/');
    size_t length;

    if (slash != NULL)
        text = slash + 1;
    length = strlen(text);
    if (!is_name(text) || length >= NAME_BYTES)
        return false;
    if (length > 3 && text[length - 2] == '-' && !is_digit(text[length - 1]) &&
        is_digit(text[length - 3]))
        length -= 2;
    snprintf(out, NAME_BYTES, "%.*s", (int)length, text);
    return true;
}

/* "cn-hangzhou-h", "ap-southeast-1a", and "cn-hangzhou-MAZ10(h,i)" for several. */
static bool region_of_alibaba(const char *text, char out[NAME_BYTES])
{
    size_t length = strcspn(text, "(");
    const char *several = strstr(text, "-MAZ");

    if (several != NULL)
        length = (size_t)(several - text);
    if (length >= NAME_BYTES)
        return false;
    snprintf(out, NAME_BYTES, "%.*s", (int)length, text);
    if (!is_name(out))
        return false;
    if (length > 3 && out[length - 2] == '-' && !is_digit(out[length - 1]))
        out[length - 2] = '\0';
    else if (length > 3 && is_digit(out[length - 2]) && !is_digit(out[length - 1]))
        out[length - 1] = '\0';
    return true;
}

/* "fr-par-1", "eu01-1"; without a number it is the region already. */
static bool region_of_dash_number(const char *text, char out[NAME_BYTES])
{
    const char *dash = strrchr(text, '-');
    size_t length = strlen(text);

    if (!is_name(text) || length >= NAME_BYTES)
        return false;
    if (dash != NULL && dash[1] != '\0' && dash[1 + strspn(dash + 1, "0123456789")] == '\0')
        length = (size_t)(dash - text);
    snprintf(out, NAME_BYTES, "%.*s", (int)length, text);
    return true;
}

/* "fsn1-dc14". */
static bool region_of_dash(const char *text, char out[NAME_BYTES])
{
    size_t length = strcspn(text, "-");

    if (!is_name(text) || length == 0 || length >= NAME_BYTES)
        return false;
    snprintf(out, NAME_BYTES, "%.*s", (int)length, text);
    return true;
}

static bool region_of_same(const char *text, char out[NAME_BYTES])
{
    size_t length = strlen(text);

    for (const char *at = text; *at != '\0'; at++)
        if (!isalnum((unsigned char)*at) && strchr("-_.", *at) == NULL)
            return false;
    if (length == 0 || length >= NAME_BYTES)
        return false;
    snprintf(out, NAME_BYTES, "%s", text);
    return true;
}

/* ---- names for people ---- */

/* "West Europe", "(Europe) West Europe" and "westeurope". */
static bool region_of_azure(const char *text, char out[NAME_BYTES])
{
    const char *close = text[0] == '(' ? strchr(text, ')') : NULL;
    size_t length = 0;

    for (const char *at = close != NULL ? close + 1 : text; *at != '\0'; at++) {
        if (*at == ' ')
            continue;
        if (!isalnum((unsigned char)*at) || length + 1 >= NAME_BYTES)
            return false;
        out[length++] = (char)tolower((unsigned char)*at);
    }
    out[length] = '\0';
    return length > 0;
}

/* "GRA11" lies in GRA; "EU-WEST-PAR-A" in EU-WEST-PAR; "EU-WEST-PAR" is one. */
static bool region_of_digits(const char *text, char out[NAME_BYTES])
{
    size_t length = strlen(text);

    if (!region_of_same(text, out))
        return false;
    while (length > 1 && is_digit(out[length - 1]))
        length--;
    if (length > 2 && out[length - 2] == '-')
        length -= 2;
    out[length] = '\0';
    for (char *at = out; *at != '\0'; at++)
        *at = (char)toupper((unsigned char)*at);
    return true;
}

/* Availability domains whose name is not that of their region and "-AD-n". */
static const struct {
    const char *domain, *region;
} oracle_rows[] = {
    {"phx", "us-phoenix-1"},
    {"iad", "us-ashburn-1"},
    {"us-ashburn", "us-ashburn-1"},
    {"us-phoenix", "us-phoenix-1"},
    {"fra", "eu-frankfurt-1"},
    {"lhr", "uk-london-1"},
    {"eu-frankfurt", "eu-frankfurt-1"},
    {"uk-london", "uk-london-1"},
};

/* "Uocm:PHX-AD-1", "GrCh:US-ASHBURN-AD-3", "xYzA:EU-ZURICH-1-AD-1"; regions as they are. */
static bool region_of_oracle(const char *text, char out[NAME_BYTES])
{
    const char *colon = strchr(text, ':');
    char *domain;

    if (!region_of_same(colon != NULL ? colon + 1 : text, out))
        return false;
    for (char *at = out; *at != '\0'; at++)
        *at = (char)tolower((unsigned char)*at);
    domain = strstr(out, "-ad-");
    if (domain != NULL)
        *domain = '\0';
    for (size_t i = 0; i < sizeof oracle_rows / sizeof oracle_rows[0]; i++)
        if (strcmp(out, oracle_rows[i].domain) == 0)
            snprintf(out, NAME_BYTES, "%s", oracle_rows[i].region);
    return true;
}

static const struct {
    const char *name;
    bool (*region)(const char *text, char out[NAME_BYTES]);
} rules[] = {
    {"letter", region_of_letter},
    {"dash-letter", region_of_dash_letter},
    {"dash-number", region_of_dash_number},
    {"dash", region_of_dash},
    {"same", region_of_same},
    {"azure", region_of_azure},
    {"digits", region_of_digits},
    {"oracle", region_of_oracle},
    {"alibaba", region_of_alibaba},
};

/* "projects/p/locations/us-east4/clusters/c", and "regional-us-east4" of configurations. */
static bool region_of_name(const char *text, char out[NAME_BYTES])
{
    static const char *const words[] = {"/locations/", "/regions/", "/zones/", "regional-"};

    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        const char *at = strstr(text, words[i]);
        char part[NAME_BYTES];

        if (at == NULL)
            continue;
        at += strlen(words[i]);
        snprintf(part, sizeof part, "%.*s", (int)strcspn(at, "/"), at);
        return region_of_dash_letter(part, out);
    }
    return false;
}

/* arn:partition:service:region:account:resource. */
static bool region_of_arn(const char *text, char out[NAME_BYTES])
{
    const char *at = text;
    size_t length;

    if (strncmp(text, "arn:", 4) != 0)
        return region_of_name(text, out);
    for (unsigned field = 0; field < 3; field++) {
        at = strchr(at, ':');
        if (at == NULL)
            return false;
        at++;
    }
    length = strcspn(at, ":");
    if (at[length] != ':' || length == 0 || length >= NAME_BYTES)
        return false;
    snprintf(out, NAME_BYTES, "%.*s", (int)length, at);
    return is_name(out);
}

const char *gl_mapping_region(const struct gl_mapping_provider *provider, enum gl_place_kind kind,
                              const char *text, struct gl_arena *arena)
{
    const char *rule =
        provider != NULL && provider->zone_rule != NULL ? provider->zone_rule : "same";
    char region[NAME_BYTES];
    bool is_found = false;

    if (kind == GL_PLACE_ARN)
        is_found = region_of_arn(text, region);
    else if (kind == GL_PLACE_REGION && strcmp(rule, "none") == 0)
        is_found = region_of_same(text, region);
    else
        for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++)
            if (strcmp(rules[i].name, rule) == 0)
                is_found = rules[i].region(text, region);
    return is_found ? gl_arena_text(arena, region, strlen(region)) : NULL;
}
