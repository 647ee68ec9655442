/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/cloud/azure.h"

#include <stdlib.h>
#include <string.h>

/* What Azure answers: errors in each other, machines, sizes, prices, snapshots, pages, and settings
 * that name places. The first byte says which reader gets the rest. What is accepted keeps its
 * promises. */

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void demand(bool holds)
{
    if (!holds)
        abort();
}

static void read_errors(char *text, size_t length)
{
    struct gl_http_reply reply = {.status = 409, .body = text, .body_length = length};
    struct gl_remote_word word = {0};
    enum gl_reach reach;
    bool is_read = gl_azure_read_error(&reply, &word);

    demand(memchr(word.word, '\0', sizeof word.word) != NULL);
    demand(memchr(word.text, '\0', sizeof word.text) != NULL);
    demand(is_read || word.word[0] == '\0');
    demand(gl_remote_code(gl_azure_rules, 409, word.word, word.text, &reach) != GL_OK);
}

static void read_machine(const json_t *value)
{
    struct gl_instance seen;
    struct gl_azure_id parts;
    struct gl_error err = {0};

    if (!gl_azure_read_vm(value, &seen))
        return;
    demand(strlen(seen.token) == 64 && seen.launch_id[0] != '\0');
    demand(memchr(seen.type, '\0', sizeof seen.type) != NULL);
    demand(strchr(seen.region, '/') == NULL);
    if (gl_azure_id_read(seen.id, &parts, &err) == 0)
        demand(strpbrk(parts.name, "/?#%") == NULL && parts.group[0] != '\0');
}

static void read_offers(const json_t *value)
{
    struct gl_catalog_row row;
    struct gl_azure_price_row price;

    if (gl_azure_read_sku(value, "swedencentral", &row)) {
        demand(row.type[0] != '\0' && memchr(row.type, '\0', sizeof row.type) != NULL);
        demand(row.price_u_usd == GL_UNKNOWN && gl_azure_is_plain(row.type));
    }
    if (gl_azure_read_price(value, &price))
        demand(price.u_usd > 0 && price.u_usd <= 1000000000 && price.type[0] != '\0');
}

static void read_rest(const json_t *value)
{
    struct gl_cloud_image image = {.bytes = GL_UNKNOWN};
    struct gl_error err = {0};
    const char *next = NULL;

    gl_azure_read_snapshot(value, &image);
    demand(image.bytes == GL_UNKNOWN || image.bytes > 0);
    if (gl_azure_next(value, "nextLink", "https://management.azure.com", &next, &err) > 0)
        demand(strncasecmp(next, "https://management.azure.com", 28) == 0 &&
               (next[28] == '\0' || strchr("/?#:", next[28]) != NULL));
    gl_azure_allows(value, "Microsoft.Compute/virtualMachines/write");
}

static void read_names(const char *text)
{
    char out[64], region[40];

    if (gl_azure_of_region(text, "swedencentral", out, sizeof out))
        demand(out[0] != '\0');
    gl_azure_location(text, region);
    demand(strchr(region, ' ') == NULL);
    if (gl_azure_path_part(text, "resourceGroups", out, sizeof out))
        demand(strchr(out, '/') == NULL && out[0] != '\0');
    gl_azure_is_arm(text);
    if (gl_azure_is_same_origin("https://a.b", text))
        demand(strpbrk(text, "/?#") != NULL && strncasecmp(text + 8, "a.b", 3) == 0);
    gl_azure_is_authority(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    GL_AUTO(gl_auto_json) json_t *value = NULL;
    struct gl_error err = {0};
    char *text;

    if (size == 0)
        return 0;
    text = gl_alloc(size);
    memcpy(text, bytes + 1, size - 1);
    if (bytes[0] == 'e')
        read_errors(text, size - 1);
    else if (bytes[0] == 'n')
        read_names(text);
    else if ((value = gl_json_parse(text, size - 1, "input", &err)) != NULL) {
        read_machine(value);
        read_offers(value);
        read_rest(value);
    }
    free(text);
    return 0;
}
