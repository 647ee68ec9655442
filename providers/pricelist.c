/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/pricelist.h"

#include "base/file.h"
#include "base/sign.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAGIC     "greenlaunch-prices 4 "
#define NAME_MAX_ 64
#define PRICE_MAX INT64_C(10000000000) /* 10,000 USD an hour */
#define SHARE_MAX 1000000
#define WORD_MAX  15 /* of an architecture, of a cloud */

static char *path_of(const char *folder, const char *cloud)
{
    char name[NAME_MAX_ + 8];

    snprintf(name, sizeof name, "%.*s.tsv", NAME_MAX_, cloud);
    return gl_path_join(folder, name);
}

static void hash_of(struct gl_view head, struct gl_view body, char out[GL_HASH_HEX])
{
    struct gl_hasher hasher;
    struct gl_hash hash;

    gl_hasher_init(&hasher);
    gl_hasher_add(&hasher, head.text, head.length);
    gl_hasher_add(&hasher, body.text, body.length);
    gl_hasher_end(&hasher, &hash);
    gl_hash_hex(&hash, out);
}

/* ---- writing ---- */

static int by_place(const void *a, const void *b)
{
    const struct gl_catalog_row *left = *(const struct gl_catalog_row *const *)a;
    const struct gl_catalog_row *right = *(const struct gl_catalog_row *const *)b;
    int order = strcmp(left->region, right->region);

    return order != 0 ? order : strcmp(left->type, right->type);
}

static bool is_same_place(const struct gl_catalog_row *a, const struct gl_catalog_row *b)
{
    return strcmp(a->region, b->region) == 0 && strcmp(a->type, b->type) == 0;
}

static void take_least(int64_t *into, int64_t price)
{
    if (price != GL_UNKNOWN && (*into == GL_UNKNOWN || price < *into))
        *into = price;
}

static void add_price(struct gl_str *out, int64_t price)
{
    if (price == GL_UNKNOWN || price < 0 || price > PRICE_MAX)
        gl_str_add(out, "\t-");
    else
        gl_str_addf(out, "\t%" PRId64, price);
}

/* A name that would break the lines is no name of a region or type. */
static bool is_plain(const char *name)
{
    return name[0] != '\0' && strpbrk(name, "\t\n\r") == NULL;
}

/* Machines of one name may differ: what counts on the smaller fits in the larger. */
static void take_size(uint32_t *into, uint32_t size)
{
    if (size != 0 && (*into == 0 || size < *into))
        *into = size;
}

/* Of two that differ neither is said. */
static void take_word(char *into, size_t size, const char *word)
{
    if (into[0] == '\0')
        snprintf(into, size, "%s", word);
    else if (strcmp(into, word) != 0)
        snprintf(into, size, GL_CATALOG_MIXED);
}

static void add_number(struct gl_str *out, int64_t number)
{
    add_price(out, number != 0 ? number : GL_UNKNOWN);
}

static void add_word(struct gl_str *out, const char *word)
{
    gl_str_addf(out, "\t%s", is_plain(word) ? word : "-");
}

/* The rows of one place, from *at on. */
static bool add_place(struct gl_str *out, const struct gl_catalog_row *const *rows, size_t count,
                      size_t *at)
{
    const struct gl_catalog_row *first = rows[*at];
    int64_t price = GL_UNKNOWN, spot = GL_UNKNOWN, claim = GL_UNKNOWN, estimate = -1;
    bool is_offered = false, is_known = true;
    struct gl_catalog_row size = {.vcpus = 0};

    for (; *at < count && is_same_place(rows[*at], first); ++*at) {
        take_least(&price, rows[*at]->price_u_usd);
        take_least(&spot, rows[*at]->spot_u_usd);
        take_least(&claim, rows[*at]->cfe_ppm >= 0 ? rows[*at]->cfe_ppm : GL_UNKNOWN);
        if (rows[*at]->estimate_ug > estimate) /* of zones that differ the worst */
            estimate = rows[*at]->estimate_ug;
        is_known = is_known && rows[*at]->is_offered_known;
        take_size(&size.vcpus, rows[*at]->vcpus);
        take_size(&size.memory_mib, rows[*at]->memory_mib);
        take_word(size.arch, sizeof size.arch, rows[*at]->arch);
        take_word(size.host, sizeof size.host, rows[*at]->host);
        is_offered = is_offered || (rows[*at]->is_offered_known && rows[*at]->is_offered);
    }
    if (!is_plain(first->region) || !is_plain(first->type))
        return false;
    gl_str_addf(out, "%s\t%s", first->region, first->type);
    add_price(out, price);
    add_price(out, spot);
    gl_str_addf(out, "\t%s", is_offered ? "1" : is_known ? "0" : "-");
    add_price(out, claim <= SHARE_MAX ? claim : GL_UNKNOWN);
    add_price(out, estimate);
    add_number(out, size.vcpus);
    add_number(out, size.memory_mib);
    add_word(out, size.arch);
    add_word(out, size.host);
    gl_str_add_char(out, '\n');
    return true;
}

int gl_pricelist_write(const char *folder, const char *cloud,
                       const struct gl_pricelist_asked *asked, struct gl_error *err)
{
    size_t count = asked->count, written = 0;
    GL_AUTO(gl_auto_free) const struct gl_catalog_row **order = NULL;
    GL_AUTO(gl_auto_free) char *path = path_of(folder, cloud);
    GL_AUTO(gl_str_done) struct gl_str body = {0}, whole = {0};
    char hex[GL_HASH_HEX];

    order = gl_alloc((count + 1) * sizeof *order);
    for (size_t i = 0; i < count; i++)
        order[i] = &asked->rows[i];
    qsort(order, count, sizeof *order, by_place);
    for (size_t at = 0; at < count;)
        written += add_place(&body, order, count, &at);
    gl_str_addf(&whole, MAGIC "%s %" PRId64 " %zu ", cloud, asked->retrieved_s, written);
    hash_of((struct gl_view){whole.text, whole.length},
            (struct gl_view){gl_str_text(&body), body.length}, hex);
    gl_str_addf(&whole, "%s\n", hex);
    gl_str_add_bytes(&whole, gl_str_text(&body), body.length);
    if (gl_dir_make(folder, err) != 0 ||
        gl_file_write(path, whole.text, whole.length, 0600, err) != 0)
        return gl_wrap(err, "cannot keep the prices of %s", cloud);
    return 0;
}

/* ---- reading ---- */

/* The next field of a line, ended in place; NULL when there is none. */
static char *field(char **at, char end)
{
    char *start = *at, *stop = start != NULL ? strchr(start, end) : NULL;

    if (stop == NULL)
        return NULL;
    *stop = '\0';
    *at = stop + 1;
    return start;
}

static bool number(const char *text, int64_t *out)
{
    if (strcmp(text, "-") == 0) {
        *out = GL_UNKNOWN;
        return true;
    }
    if (text[0] == '\0' || strlen(text) > 11 || text[strspn(text, "0123456789")] != '\0')
        return false;
    *out = strtoll(text, NULL, 10);
    return *out <= PRICE_MAX;
}

static bool size(const char *text, uint32_t *out)
{
    int64_t value;

    if (!number(text, &value) || value > UINT32_MAX || value == 0)
        return false;
    *out = value == GL_UNKNOWN ? 0 : (uint32_t)value;
    return true;
}

static bool word(const char *text, const char **out)
{
    *out = strcmp(text, "-") == 0 ? "" : text;
    return text[0] != '\0' && strlen(text) <= WORD_MAX;
}

static bool read_row(char **at, struct gl_pricelist_row *out)
{
    const char *price, *spot, *offered, *claim, *estimate, *vcpus, *memory, *arch, *host;

    out->region = field(at, '\t');
    out->type = field(at, '\t');
    price = field(at, '\t');
    spot = field(at, '\t');
    offered = field(at, '\t');
    claim = field(at, '\t');
    estimate = field(at, '\t');
    vcpus = field(at, '\t');
    memory = field(at, '\t');
    arch = field(at, '\t');
    host = field(at, '\n');
    if (host == NULL || !number(price, &out->price_u_usd) || !number(spot, &out->spot_u_usd) ||
        !number(claim, &out->cfe_ppm) || (out->cfe_ppm != GL_UNKNOWN && out->cfe_ppm > SHARE_MAX) ||
        !number(estimate, &out->estimate_ug) || !size(vcpus, &out->vcpus) ||
        !size(memory, &out->memory_mib) || !word(arch, &out->arch) || !word(host, &out->host))
        return false;
    out->is_withdrawn = strcmp(offered, "0") == 0;
    return out->is_withdrawn || strcmp(offered, "1") == 0 || strcmp(offered, "-") == 0;
}

static int by_name(const struct gl_pricelist_row *row, const char *region, const char *type)
{
    int order = strcmp(row->region, region);

    return order != 0 ? order : strcmp(row->type, type);
}

static bool read_rows(char *at, struct gl_pricelist *out)
{
    for (size_t i = 0; i < out->count; i++)
        if (!read_row(&at, &out->rows[i]) ||
            (i > 0 && by_name(&out->rows[i - 1], out->rows[i].region, out->rows[i].type) >= 0))
            return false;
    return *at == '\0';
}

/* The line before the rows; *at is where they begin. */
static bool read_head(struct gl_pricelist *out, size_t length, const char *cloud, char **at)
{
    char name[NAME_MAX_ + 1] = "", sha256[GL_HASH_HEX] = "", hex[GL_HASH_HEX];
    char *end = strchr(out->text, '\n');
    int used = 0;

    if (end == NULL ||
        sscanf(out->text, MAGIC "%64s %" SCNd64 " %zu %64s%n", name, &out->retrieved_s, &out->count,
               sha256, &used) != 4 ||
        out->text + used != end || strlen(sha256) != GL_HASH_HEX - 1 || strcmp(name, cloud) != 0 ||
        out->count > GL_CATALOG_ROWS)
        return false;
    *at = end + 1;
    hash_of((struct gl_view){out->text, (size_t)(end - out->text) - (GL_HASH_HEX - 1)},
            (struct gl_view){*at, length - (size_t)(*at - out->text)}, hex);
    return strcmp(hex, sha256) == 0;
}

bool gl_pricelist_read(const char *folder, const char *cloud, int64_t now_s,
                       struct gl_pricelist *out)
{
    GL_AUTO(gl_auto_free) char *path = path_of(folder, cloud);
    struct gl_error ignored = {0};
    size_t length;
    char *at;

    *out = (struct gl_pricelist){0};
    if (gl_file_read(path, GL_PRICELIST_MAX_BYTES, &out->text, &length, &ignored) != 0)
        return false;
    if (read_head(out, length, cloud, &at) && out->retrieved_s <= now_s &&
        now_s - out->retrieved_s <= GL_PRICELIST_MAX_AGE_S) {
        out->rows = gl_alloc((out->count + 1) * sizeof *out->rows);
        if (read_rows(at, out))
            return true;
    }
    gl_pricelist_done(out);
    return false;
}

const struct gl_pricelist_row *gl_pricelist_find(const struct gl_pricelist *list,
                                                 const char *region, const char *type)
{
    size_t low = 0, high = list->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = by_name(&list->rows[middle], region, type);

        if (order == 0)
            return &list->rows[middle];
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

int64_t gl_pricelist_claim(const struct gl_pricelist *list, const char *region, const char *type)
{
    const struct gl_pricelist_row *row = gl_pricelist_find(list, region, type);

    if (row == NULL || row->cfe_ppm == GL_UNKNOWN)
        row = gl_pricelist_find(list, region, GL_CATALOG_REGION);
    return row != NULL ? row->cfe_ppm : GL_UNKNOWN;
}

int64_t gl_pricelist_estimate(const struct gl_pricelist *list, const char *region, const char *type)
{
    const struct gl_pricelist_row *row = gl_pricelist_find(list, region, type);

    return row != NULL ? row->estimate_ug : GL_UNKNOWN;
}

void gl_pricelist_done(struct gl_pricelist *list)
{
    free(list->rows);
    free(list->text);
    *list = (struct gl_pricelist){0};
}
