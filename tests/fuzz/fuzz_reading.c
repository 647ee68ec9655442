/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/reading.h"

#include <stdlib.h>
#include <string.h>

/* A guest's record is hostile: what is accepted must be in range and be its own canonical form;
 * what is refused must be refused as a bad reply and leave the output alone. */

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void check_accepted(const struct gl_reading *reading, const char *bytes, size_t size)
{
    char text[GL_RECORD_MAX];

    if (gl_reading_write(reading, text) != size || memcmp(text, bytes, size) != 0)
        abort();
    if (reading->seq < 1 || reading->seq > INT64_MAX || reading->gap_ms < 0 ||
        reading->busy_ppm > 1000000 || reading->component_count > GL_COMPONENTS_MAX)
        abort();
    for (size_t i = 0; i < reading->component_count; i++) {
        const struct gl_component *component = &reading->components[i];

        if (component->low_uj < 0 || component->low_uj > component->delta_uj ||
            component->delta_uj > component->high_uj || component->total_mj < 0)
            abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct gl_error err = {0};
    struct gl_reading reading = {.seq = 77};

    if (gl_reading_parse((const char *)bytes, size, &reading, &err) == 0)
        check_accepted(&reading, (const char *)bytes, size);
    else if (err.code != GL_E_BAD_REPLY || reading.seq != 77)
        abort();
    return 0;
}
