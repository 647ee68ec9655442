/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/cloud/local_config.h"
#include "providers/cloud/local_golden.h"
#include "providers/cloud/local_qmp.h"
#include "providers/cloud/local_record.h"

#include <stdlib.h>
#include <string.h>

/* What the local cloud reads from QEMU, from guests and from its own folder: the first byte says
 * which reader gets the rest. What is accepted keeps its promises. */

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void demand(bool holds)
{
    if (!holds)
        abort();
}

static void read_message(const char *text, size_t length)
{
    struct gl_qmp_message message;
    struct gl_error err = {0};

    if (gl_qmp_parse(text, length, &message, &err) < 0) {
        demand(err.code != GL_OK);
        return;
    }
    demand((message.body != NULL) == (message.kind == GL_QMP_RETURN));
    demand(memchr(message.text, '\0', sizeof message.text) != NULL);
    gl_qmp_message_done(&message);
}

static void read_hello(const char *text, size_t length)
{
    struct gl_guest_hello hello;
    struct gl_error err = {0};
    int status;

    if (gl_guest_hello_parse(text, length, &hello, &err) == 0)
        demand(hello.state[0] != '\0' && hello.status >= -1 && hello.status <= 255);
    gl_error_clear(&err);
    if (gl_guest_exit_parse(text, length, &status, &err) == 0)
        demand(status >= 0 && status <= 255);
}

static void read_record(const char *text, size_t length)
{
    struct gl_local_record record, again;
    struct gl_error err = {0};
    char *first, *second;

    if (gl_local_record_parse(text, length, "fuzz", &record, &err) < 0)
        return;
    demand(gl_local_id_is_valid(record.launch_id));
    first = gl_local_record_text(&record, &err);
    demand(first != NULL);
    demand(gl_local_record_parse(first, strlen(first), "fuzz", &again, &err) == 0);
    second = gl_local_record_text(&again, &err);
    demand(strcmp(first, second) == 0);
    free(first);
    free(second);
}

static void read_companion(const char *text, size_t length)
{
    struct gl_error err = {0};
    struct gl_machine_seal seal;

    if (gl_golden_parse(text, length, &seal, &err) == 0)
        demand(seal.length > 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static void (*const readers[])(const char *text, size_t length) = {read_message, read_hello,
                                                                       read_record, read_companion};

    if (size > 0)
        readers[bytes[0] % 4]((const char *)bytes + 1, size - 1);
    return 0;
}
