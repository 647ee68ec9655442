/* SPDX-License-Identifier: Apache-2.0 */
/* What somebody meant who wrote a unit that does not exist. */
#include "base/unit_part.h"

#include "base/str.h"

#include <stdio.h>
#include <string.h>

static void lower(const char *text, char out[WORD])
{
    size_t length = 0;

    for (; *text != '\0' && length + 1 < WORD; text++)
        if (*text != ' ')
            out[length++] = *text >= 'A' && *text <= 'Z' ? (char)(*text | 0x20) : *text;
    out[length] = '\0';
}

/* How unlike they are, whatever the case; a plural is nearly the word: "kgs", "hours". */
static unsigned unlikeness(const struct dimension *dim, const char *written, const char *unit)
{
    char a[WORD], b[WORD];
    size_t length;

    lower(written, a);
    lower(unit, b);
    length = strlen(b);
    if (strncmp(a, b, length) == 0 &&
        (strcmp(a + length, "s") == 0 || dim->row.dim == GL_DIM_DURATION))
        return 1;
    return gl_text_distance(a, b);
}

/* The unit of a dimension that was likely meant. */
struct nearest {
    const struct dimension *dim;
    const char *written;
    unsigned best;
    char unit[WORD]; /* "" when none is near */
};

static void compare_unit(struct nearest *nearest, const char *head, const char *carbon,
                         const char *tail)
{
    char unit[WORD];
    unsigned unlike;

    snprintf(unit, sizeof unit, "%s%s%s%s", head, carbon, tail[0] != '\0' ? "/" : "", tail);
    unlike = unlikeness(nearest->dim, nearest->written, unit);
    if (unlike >= nearest->best)
        return;
    nearest->best = unlike;
    memcpy(nearest->unit, unit, sizeof unit);
}

static void find_nearest(struct nearest *nearest)
{
    static const struct scale none[] = {{"", 1, 1}, {NULL, 0, 0}};
    const struct scale *tails = nearest->dim->tails != NULL ? nearest->dim->tails : none;
    size_t length = strlen(nearest->written);

    nearest->best = length == 2 ? 2 : (unsigned)length / 3 + 1; /* "%%" */
    for (const struct scale *head = nearest->dim->heads; head && head->name; head++)
        for (const struct scale *tail = tails; tail->name; tail++) {
            compare_unit(nearest, head->name, "", tail->name);
            if (nearest->dim->may_have_carbon)
                compare_unit(nearest, head->name, "CO2e", tail->name);
        }
}

void gl_unit_nearest(const struct dimension *dim, const char *written, char out[WORD])
{
    struct nearest nearest = {.dim = dim, .written = written};

    find_nearest(&nearest);
    memcpy(out, nearest.unit, WORD);
}
