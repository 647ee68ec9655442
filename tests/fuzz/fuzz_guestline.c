/* SPDX-License-Identifier: Apache-2.0 */
/* What a machine's script says on a hostile console: in any pieces the same is heard, within its
 * ceilings. */
#include "broker/guestline.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void must(bool holds)
{
    if (!holds)
        abort();
}

static void hear(struct gl_guest_said *said, const char *bytes, size_t size, size_t piece)
{
    gl_guest_said_init(said, "gl-4k2p9xyz");
    for (size_t at = 0; at < size; at += piece)
        gl_guest_said_feed(said, bytes + at, size - at < piece ? size - at : piece);
    must(said->tail.length <= GL_GUEST_TAIL && said->identity.length <= GL_GUEST_DOCUMENT);
    must(!said->is_tail_cut || said->is_tail_pushed);
    must(!said->has_exit || (said->exit_status >= 0 && said->exit_status <= 255));
}

/* What was kept of a tail is heard again as it was. */
static void keep(const struct gl_guest_said *said)
{
    GL_AUTO(gl_str_done) struct gl_str line = {0};
    struct gl_guest_said again;

    gl_guest_tail_line(said, &line);
    gl_guest_said_init(&again, said->launch);
    gl_guest_said_feed(&again, gl_str_text(&line), line.length);
    must(again.tail.length == said->tail.length);
    must(again.is_tail_cut ==
         (said->is_tail_pushed ? said->is_tail_cut : said->tail.length >= GL_GUEST_CONSOLE_TAIL));
    must(again.tail.length == 0 ||
         memcmp(again.tail.text, said->tail.text, again.tail.length) == 0);
    gl_guest_said_done(&again);
}

/* Nobody has the key that signs for this one. */
static void hear_pushed(const char *bytes, size_t size)
{
    const struct gl_public_key key = {{1}};
    struct gl_guest_said said;

    gl_guest_said_init(&said, "gl-4k2p9xyz");
    must(!gl_guest_said_pushed(&said, bytes, size, &key));
    must(!said.has_exit && said.tail.length == 0);
    gl_guest_said_done(&said);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct gl_guest_said whole, pieces;

    hear_pushed((const char *)bytes, size);

    hear(&whole, (const char *)bytes, size, size > 0 ? size : 1);
    hear(&pieces, (const char *)bytes, size, 3);
    must(whole.has_exit == pieces.has_exit && whole.exit_status == pieces.exit_status);
    must(strcmp(gl_str_text(&whole.tail), gl_str_text(&pieces.tail)) == 0);
    keep(&whole);
    must(strcmp(gl_str_text(&whole.identity), gl_str_text(&pieces.identity)) == 0);
    gl_guest_said_done(&whole);
    gl_guest_said_done(&pieces);
    return 0;
}
