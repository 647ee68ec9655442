/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/cloud/aws_config.h"

#include <stdlib.h>
#include <string.h>

/* The shared files of the AWS tools, and the words of a credential_process. */

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void demand(bool holds)
{
    if (!holds)
        abort();
}

static void check_config(const char *bytes, size_t size)
{
    struct gl_aws_config *config = NULL;
    struct gl_error err = {0};

    if (gl_aws_config_parse(bytes, size, "fuzz", &config, &err) < 0) {
        demand(config == NULL && (err.code == GL_E_SYNTAX || err.code == GL_E_TOO_LARGE));
        return;
    }
    demand(err.code == GL_OK);
    demand(gl_aws_config_get(config, "no such section", "region") == NULL);
    if (gl_aws_config_get(config, "default", "region") != NULL)
        demand(gl_aws_config_has(config, "default"));
    gl_aws_config_free(config);
}

static void check_words(const char *bytes, size_t size)
{
    struct gl_error err = {0};
    char *line = gl_alloc(size + 1), **words;

    memcpy(line, bytes, size);
    words = gl_aws_words_split(line, &err);
    if (words == NULL)
        demand(err.code == GL_E_BAD_VALUE || err.code == GL_E_TOO_LARGE);
    else
        demand(words[0] != NULL && strlen(words[0]) <= size);
    gl_aws_words_free(words);
    free(line);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    check_config((const char *)bytes, size);
    check_words((const char *)bytes, size);
    return 0;
}
