/* SPDX-License-Identifier: Apache-2.0 */
/* What Azure says: a report of Carbon Optimization, kg. The report names neither accounting nor
 * scopes (they were chosen when it was asked for); a subscription that was denied is a good answer
 * without its figures. */
#include "providers/cloud/statement.h"

#include "policy/facts.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define VIRTUAL_MACHINES "microsoft.compute/virtualmachines"

static void copy_lower(char *into, size_t size, const char *text)
{
    size_t i = 0;

    for (; text != NULL && text[i] != '\0' && i + 1 < size; i++)
        into[i] = (char)tolower((unsigned char)text[i]);
    into[i] = '\0';
}

/* "Sweden Central" is "swedencentral" everywhere else. */
static void copy_region(char *into, size_t size, const char *text)
{
    char *to = into;

    copy_lower(into, size, text);
    for (const char *from = into; *from != '\0'; from++)
        if (*from != ' ')
            *to++ = *from;
    *to = '\0';
}

static void read_dimension(const json_t *item, struct gl_statement_row *row)
{
    const char *category = json_string_value(json_object_get(item, "categoryType"));
    const char *name = json_string_value(json_object_get(item, "itemName"));
    const char *type = json_string_value(json_object_get(item, "resourceType"));
    const char *place = json_string_value(json_object_get(item, "location"));

    copy_lower(row->account, sizeof row->account,
               json_string_value(json_object_get(item, "subscriptionId")));
    if (category != NULL && strcmp(category, "Location") == 0)
        place = name;
    else if (category != NULL && strcmp(category, "ResourceType") == 0)
        type = name;
    else if (category != NULL && strcmp(category, "Subscription") == 0)
        copy_lower(row->account, sizeof row->account, name);
    copy_lower(row->service, sizeof row->service, type);
    copy_region(row->region, sizeof row->region, place);
    row->kind = row->service[0] == '\0'                       ? GL_STATED_ANY
                : strcmp(row->service, VIRTUAL_MACHINES) == 0 ? GL_STATED_MACHINES
                                                              : GL_STATED_OTHER;
}

static int add_item(const json_t *item, struct gl_statement *out, struct gl_error *err)
{
    const char *date = json_string_value(json_object_get(item, "date"));
    const char *type = json_string_value(json_object_get(item, "dataType"));
    struct gl_statement_row row = {.basis = GL_STATED_UNSAID, .ug = GL_UNKNOWN};

    if (type == NULL)
        return gl_fail(err, GL_E_BAD_REPLY, "azure: a row of the report has no dataType");
    if (strstr(type, "TopItem") != NULL)
        return gl_fail(err, GL_E_BAD_REPLY,
                       "azure: a report of top items leaves out the others; ask for details");
    if (date != NULL && !gl_statement_is_month(out, date))
        return 0;
    out->is_undated |= date == NULL;
    read_dimension(item, &row);
    if (gl_statement_number(out, json_object_get(item, "latestMonthEmissions"), GL_STATED_KG_UG,
                            &row.ug, err) != 0)
        return -1;
    return gl_statement_add(out, &row, err);
}

/* A denied subscription is a row without a figure: the sum is then no sum of the account. */
static int add_denied(const json_t *decision, struct gl_statement *out, struct gl_error *err)
{
    const char *word = json_string_value(json_object_get(decision, "decision"));
    const char *id = json_string_value(json_object_get(decision, "subscriptionId"));
    struct gl_statement_row row = {
        .basis = GL_STATED_UNSAID, .kind = GL_STATED_ANY, .ug = GL_UNKNOWN};

    if (word == NULL)
        return gl_fail(err, GL_E_BAD_REPLY, "azure: an access decision has no word");
    if (strcmp(word, "Allowed") == 0)
        return 0;
    copy_lower(row.account, sizeof row.account, id);
    if (out->denied++ == 0)
        gl_text_show(row.account, out->barred);
    return gl_statement_add(out, &row, err);
}

int gl_statement_azure(const json_t *root, struct gl_statement *out, char next[GL_STATEMENT_TOKEN],
                       struct gl_error *err)
{
    const json_t *decisions = json_object_get(root, "subscriptionAccessDecisionList"), *item;
    const char *more = json_string_value(json_object_get(root, "skipToken"));
    json_t *rows;
    size_t i;

    out->provider = "azure";
    out->form = "Azure Carbon Optimization";
    out->boundary = "the scopes that were asked for when it was made";
    if (gl_json_array(root, "value", &rows, err) != 0)
        return gl_wrap(err, "azure");
    if (more != NULL && strlen(more) >= GL_STATEMENT_TOKEN)
        return gl_fail(err, GL_E_BAD_REPLY, "azure: skipToken is none");
    json_array_foreach(rows, i, item)
    {
        if (add_item(item, out, err) != 0)
            return -1;
    }
    json_array_foreach(decisions, i, item)
    {
        if (add_denied(item, out, err) != 0)
            return -1;
    }
    snprintf(next, GL_STATEMENT_TOKEN, "%s", more != NULL ? more : "");
    return 0;
}
