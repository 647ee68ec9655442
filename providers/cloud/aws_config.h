/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_PROVIDERS_AWS_CONFIG_H
#define GL_PROVIDERS_AWS_CONFIG_H

/* The shared configuration and credentials files of the AWS tools, read by our own parser under
 * ceilings: sections, "key = value", comments, one level of indented keys ("ec2.endpoint_url").
 * https://docs.aws.amazon.com/sdkref/latest/guide/file-format.html
 * The text may hold secrets: no error quotes it, and it is wiped when done. */

#include "base/world.h"

#define GL_AWS_CONFIG_MAX_BYTES   ((size_t)1 << 20)
#define GL_AWS_CONFIG_MAX_ENTRIES 10000u

struct gl_aws_config;

/* `name` is what errors call the input. SYNTAX with its line, TOO_LARGE. To be freed. */
int gl_aws_config_parse(const char *text, size_t length, const char *name,
                        struct gl_aws_config **out, struct gl_error *err);
void gl_aws_config_free(struct gl_aws_config *config); /* wiped; NULL is fine */
/* Is there a section of this name? "profile  x" is known as "profile x". */
bool gl_aws_config_has(const struct gl_aws_config *config, const char *section);
/* The value, "" when it is empty; NULL when there is none. The last one counts. Borrowed. */
const char *gl_aws_config_get(const struct gl_aws_config *config, const char *section,
                              const char *key);

/* Both files of a person, as the environment names them: AWS_SHARED_CREDENTIALS_FILE (else
 * ~/.aws/credentials) and AWS_CONFIG_FILE (else ~/.aws/config). One that is missing is empty. */
struct gl_aws_files {
    struct gl_aws_config *credentials, *config;
};
int gl_aws_files_read(const struct gl_world *world, struct gl_aws_files *out, struct gl_error *err);
void gl_aws_files_done(struct gl_aws_files *files);
bool gl_aws_profile_exists(const struct gl_aws_files *files, const char *profile);
/* A key of a profile: of the credentials file, else of the configuration; NULL when in neither. */
const char *gl_aws_profile_get(const struct gl_aws_files *files, const char *profile,
                               const char *key);
/* Of the configuration file alone. */
const char *gl_aws_profile_config(const struct gl_aws_files *files, const char *profile,
                                  const char *key);

/* Split a command line as a shell would, without one: words, '...', "..." with \" \\ \$ \`, \c.
 * NULL-terminated argv to be freed with gl_aws_words_free(); NULL with BAD_VALUE (an open quote, no
 * word) or TOO_LARGE. */
char **gl_aws_words_split(const char *line, struct gl_error *err);
void gl_aws_words_free(char **words);

#endif
