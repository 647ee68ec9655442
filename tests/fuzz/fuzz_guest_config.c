/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/config.h"
#include "agent/fetch.h"
#include "agent/guest.h"
#include "agent/record.h"

#include <stdlib.h>
#include <string.h>

/* The meter's own small readers on any bytes: the config of a guest, a fetch request, a record of
 * a spool. What is taken must hold what the headers promise; what is refused leaves nothing. */

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static bool is_text_of(const struct gl_config *config, const char *text)
{
    return text >= config->text && text + strlen(text) < config->text + sizeof config->text;
}

static void check_words(const struct gl_config *config)
{
    if (config->argc > GL_CONFIG_ARGS || config->argv[config->argc] != NULL ||
        config->has_command != (config->argc > 0))
        abort();
    for (size_t i = 0; i < config->argc; i++)
        if (!is_text_of(config, config->argv[i]))
            abort();
}

static void check_config(const struct gl_config *config)
{
    check_words(config);
    if (!gl_config_is_launch(config->launch) || config->lease_ms < 1 || config->interval_ms < 100 ||
        config->machine.threads_milli < 1 || config->machine.memory_mb < 1)
        abort();
    if (config->user_data != NULL && (!is_text_of(config, config->user_data) ||
                                      strlen(config->user_data) != config->user_data_length))
        abort();
    if (strstr(config->root, "..") != NULL && strstr(config->root, "/.") != NULL)
        abort();
}

static void try_config(const char *text, size_t size)
{
    static const struct gl_config empty;
    struct gl_config *config = gl_alloc(sizeof *config);
    struct gl_error err = {0};

    if (gl_config_parse(text, size, config, &err) == 0)
        check_config(config);
    else if (err.code == GL_OK || memcmp(config, &empty, sizeof empty) != 0)
        abort();
    free(config);
}

static void try_record(const char *text, size_t size)
{
    struct gl_reading ours, theirs;
    struct gl_error err = {0}, other = {0};

    /* the broker's parser takes a little less: it also checks the bounds of the energy */
    if (gl_record_parse(text, size, &ours, &err) < 0 &&
        gl_reading_parse(text, size, &theirs, &other) == 0)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    char *text = gl_alloc(size);
    char path[1024];
    struct gl_error err = {0}, other = {0};
    struct gl_guest_time time;

    memcpy(text, bytes, size);
    try_config(text, size);
    try_record(text, size);
    if (gl_guest_time_parse(text, size, &time, &other) == 0 &&
        (time.lease_ms < 1 || time.now_ms < 1))
        abort();
    if (gl_fetch_parse(text, size, path, sizeof path, &err) == 0 && path[0] != '/')
        abort();
    free(text);
    return 0;
}
