/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/cloud/catalog.h"
#include "providers/cloud/digitalocean.h"
#include "providers/cloud/hetzner.h"
#include "providers/cloud/remote_part.h"
#include "providers/cloud/scaleway.h"

#include <stdlib.h>
#include <string.h>

/* What Hetzner, DigitalOcean and Scaleway answer, and the credential files of their commands: the
 * first byte says which reader gets the rest. What is accepted keeps its promises. */

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void demand(bool holds)
{
    if (!holds)
        abort();
}

static void read_errors(char *text, size_t length)
{
    struct gl_http_reply reply = {.status = 422, .body = text, .body_length = length};
    struct gl_remote_word word = {0};
    enum gl_reach reach;

    gl_hetzner_read_error(&reply, &word);
    demand(gl_remote_code(gl_hetzner_rules, 422, word.word, word.text, &reach) != GL_OK);
    gl_digitalocean_read_error(&reply, &word);
    demand(gl_remote_code(gl_digitalocean_rules, 422, word.word, word.text, &reach) != GL_OK);
    gl_scaleway_read_error(&reply, &word);
    demand(gl_remote_code(gl_scaleway_rules, 422, word.word, word.text, &reach) != GL_OK);
}

static void check_instance(bool is_ours, const struct gl_instance *seen)
{
    if (!is_ours)
        return;
    demand(strlen(seen->token) == 64 && seen->id[0] != '\0' && seen->launch_id[0] != '\0');
    demand(memchr(seen->region, '\0', sizeof seen->region) != NULL);
    demand(memchr(seen->type, '\0', sizeof seen->type) != NULL);
}

static void read_servers(const json_t *value)
{
    struct gl_instance seen;
    struct gl_cloud_image image = {.bytes = GL_UNKNOWN};
    struct gl_error err[2] = {{0}};
    int64_t price = GL_UNKNOWN;

    check_instance(gl_hetzner_read_server(value, &seen), &seen);
    check_instance(gl_digitalocean_read_droplet(value, &seen), &seen);
    check_instance(gl_scaleway_read_server(value, "fr-par-1", &seen), &seen);
    demand(gl_hetzner_read_action(value, &err[0]) >= 0 || err[0].code != GL_OK);
    demand(gl_digitalocean_read_action(value, &err[1]) >= 0 || err[1].code != GL_OK);
    gl_hetzner_read_image(value, "fsn1", &image);
    gl_digitalocean_read_image(value, "fra1", &image);
    gl_hetzner_read_offer(value, "fsn1", "cax11");
    gl_digitalocean_read_offer(value, "fra1", "s", &price);
    demand(price == GL_UNKNOWN || price >= 0);
    gl_scaleway_read_offer(value, "DEV1-S");
    /* What is loose when its server stands is loose when that is gone. */
    demand(!gl_scaleway_is_loose(value, false) || gl_scaleway_is_loose(value, true));
    demand(gl_hetzner_next_page(value) >= 0);
    gl_digitalocean_has_next(value);
}

static void read_catalogues(const json_t *value)
{
    struct gl_catalog *catalog = gl_catalog_new();
    const struct gl_catalog_row *rows;
    size_t count;

    gl_hetzner_read_pricing(value, catalog);
    gl_hetzner_read_types(value, catalog);
    gl_digitalocean_read_sizes(value, catalog);
    gl_scaleway_read_types(value, "fr-par-1", catalog);
    gl_scaleway_read_estimates(value, catalog);
    gl_scaleway_read_stock(value, "fr-par-1", catalog);
    count = gl_catalog_rows(catalog, &rows);
    for (size_t i = 0; i < count; i++) {
        demand(rows[i].price_u_usd == GL_UNKNOWN || rows[i].price_u_usd >= 0);
        demand(rows[i].price_u_own == GL_UNKNOWN || rows[i].price_u_own >= 0);
        demand(rows[i].is_offered_known || !rows[i].is_offered);
    }
    gl_catalog_free(catalog);
}

static void read_config(const char *text)
{
    struct gl_scaleway_profile profile;
    char token[256];

    gl_hetzner_config_token(text, NULL, token);
    gl_digitalocean_config_token(text, NULL, token);
    if (gl_scaleway_config_read(text, NULL, &profile))
        demand(profile.secret_key[0] != '\0');
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct gl_error ignored = {0};
    char *text;
    json_t *value;

    if (size == 0 || size > GL_VPS_CONFIG_CEILING)
        return 0;
    text = gl_alloc(size);
    memcpy(text, bytes + 1, size - 1);
    if (bytes[0] % 3 == 0)
        read_config(text);
    else if (bytes[0] % 3 == 1)
        read_errors(text, size - 1);
    else if ((value = gl_json_parse(text, size - 1, "an answer", &ignored)) != NULL) {
        read_servers(value);
        read_catalogues(value);
        json_decref(value);
    }
    free(text);
    return 0;
}
