/* SPDX-License-Identifier: Apache-2.0 */
/* Which request a person means. */
#include "broker/request.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PREFIX "GL-"

bool gl_request_is_named(const char *fingerprint, const char *id)
{
    size_t length;

    if (strncasecmp(id, PREFIX, strlen(PREFIX)) == 0)
        id += strlen(PREFIX);
    length = strlen(id);
    return length >= GL_REQUEST_ID_MIN && length <= strlen(fingerprint) &&
           strncasecmp(fingerprint, id, length) == 0;
}

/* The nearest of the ids that there are, into `out`; false when none is near. */
static bool find_nearest(const char *const *fingerprints, size_t count, const char *id,
                         char out[GL_VENUE_TAG])
{
    char(*ids)[GL_VENUE_TAG] = gl_alloc((count + 1) * sizeof *ids);
    const char **names = gl_alloc((count + 1) * sizeof *names), *nearest;
    struct gl_error ignored = {0};
    size_t used = 0;

    for (size_t i = 0; i < count; i++)
        if (gl_venue_tag(fingerprints[i], ids[used], &ignored) == 0) {
            names[used] = ids[used];
            used++;
        }
    nearest = gl_text_nearest(id, names, used);
    if (nearest != NULL)
        snprintf(out, GL_VENUE_TAG, "%s", nearest);
    free(names);
    free(ids);
    return nearest != NULL;
}

static int fail_none(const char *const *fingerprints, size_t count, const char *id,
                     const char *what, struct gl_error *err)
{
    char nearest[GL_VENUE_TAG] = "", shown[GL_TEXT_SHOWN];
    bool is_near = find_nearest(fingerprints, count, id, nearest);

    return gl_fail(err, GL_E_UNKNOWN_NAME,
                   "there is no %s \"%s\"%s%s%s; see: greenlaunch request %s", what,
                   gl_text_show(id, shown), is_near ? "; did you mean " : "", nearest,
                   is_near ? "?" : "", strcmp(what, "request") == 0 ? "status" : "observe");
}

int gl_request_pick(const char *const *fingerprints, size_t count, const char *id, const char *what,
                    size_t *out, struct gl_error *err)
{
    size_t found = count;

    for (size_t i = 0; i < count; i++) {
        if (!gl_request_is_named(fingerprints[i], id))
            continue;
        if (found < count)
            return gl_fail(err, GL_E_UNKNOWN_NAME,
                           "%s is more than one %s: say more digits, as in %.16s or %.16s", id,
                           what, fingerprints[found], fingerprints[i]);
        found = i;
    }
    if (found == count)
        return fail_none(fingerprints, count, id, what, err);
    *out = found;
    return 0;
}
