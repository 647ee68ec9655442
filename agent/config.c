/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/config.h"

#include "agent/scan.h"
#include "base/sign.h"

#include <string.h>

enum field_kind {
    FIELD_TEXT, /* into char[size]; null leaves it empty */
    FIELD_HEX,  /* into uint8_t[size] */
    FIELD_U32,
    FIELD_I64,
    FIELD_BOOL,
    FIELD_COMMAND,
    FIELD_USER_DATA,
    FIELD_MACHINE,
    FIELD_VERSION,
};

struct field {
    const char *key;
    enum field_kind kind;
    bool is_required;
    size_t offset, size;
    int64_t low, high;
};

#define AT(member)   offsetof(struct gl_config, member), sizeof(((struct gl_config *)0)->member)
#define TEN_YEARS_MS INT64_C(315576000000)
#define YEAR_9999_MS INT64_C(253402300799999)

static const struct field fields[] = {
    {"command", FIELD_COMMAND, false, 0, 0, 0, 0},
    {"disk", FIELD_TEXT, false, AT(disk), 0, 0},
    {"enrol", FIELD_HEX, true, AT(enrol), 0, 0},
    {"entropy", FIELD_HEX, true, AT(entropy), 0, 0},
    {"interval_ms", FIELD_U32, true, AT(interval_ms), 100, 3600000},
    {"launch", FIELD_TEXT, true, AT(launch), 0, 0},
    {"lease_ms", FIELD_I64, true, AT(lease_ms), 1, TEN_YEARS_MS},
    {"machine", FIELD_MACHINE, true, 0, 0, 0, 0},
    {"network", FIELD_BOOL, false, AT(has_network), 0, 0},
    {"now_ms", FIELD_I64, true, AT(now_ms), 0, YEAR_9999_MS},
    {"payload", FIELD_BOOL, false, AT(has_payload), 0, 0},
    {"root", FIELD_TEXT, false, AT(root), 0, 0},
    {"user_data", FIELD_USER_DATA, false, 0, 0, 0, 0},
    {"v", FIELD_VERSION, true, 0, 0, 0, 0},
};

static const struct field machine_fields[] = {
    {"baseline_permille", FIELD_U32, true, AT(machine.baseline_permille), 1, 1000},
    {"family", FIELD_TEXT, false, AT(machine.family), 0, 0},
    {"gpu_count", FIELD_U32, true, AT(machine.gpu_count), 0, 64},
    {"gpu_watts", FIELD_U32, true, AT(machine.gpu_watts), 0, 5000},
    {"memory_mb", FIELD_U32, true, AT(machine.memory_mb), 1, 100000000},
    {"threads_milli", FIELD_U32, true, AT(machine.threads_milli), 1, 10000000},
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

bool gl_config_is_launch(const char *text)
{
    size_t length =
        strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-");

    return length > 0 && length < 64 && text[length] == '\0';
}

/* The next string into config->text; NULL when it is none or does not fit. */
static const char *read_pooled(struct gl_scan *scan, struct gl_config *config, size_t *out_length)
{
    char *at = config->text + config->text_used;
    size_t length;

    if (!gl_scan_string(scan, at, sizeof config->text - config->text_used, &length))
        return NULL;
    config->text_used += length + 1;
    if (out_length != NULL)
        *out_length = length;
    return at;
}

static bool read_command(struct gl_scan *scan, struct gl_config *config)
{
    if (gl_scan_null(scan))
        return true;
    if (!gl_scan_enter(scan, '['))
        return false;
    while (gl_scan_more(scan, ']')) {
        if (config->argc >= GL_CONFIG_ARGS)
            return gl_scan_refuse(scan, "more than 256 arguments");
        config->argv[config->argc] = read_pooled(scan, config, NULL);
        if (config->argv[config->argc++] == NULL)
            return false;
    }
    if (scan->problem == NULL && (config->argc == 0 || config->argv[0][0] == '\0'))
        return gl_scan_refuse(scan, "an empty command");
    config->has_command = true;
    return scan->problem == NULL;
}

static bool read_user_data(struct gl_scan *scan, struct gl_config *config)
{
    if (gl_scan_null(scan))
        return true;
    config->user_data = read_pooled(scan, config, &config->user_data_length);
    return config->user_data != NULL;
}

static bool read_hex(struct gl_scan *scan, uint8_t *out, size_t size)
{
    char text[2 * sizeof(((struct gl_config *)0)->entropy) + 1];
    struct gl_error ignored = {0};

    if (!gl_scan_string(scan, text, sizeof text, NULL))
        return false;
    return gl_hex_parse(text, out, size, &ignored) == 0 ||
           gl_scan_refuse(scan, "not the right number of hex digits");
}

static bool read_number(struct gl_scan *scan, const struct field *field, void *out)
{
    int64_t value;

    if (!gl_scan_int(scan, field->low, field->high, &value))
        return false;
    if (field->kind == FIELD_U32)
        *(uint32_t *)out = (uint32_t)value;
    else
        *(int64_t *)out = value;
    return true;
}

static bool read_members(struct gl_scan *scan, const struct field *table, size_t count,
                         struct gl_config *config);

static bool read_field(struct gl_scan *scan, const struct field *field, struct gl_config *config)
{
    char *at = (char *)config + field->offset;
    int64_t version;

    switch (field->kind) {
    case FIELD_TEXT:
        return (!field->is_required && gl_scan_null(scan)) ||
               gl_scan_string(scan, at, field->size, NULL);
    case FIELD_HEX:
        return read_hex(scan, (uint8_t *)at, field->size);
    case FIELD_U32:
    case FIELD_I64:
        return read_number(scan, field, at);
    case FIELD_BOOL:
        return gl_scan_bool(scan, (bool *)at);
    case FIELD_COMMAND:
        return read_command(scan, config);
    case FIELD_USER_DATA:
        return read_user_data(scan, config);
    case FIELD_MACHINE:
        return read_members(scan, machine_fields, COUNT(machine_fields), config);
    case FIELD_VERSION:
        return gl_scan_int(scan, 1, 1, &version);
    }
    return gl_scan_refuse(scan, "unknown field kind");
}

/* An object whose keys are the rows of `table`, each at most once and all required ones there. */
static bool read_members(struct gl_scan *scan, const struct field *table, size_t count,
                         struct gl_config *config)
{
    unsigned seen = 0;
    char key[GL_SCAN_KEY];

    if (!gl_scan_enter(scan, '{'))
        return false;
    while (gl_scan_more(scan, '}')) {
        size_t i = 0;

        if (!gl_scan_key(scan, key))
            return false;
        while (i < count && strcmp(table[i].key, key) != 0)
            i++;
        if (i == count)
            return gl_scan_refuse(scan, "an unknown key");
        if ((seen & 1U << i) != 0)
            return gl_scan_refuse(scan, "a key is there twice");
        seen |= 1U << i;
        if (!read_field(scan, &table[i], config))
            return false;
    }
    for (size_t i = 0; i < count; i++)
        if (table[i].is_required && (seen & 1U << i) == 0)
            return gl_scan_refuse(scan, "a key is missing");
    return scan->problem == NULL;
}

static bool is_plain_name(const char *name)
{
    return strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789") == strlen(name);
}

/* Absolute, without "." and ".." parts: it is joined to paths of ours. */
static bool is_plain_path(const char *path)
{
    return path[0] == '/' && strstr(path, "/.") == NULL;
}

static bool check(struct gl_scan *scan, const struct gl_config *config)
{
    if (!gl_config_is_launch(config->launch))
        return gl_scan_refuse(scan, "bad launch name");
    if (!is_plain_name(config->disk))
        return gl_scan_refuse(scan, "bad disk name");
    if (config->root[0] != '\0' && !is_plain_path(config->root))
        return gl_scan_refuse(scan, "bad root folder");
    return true;
}

int gl_config_parse(const char *bytes, size_t length, struct gl_config *out, struct gl_error *err)
{
    struct gl_scan scan;

    memset(out, 0, sizeof *out);
    if (length > GL_CONFIG_MAX)
        return gl_fail(err, GL_E_TOO_LARGE, "config of more than %zu bytes", GL_CONFIG_MAX);
    gl_scan_begin(&scan, bytes, length);
    if (!read_members(&scan, fields, COUNT(fields), out) || !gl_scan_done(&scan) ||
        !check(&scan, out)) {
        memset(out, 0, sizeof *out);
        return gl_fail(err, GL_E_BAD_VALUE, "config: %s at byte %zu", scan.problem,
                       (size_t)(scan.at - bytes));
    }
    return 0;
}
