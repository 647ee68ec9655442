/* SPDX-License-Identifier: Apache-2.0 */
/* One of our counterparts as a program: counterpart CLOUD FOLDER STATE. Writes what leads to it,
 * FOLDER/config.yaml and FOLDER/environment (a variable a line), then FOLDER/ready. In every
 * machine a meter speaks on the console, for the newest launch of the ledger's folder STATE. Ends
 * with its standard input and says then what is left: "left N" and "complaints TEXT".
 * For tests/live.sh where there is no account. */
#include "base/file.h"
#include "base/sign.h"
#include "tests/conformance/cloud_counterparts.h"
#include "tests/support/make_batches.h"

#include <dirent.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define PER_BATCH 8

static void write_file(const char *folder, const char *name, const struct gl_str *text)
{
    GL_AUTO(gl_auto_free) char *path = gl_path_join(folder, name);
    struct gl_error err = {0};

    if (gl_file_write(path, gl_str_text(text), text->length, 0600, &err) == 0)
        return;
    fprintf(stderr, "%s\n", err.text);
    exit(1);
}

static void describe(const struct gl_counterpart *kind, const void *fake, const char *folder)
{
    const struct gl_counterpart_way way = {kind->url(fake), kind->url(fake), folder};
    GL_AUTO(gl_str_done) struct gl_str config = {0};
    GL_AUTO(gl_str_done) struct gl_str environment = {0};
    GL_AUTO(gl_str_done) struct gl_str none = {0};

    gl_str_addf(&config, "greenlaunch_config: 1\nzone: IS\nclouds:\n  %s:\n", kind->cloud);
    for (size_t i = 0; i < GL_COUNTERPART_SETTINGS && kind->settings[i].name != NULL; i++) {
        GL_AUTO(gl_auto_free)
        char *value = gl_counterpart_fill(kind->settings[i].value, &way);

        gl_str_addf(&config, "    %s: '%s'\n", kind->settings[i].name, value);
    }
    gl_str_add(&config, "sources: []\n");
    for (size_t i = 0; i < GL_COUNTERPART_LINES && kind->environment[i] != NULL; i++) {
        GL_AUTO(gl_auto_free)
        char *line = gl_counterpart_fill(kind->environment[i], &way);

        gl_str_addf(&environment, "%s\n", line);
    }
    write_file(folder, "config.yaml", &config);
    write_file(folder, "environment", &environment);
    write_file(folder, "ready", &none);
}

/* ---- the meter ---- */

static bool newest_token(const char *state, char launch[64], uint8_t out[32], int64_t *out_ms)
{
    GL_AUTO(gl_auto_free) char *folder = gl_path_join(state, "tokens");
    DIR *directory = opendir(folder);
    struct dirent *entry;
    bool is_found = false;

    *out_ms = 0;
    while (directory != NULL && (entry = readdir(directory)) != NULL) {
        GL_AUTO(gl_auto_free) char *path = gl_path_join(folder, entry->d_name);
        GL_AUTO(gl_auto_free) char *text = NULL;
        struct gl_error ignored = {0};
        struct stat seen;
        size_t length;

        if (strncmp(entry->d_name, "gl-", 3) != 0 || stat(path, &seen) != 0 ||
            seen.st_mtime * 1000 < *out_ms ||
            gl_file_read(path, 256, &text, &length, &ignored) != 0 ||
            gl_hex_parse(text, out, 32, &ignored) != 0)
            continue;
        snprintf(launch, 64, "%.63s", entry->d_name);
        *out_ms = seen.st_mtime * 1000 + 1000;
        is_found = true;
    }
    if (directory != NULL)
        closedir(directory);
    return is_found;
}

/* Two texts in turn: the other may still be read. */
static void speak(const struct gl_counterpart *kind, void *fake, const char *state)
{
    static struct gl_str texts[2];
    static unsigned turn;
    static struct fake_meter meter;
    struct gl_str *text = &texts[turn++ % 2];
    char launch[64];
    uint8_t token[32];
    int64_t from_ms, seconds;

    if (kind->say == NULL || !newest_token(state, launch, token, &from_ms))
        return;
    seconds = time(NULL) - from_ms / 1000 - 1;
    if (seconds < 1)
        return;
    fake_meter_init(&meter, launch, 7, from_ms);
    memcpy(meter.token, token, sizeof meter.token);
    fake_meter_read_many(&meter, seconds < FAKE_READINGS_MAX ? (size_t)seconds : FAKE_READINGS_MAX);
    gl_str_clear(text);
    gl_str_add(text, "[    0.000000] a kernel\r\n");
    fake_add_enrolment(&meter, text);
    for (size_t i = 0; i < meter.count; i += PER_BATCH)
        fake_add_batch(&meter, i, meter.count - i < PER_BATCH ? meter.count - i : PER_BATCH, text);
    kind->say(fake, gl_str_text(text));
}

int main(int argc, char **argv)
{
    const struct gl_counterpart *kind = argc == 4 ? gl_counterpart_of(argv[1]) : NULL;
    struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
    char byte;
    void *fake;

    if (kind == NULL) {
        fprintf(stderr, "counterpart CLOUD FOLDER STATE\n");
        return 2;
    }
    fake = kind->start(argv[2]);
    describe(kind, fake, argv[2]);
    while (poll(&input, 1, 500) == 0 || read(STDIN_FILENO, &byte, 1) > 0)
        speak(kind, fake, argv[3]);
    printf("left %zu\ncomplaints %s\n", kind->left(fake), kind->complaints(fake));
    kind->stop(fake);
    return 0;
}
