/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/demand_table.h"

#include <stdio.h>
#include <string.h>

const char *const gl_demand_kind_words[] = {"refuse", "later",  "unknown", "move",
                                            "pause",  "breach", NULL};
const char *const gl_capability_words[] = {"green-offer", "hourly-evidence", "stated-bounds",
                                           "forecast",    "instance-power",  "public-price",
                                           "grid-place",  "green-capacity",  NULL};
const char *const gl_instead_words[] = {"nothing", "waited", "moved", "paused",
                                        "stopped", "ran-on", NULL};

/* ---- what may stand in a signal ---- */

#define WANTED_MAX_MS INT64_C(1000000000000000) /* 31,700 years of instances */
#define LOST_MAX_MS   INT64_C(100000000000000)  /* below 2^48 */
#define EXTRA_MAX_UG  INT64_C(1000000000000000) /* 1,000 t */
#define FAR_MS        INT64_C(253402300800000)  /* the year 10000 */

static int not_allowed(const char *member, struct gl_error *err)
{
    return gl_fail(err, GL_E_BAD_VALUE, "demand signal: its %s may not stand there", member);
}

static bool is_between(int64_t number, int64_t low, int64_t high)
{
    return number >= low && number <= high;
}

static bool is_known_between(int64_t number, int64_t low, int64_t high)
{
    return number == GL_UNKNOWN || is_between(number, low, high);
}

static bool ends(const char *text, size_t size)
{
    return memchr(text, '\0', size) != NULL;
}

/* Every text ends within its member. */
static bool all_end(const struct gl_demand *demand)
{
    return ends(demand->provider, sizeof demand->provider) &&
           ends(demand->region, sizeof demand->region) &&
           ends(demand->family, sizeof demand->family) && ends(demand->rule, sizeof demand->rule) &&
           ends(demand->instead_region, sizeof demand->instead_region) &&
           ends(demand->launch_key, sizeof demand->launch_key);
}

static bool may_be_region(const char *provider, const char *region)
{
    const struct gl_demand_provider *row = gl_demand_provider(provider);

    return row != NULL && (region[0] == '\0' || gl_demand_has_shape(row->regions, region));
}

/* "" or "aws/eu-north-1", of where it was moved to only. */
static bool may_be_instead(const struct gl_demand *demand)
{
    const char *slash = strchr(demand->instead_region, '/');
    char provider[GL_DEMAND_NAME];

    if (demand->instead_region[0] == '\0')
        return true;
    if (slash == NULL || demand->instead != GL_INSTEAD_MOVED)
        return false;
    snprintf(provider, sizeof provider, "%.*s", (int)(slash - demand->instead_region),
             demand->instead_region);
    return may_be_region(provider, slash + 1);
}

/* What makes the fingerprint. */
static int check_case(const struct gl_demand *demand, struct gl_error *err)
{
    if (gl_demand_provider(demand->provider) == NULL)
        return not_allowed("provider", err);
    if (!may_be_region(demand->provider, demand->region))
        return not_allowed("region", err);
    if (!gl_demand_is_rule(demand->rule))
        return not_allowed("rule", err);
    return 0;
}

static bool may_be_family(const char *provider, const char *family)
{
    const struct gl_demand_provider *row;

    if (family[0] == '\0')
        return true;
    row = gl_demand_provider(provider);
    return row != NULL && gl_demand_has_shape(row->families, family);
}

static bool is_launch_key(const char *text)
{
    size_t i = 0;

    while ((text[i] >= '0' && text[i] <= '9') || (text[i] >= 'a' && text[i] <= 'f'))
        i++;
    return i == GL_DEMAND_KEY && text[i] == '\0';
}

static int check_texts(const struct gl_demand *demand, struct gl_error *err)
{
    if (!may_be_family(demand->provider, demand->family))
        return not_allowed("family", err);
    if (!may_be_instead(demand))
        return not_allowed("instead_region", err);
    if (!is_launch_key(demand->launch_key))
        return not_allowed("launch_key", err);
    return 0;
}

static int check_words(const struct gl_demand *demand, struct gl_error *err)
{
    if (!is_between((int64_t)demand->kind, 0, GL_DEMAND_KINDS - 1))
        return not_allowed("kind", err);
    if (!is_between((int64_t)demand->capability, 0, GL_CAPABILITIES - 1))
        return not_allowed("capability", err);
    if (!is_between((int64_t)demand->instead, 0, GL_INSTEADS - 1))
        return not_allowed("instead", err);
    if (!is_between((int64_t)demand->grade, GL_GRADE_A, GL_GRADE_E))
        return not_allowed("grade", err);
    if (!is_between(demand->key, 0, GL_KEYS))
        return not_allowed("key", err);
    return 0;
}

static int check_numbers(const struct gl_demand *demand, struct gl_error *err)
{
    bool has_limit = demand->limit_u != GL_UNKNOWN || demand->found_u != GL_UNKNOWN;

    if (has_limit && !gl_demand_tells((enum gl_key_id)demand->key))
        return not_allowed("limit", err);
    if (!is_between(demand->wanted_ms, 0, WANTED_MAX_MS))
        return not_allowed("wanted_ms", err);
    if (!is_between(demand->gpu_ms, 0, WANTED_MAX_MS))
        return not_allowed("gpu_ms", err);
    if (!is_known_between(demand->lost_ms, 0, LOST_MAX_MS))
        return not_allowed("lost_ms", err);
    if (!is_known_between(demand->extra_ug, -EXTRA_MAX_UG, EXTRA_MAX_UG))
        return not_allowed("extra_ug", err);
    if (!is_between(demand->at_ms, 0, FAR_MS))
        return not_allowed("at_ms", err);
    return 0;
}

int gl_demand_check_ends(const struct gl_demand *demand, struct gl_error *err)
{
    return all_end(demand) ? 0 : not_allowed("text", err);
}

int gl_demand_check_rest(const struct gl_demand *demand, struct gl_error *err)
{
    if (check_words(demand, err) != 0 || check_texts(demand, err) != 0)
        return -1;
    return check_numbers(demand, err);
}

int gl_demand_check(const struct gl_demand *demand, struct gl_error *err)
{
    if (gl_demand_check_ends(demand, err) != 0 || check_case(demand, err) != 0)
        return -1;
    return gl_demand_check_rest(demand, err);
}

/* ---- what is missing ---- */

bool gl_demand_capability(enum gl_gap gap, enum gl_capability *out)
{
    static const struct {
        enum gl_gap gap;
        enum gl_capability capability;
    } rows[] = {
        {GL_GAP_NONE, GL_CAPABILITY_GREEN},      {GL_GAP_MISSING, GL_CAPABILITY_HOURLY},
        {GL_GAP_STALE, GL_CAPABILITY_HOURLY},    {GL_GAP_GRADE, GL_CAPABILITY_HOURLY},
        {GL_GAP_COVERAGE, GL_CAPABILITY_HOURLY}, {GL_GAP_SUSPECT, GL_CAPABILITY_HOURLY},
        {GL_GAP_MEANING, GL_CAPABILITY_HOURLY},  {GL_GAP_FUTURE, GL_CAPABILITY_HOURLY},
        {GL_GAP_NO_BOUND, GL_CAPABILITY_BOUNDS}, {GL_GAP_CONFLICT, GL_CAPABILITY_HOURLY},
        {GL_GAP_PRICE, GL_CAPABILITY_PRICE},     {GL_GAP_NOT_HOURLY, GL_CAPABILITY_HOURLY},
        {GL_GAP_POWER, GL_CAPABILITY_POWER},     {GL_GAP_MARKET, GL_CAPABILITY_HOURLY},
        {GL_GAP_ISSUES, GL_CAPABILITY_FORECAST}, {GL_GAP_HORIZON, GL_CAPABILITY_FORECAST},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (rows[i].gap == gap) {
            *out = rows[i].capability;
            return true;
        }
    return false;
}

/* ---- what signals of one case have in common ---- */

void gl_demand_fingerprint(const struct gl_demand *demand, char out[GL_HASH_HEX])
{
    const char *const members[] = {demand->provider, gl_demand_area(demand->provider),
                                   gl_capability_words[demand->capability], demand->region,
                                   demand->rule};
    struct gl_hasher hasher;
    struct gl_hash hash;

    gl_hasher_init(&hasher);
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++)
        gl_hasher_add(&hasher, members[i], strlen(members[i]) + 1);
    gl_hasher_end(&hasher, &hash);
    gl_hash_hex(&hash, out);
}

void gl_demand_id(const char *fingerprint, char out[GL_DEMAND_ID])
{
    snprintf(out, GL_DEMAND_ID, "GL-%.8s", fingerprint);
}

/* ---- thresholds and rounding ---- */

static int64_t at_least(int64_t asked, int64_t standard, int64_t least)
{
    if (asked == 0)
        return standard;
    return asked < least ? least : asked;
}

/* A rule of words alone limits no figure: nothing a provider could be greener by. */
bool gl_demand_is_own(const struct gl_demand *demand)
{
    return demand->capability == GL_CAPABILITY_GREEN && strchr(demand->rule, '=') == NULL;
}

bool gl_cluster_is_due(const struct gl_cluster *cluster,
                       const struct gl_demand_threshold *threshold)
{
    static const struct gl_demand_threshold standard = {0, 0};
    const struct gl_demand_threshold *asked = threshold != NULL ? threshold : &standard;
    int64_t launches = cluster->launches > cluster->refused ? cluster->launches : cluster->refused;

    if (cluster->first != NULL && gl_demand_is_own(cluster->first))
        return false;
    return launches >= at_least(asked->refused, 5, 2) &&
           cluster->days >= at_least(asked->days, 3, 1);
}

void gl_demand_round(int64_t count, int64_t *low, int64_t *high)
{
    int64_t power = 1, first;

    *low = *high = 0;
    if (count <= 0)
        return;
    while (count / power >= 10)
        power *= 10;
    first = count / power;
    *low = (first >= 5 ? 5 : first >= 2 ? 2 : 1) * power;
    first = first >= 5 ? 10 : first >= 2 ? 5 : 2;
    *high = power <= INT64_MAX / first ? first * power : INT64_MAX;
}
