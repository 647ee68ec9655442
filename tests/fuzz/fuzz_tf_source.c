/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/hook/tf_source.h"

#include <stdlib.h>
#include <string.h>

/* Any bytes as a file of Terraform: what is found lies inside the file, and a literal is what its
 * place says. */

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static const char *const kinds[] = {"provider", "module", "variable", "resource"};
    struct gl_tf_source *source = gl_tf_source_of_text("main.tf", (const char *)bytes, size);

    (void)gl_tf_source_find(source, "", "module.a.aws_instance.b[0]");
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        const struct gl_tf_source_block *block;
        size_t cursor = 0;

        while ((block = gl_tf_source_each(source, "", kinds[i], "a", &cursor)) != NULL) {
            const struct gl_tf_setting *setting = gl_tf_source_setting(source, block, "region");

            if (block->line == 0 || block->line > size + 1)
                abort();
            if (setting != NULL && !setting->is_reference &&
                (setting->offset + strlen(setting->value) > size ||
                 memcmp(bytes + setting->offset, setting->value, strlen(setting->value)) != 0))
                abort();
        }
    }
    gl_tf_source_free(source);
    return 0;
}
