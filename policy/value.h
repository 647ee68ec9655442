/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_POLICY_VALUE_H
#define GL_POLICY_VALUE_H

/* Values of policy keys: text to constraint, and which of two is the tighter one. The key says what
 * the text means; nothing is guessed from how it looks. Internal to the policy reader. */

#include "policy/yaml.h"

#define GL_TEXT_MAX    1000 /* bytes of a description, message or reason */
#define GL_GLOB_MAX    128  /* bytes of a region, type or target */
#define GL_ADDRESS_MAX 512  /* bytes of an address in a plan */

struct gl_reader {
    struct gl_source source;
    struct gl_arena *arena;
};

/* The text of a scalar, NULL (with an error that calls the value `name`) when it is a list or map,
 * empty, or longer than `limit` bytes. Borrowed from the tree. */
const char *gl_value_text(const struct gl_reader *reader, const char *name,
                          const struct gl_node *node, size_t limit);

/* One pattern or a list of them to a NULL-terminated array; NULL on error. */
const char *const *gl_value_globs(const struct gl_reader *reader, const char *name,
                                  const struct gl_node *node);

/* The same for patterns of addresses, which may have brackets, quotes and commas. */
const char *const *gl_value_addresses(const struct gl_reader *reader, const char *name,
                                      const struct gl_node *node);

/* The index of a word in a NULL-terminated list, -1 with an error that lists them. */
int gl_value_word(const struct gl_reader *reader, const char *name, const struct gl_node *node,
                  const char *const *words);

/* The value of `key`. Errors: UNIT_MISSING, BAD_VALUE. */
int gl_value_read(const struct gl_reader *reader, const struct gl_key *key,
                  const struct gl_node *node, struct gl_constraint *out);

/* Does `now` allow nothing that `was` does not? Both of one key. */
bool gl_value_is_as_tight(const struct gl_constraint *now, const struct gl_constraint *was);

/* The built-in value of a key that has one, as it would be written. Returns out. */
#define GL_VALUE_TEXT 48
char *gl_value_standard_text(const struct gl_key *key, char out[GL_VALUE_TEXT]);

#endif
