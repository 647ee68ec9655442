/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/venue/adapter.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* ---- ids ---- */

static bool is_number(const char *id, unsigned digits)
{
    return id[0] != '\0' && id[0] != '0' && strlen(id) <= digits &&
           strspn(id, "0123456789") == strlen(id);
}

int gl_venue_check_id(const struct gl_venue_ops *ops, const char *id, struct gl_error *err)
{
    const struct gl_venue_layout *layout = ops->layout;

    if (layout == NULL || layout->id_rule == NULL)
        return 0;
    if (layout->digits > 0 ? is_number(id, layout->digits) : layout->is_id(id))
        return 0;
    return gl_fail(err, GL_E_BAD_VALUE, "%s: %s", ops->name, layout->id_rule);
}

static bool read_id(const struct gl_venue_layout *layout, const json_t *object,
                    char out[GL_VENUE_ID])
{
    const char *text = gl_venue_member(object, layout->id);
    int64_t number = gl_venue_number(object, layout->id);
    bool is_id = layout->digits > 0 ? number > 0 : layout->is_id(text);

    if (is_id && layout->digits > 0)
        snprintf(out, GL_VENUE_ID, "%" PRId64, number);
    else if (is_id)
        snprintf(out, GL_VENUE_ID, "%s", text);
    return is_id;
}

/* ---- one request ---- */

int gl_venue_read_receipt(const struct gl_venue *venue, const json_t *object,
                          struct gl_venue_receipt *out, struct gl_error *err)
{
    const struct gl_venue_layout *layout = venue->ops->layout;

    if (!read_id(layout, object, out->id))
        return gl_fail(err, GL_E_BAD_REPLY, "%s: the answer names no %s", venue->ops->name,
                       layout->noun);
    if (layout->link != NULL)
        gl_venue_link(gl_venue_member(object, layout->link), out->url, sizeof out->url);
    else if (layout->browse != NULL)
        snprintf(out->url, sizeof out->url, "%s%s%s", venue->endpoint, layout->browse, out->id);
    return 0;
}

int gl_venue_check_request(const struct gl_venue *venue, const json_t *object, struct gl_error *err)
{
    const struct gl_venue_layout *layout = venue->ops->layout;
    char id[GL_VENUE_ID];

    if ((layout->id == NULL || read_id(layout, object, id)) &&
        gl_venue_member(object, layout->state)[0] != '\0')
        return 0;
    return gl_fail(err, GL_E_BAD_REPLY, "%s: the answer is no %s", venue->ops->name, layout->noun);
}

bool gl_venue_is_closed(const struct gl_venue *venue, const json_t *object)
{
    const struct gl_venue_layout *layout = venue->ops->layout;

    return gl_venue_is_one_of(layout->closed, gl_venue_member(object, layout->state));
}

void gl_venue_read_status(const struct gl_venue *venue, const json_t *object,
                          struct gl_venue_status *out)
{
    const struct gl_venue_layout *layout = venue->ops->layout;
    const char *state = gl_venue_member(object, layout->state);
    bool is_answered;

    out->comments = gl_venue_number(object, layout->comments);
    out->votes = gl_venue_number(object, layout->votes);
    out->updated = gl_venue_time(object, layout->updated);
    is_answered =
        layout->answered != NULL ? gl_venue_is_one_of(layout->answered, state) : out->comments > 0;
    out->state = gl_venue_is_closed(venue, object) ? GL_REQUEST_CLOSED
                 : is_answered                     ? GL_REQUEST_ANSWERED
                                                   : GL_REQUEST_OPEN;
    gl_venue_show(gl_venue_member(object, layout->reason), out->reason, sizeof out->reason);
    gl_venue_show(gl_venue_member(object, layout->title), out->title, sizeof out->title);
}

/* ---- lists ---- */

const json_t *gl_venue_tagged(const json_t *list, const char *member, const char *tag)
{
    const json_t *item;
    size_t i;

    json_array_foreach(list, i, item)
    {
        if (gl_venue_has_tag(gl_venue_member(item, member), tag))
            return item;
    }
    return NULL;
}

int gl_venue_look_in(const struct gl_venue *venue, const json_t *list, const char *tag,
                     struct gl_venue_receipt *out, struct gl_error *err)
{
    const json_t *item = gl_venue_tagged(list, venue->ops->layout->title, tag);

    if (item == NULL)
        return 0;
    return gl_venue_read_receipt(venue, item, out, err) < 0 ? -1 : 1;
}

int gl_venue_add_candidate(const struct gl_venue *venue, const json_t *object,
                           struct gl_venue_candidate *out, size_t *out_count, struct gl_error *err)
{
    const struct gl_venue_layout *layout = venue->ops->layout;
    struct gl_venue_candidate *candidate = &out[*out_count];
    struct gl_venue_receipt request = {0};

    if (*out_count == GL_VENUE_CANDIDATES)
        return 0;
    if (gl_venue_read_receipt(venue, object, &request, err) < 0)
        return -1;
    snprintf(candidate->id, sizeof candidate->id, "%s", request.id);
    gl_venue_link(request.url, candidate->url, sizeof candidate->url);
    gl_venue_show(gl_venue_member(object, layout->title), candidate->title,
                  sizeof candidate->title);
    candidate->is_open =
        layout->open != NULL
            ? gl_venue_is_one_of(layout->open, gl_venue_member(object, layout->state))
            : !gl_venue_is_closed(venue, object);
    candidate->votes = gl_venue_number(object, layout->votes);
    ++*out_count;
    return 0;
}
