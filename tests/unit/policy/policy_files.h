/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_TESTS_POLICY_FILES_H
#define GL_TESTS_POLICY_FILES_H

/* Policies of several files that include each other. */

#include "policy_text.h"

/* Files that exist only in memory: name, text pairs. Includes are by exact name. */
struct files {
    const char *const *pairs;
    size_t loads;
};

static inline int load(void *cookie, const char *from, const char *path, struct gl_view *out_text,
                       const char **out_name, struct gl_error *err)
{
    struct files *files = cookie;

    assert_non_null(from);
    files->loads++;
    for (const char *const *pair = files->pairs; *pair != NULL; pair += 2)
        if (strcmp(pair[0], path) == 0) {
            *out_text = view_of(pair[1]);
            *out_name = pair[0];
            return 0;
        }
    return gl_fail(err, GL_E_INCLUDE, "no file \"%s\"", path);
}

/* Parse the first file; the others can be included. */
static inline struct gl_policy *parse_files(const char *const *pairs)
{
    struct files files = {.pairs = pairs};
    struct gl_policy_loader loader = {&files, load};

    return gl_policy_parse(view_of(pairs[1]), pairs[0], &loader, &found);
}

static inline struct gl_policy *parse_two(const char *child, const char *floor)
{
    const char *pairs[] = {"child.yaml", child, "floor.yaml", floor, NULL};

    return parse_files(pairs);
}

static inline struct gl_policy *parse_two_good(const char *child, const char *floor)
{
    struct gl_policy *policy = parse_two(child, floor);

    if (policy == NULL)
        print_found();
    assert_non_null(policy);
    return policy;
}

static inline void assert_two_bad(const char *child, const char *floor, enum gl_errc code,
                                  uint32_t line, uint32_t column, const char *piece)
{
    assert_null(parse_two(child, floor));
    assert_error(0, code, line, column, piece);
    assert_int_equal(found.count, 1);
}

#endif
