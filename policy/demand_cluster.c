/* SPDX-License-Identifier: Apache-2.0 */
/* Signals to clusters: open addressing throughout. Clusters are found by a fast hash of what they
 * have in common and told apart by comparing it; the launches and days of all clusters stand in two
 * sets of 64-bit words that hold cluster and value whole, so that nothing is estimated. */
#include "policy/demand_table.h"

#include <stdlib.h>
#include <string.h>

#include "base/mix.h"

#define DAY_MS INT64_C(86400000)

/* ---- sets of words; 0 is an empty slot ---- */

struct set {
    uint64_t *slots;
    size_t capacity, used; /* filled to three quarters at most */
};

/* Ten times doubled it holds a million, and little more. */
#define FIRST_CAPACITY 1365

/* A word: cluster number plus one, a mark that is no part of its identity, 48 bits of value. */
#define VALUE_BITS 48
#define MARK       (UINT64_C(1) << 49)
#define NUMBER_AT  50
_Static_assert(GL_CLUSTERS_MAX < (1 << 14) - 1, "a cluster's number has 14 bits");
_Static_assert(GL_DEMAND_KEY * 4 == VALUE_BITS, "a launch key is a whole value");

static uint64_t word_of(size_t number, uint64_t value)
{
    return (uint64_t)(number + 1) << NUMBER_AT | value;
}

/* Where a word is looked for first: its hash as a share of the capacity, which is no power of two.
 */
static size_t home_of(const struct set *set, uint64_t word)
{
    return (size_t)((gl_mix(word) >> 32) * set->capacity >> 32);
}
_Static_assert(GL_CLUSTER_SIGNALS_MAX * 2 < UINT32_MAX, "a capacity has 32 bits");

static uint64_t *slot_of(const struct set *set, uint64_t word)
{
    size_t i = home_of(set, word);

    while (set->slots[i] != 0 && (set->slots[i] & ~MARK) != word)
        i = i + 1 < set->capacity ? i + 1 : 0;
    return &set->slots[i];
}

static void make_room(struct set *set)
{
    struct set old = *set;

    if (old.used < old.capacity / 4 * 3)
        return;
    set->capacity = old.capacity > 0 ? old.capacity * 2 : FIRST_CAPACITY;
    set->slots = gl_alloc(set->capacity * sizeof *set->slots);
    for (size_t i = 0; i < old.capacity; i++)
        if (old.slots[i] != 0)
            *slot_of(set, old.slots[i] & ~MARK) = old.slots[i];
    free(old.slots);
}

/* The slot of the word; *out_is_new: it was not there before. */
static uint64_t *put(struct set *set, uint64_t word, bool *out_is_new)
{
    uint64_t *slot;

    make_room(set);
    slot = slot_of(set, word);
    *out_is_new = *slot == 0;
    if (*out_is_new) {
        *slot = word;
        set->used++;
    }
    return slot;
}

/* ---- clusters ---- */

/* Saved and extra apart: each grows only, so that whether they fit does not depend on order. */
struct sums {
    int64_t wanted_ms, gpu_ms, lost_ms, extra_ug, saved_ug;
};

/* Where a case is found. */
struct entry {
    uint32_t number; /* of its cluster plus one; 0 = empty */
    uint32_t mark;   /* of its hash: others are told apart without looking at them */
};

struct gl_clustering {
    struct gl_cluster *clusters;
    struct gl_demand *firsts;
    struct sums *sums;
    size_t count, capacity;
    struct entry *index;
    size_t index_capacity;
    struct set launches, days;
    uint64_t *lost; /* word_of(number, milliseconds) of every time lost */
    size_t lost_count, lost_capacity;
    struct gl_cluster *sorted;
    int64_t signals;
};

struct gl_clustering *gl_clustering_new(void)
{
    struct gl_clustering *clustering = gl_alloc(sizeof *clustering);

    clustering->index_capacity = (size_t)1 << 15;
    clustering->index = gl_alloc(clustering->index_capacity * sizeof *clustering->index);
    return clustering;
}
_Static_assert(GL_CLUSTERS_MAX <= (1 << 15) / 2, "the index stays half empty");

void gl_clustering_free(struct gl_clustering *clustering)
{
    if (clustering == NULL)
        return;
    free(clustering->clusters);
    free(clustering->firsts);
    free(clustering->sums);
    free(clustering->index);
    free(clustering->launches.slots);
    free(clustering->days.slots);
    free(clustering->lost);
    free(clustering->sorted);
    free(clustering);
}

/* Eight bytes at a time; the length keeps apart what ends within them. */
static uint64_t add_text(uint64_t hash, const char *text)
{
    size_t length = strlen(text);
    uint64_t word;

    hash = gl_mix(hash ^ length);
    for (; length >= sizeof word; length -= sizeof word, text += sizeof word) {
        memcpy(&word, text, sizeof word);
        hash = (hash ^ word) * UINT64_C(0x9e3779b97f4a7c15);
        hash ^= hash >> 32;
    }
    word = 0;
    memcpy(&word, text, length);
    return gl_mix(hash ^ word);
}

static uint64_t hash_of(const struct gl_demand *demand)
{
    uint64_t hash = (uint64_t)demand->capability;

    return add_text(add_text(add_text(hash, demand->provider), demand->region), demand->rule);
}

static bool is_alike(const struct gl_demand *a, const struct gl_demand *b)
{
    return a->capability == b->capability && strcmp(a->provider, b->provider) == 0 &&
           strcmp(a->region, b->region) == 0 && strcmp(a->rule, b->rule) == 0;
}

/* Of what is no key nothing comes that is used: it is refused later. */
static uint64_t key_value(const struct gl_demand *demand)
{
    uint64_t value = 0;

    for (const char *at = demand->launch_key; *at != '\0'; at++)
        value = value << 4 | (uint64_t)(*at <= '9' ? *at - '0' : *at - 'a' + 10);
    return value;
}

static uint64_t day_of(const struct gl_demand *demand)
{
    return (uint64_t)(demand->at_ms / DAY_MS);
}

static const uint64_t *place_of(const struct set *set, uint64_t word)
{
    return set->capacity > 0 ? &set->slots[home_of(set, word)] : NULL;
}

/* All that a signal of that cluster will touch lies far apart and is asked of memory at once: it
 * would be waited for piece by piece. */
static void warm(const struct gl_clustering *clustering, size_t number,
                 const struct gl_demand *demand)
{
    const struct gl_demand *first = &clustering->firsts[number];
    const struct gl_cluster *cluster = &clustering->clusters[number];

    __builtin_prefetch(first->region);
    __builtin_prefetch(first->rule);
    __builtin_prefetch(first->rule + 64);
    __builtin_prefetch(&clustering->sums[number]);
    __builtin_prefetch(&cluster->signals);
    __builtin_prefetch(cluster->by_instead);
    __builtin_prefetch(&cluster->worst_found_u);
    __builtin_prefetch(place_of(&clustering->launches, word_of(number, key_value(demand))));
    __builtin_prefetch(place_of(&clustering->days, word_of(number, day_of(demand))));
}

static struct entry *index_of(const struct gl_clustering *clustering,
                              const struct gl_demand *demand)
{
    const uint64_t hash = hash_of(demand);
    const uint32_t mark = (uint32_t)(hash >> 32);
    size_t i = (size_t)hash & (clustering->index_capacity - 1);

    for (;; i = (i + 1) & (clustering->index_capacity - 1)) {
        struct entry *entry = &clustering->index[i];

        if (entry->number != 0 && entry->mark != mark)
            continue;
        if (entry->number != 0)
            warm(clustering, entry->number - 1, demand);
        if (entry->number == 0 || is_alike(&clustering->firsts[entry->number - 1], demand)) {
            entry->mark = mark;
            return entry;
        }
    }
}

static void grow(struct gl_clustering *clustering)
{
    size_t capacity = clustering->capacity > 0 ? clustering->capacity * 2 : 64;

    if (clustering->count < clustering->capacity)
        return;
    if (capacity > GL_CLUSTERS_MAX)
        capacity = GL_CLUSTERS_MAX;
    clustering->clusters =
        gl_realloc(clustering->clusters, capacity * sizeof *clustering->clusters);
    clustering->firsts = gl_realloc(clustering->firsts, capacity * sizeof *clustering->firsts);
    clustering->sums = gl_realloc(clustering->sums, capacity * sizeof *clustering->sums);
    clustering->capacity = capacity;
}

static size_t add_cluster(struct gl_clustering *clustering, const struct gl_demand *demand)
{
    size_t number = clustering->count;
    struct gl_cluster *cluster;

    grow(clustering);
    cluster = &clustering->clusters[number];
    *cluster = (struct gl_cluster){
        .median_lost_ms = GL_UNKNOWN,
        .found_key = GL_KEYS,
        .worst_found_u = GL_UNKNOWN,
        .best_found_u = GL_UNKNOWN,
        .from_ms = demand->at_ms,
        .until_ms = demand->at_ms,
        .worst_grade = demand->grade,
    };
    gl_demand_fingerprint(demand, cluster->fingerprint);
    clustering->firsts[number] = *demand;
    clustering->sums[number] = (struct sums){0};
    clustering->count++;
    return number;
}

/* ---- adding ---- */

static int64_t known(int64_t number)
{
    return number != GL_UNKNOWN ? number : 0;
}

/* false: one of the sums does not fit. */
static bool add_sums(const struct sums *sums, const struct gl_demand *demand, struct sums *out)
{
    int64_t extra = known(demand->extra_ug);

    return !__builtin_add_overflow(sums->wanted_ms, demand->wanted_ms, &out->wanted_ms) &&
           !__builtin_add_overflow(sums->gpu_ms, demand->gpu_ms, &out->gpu_ms) &&
           !__builtin_add_overflow(sums->lost_ms, known(demand->lost_ms), &out->lost_ms) &&
           !__builtin_add_overflow(sums->extra_ug, extra > 0 ? extra : 0, &out->extra_ug) &&
           !__builtin_add_overflow(sums->saved_ug, extra < 0 ? -extra : 0, &out->saved_ug);
}

static bool is_refused(const struct gl_demand *demand)
{
    return demand->kind == GL_DEMAND_REFUSE || demand->kind == GL_DEMAND_LATER ||
           demand->kind == GL_DEMAND_UNKNOWN;
}

static void count_launch(struct gl_clustering *clustering, size_t number,
                         const struct gl_demand *demand)
{
    struct gl_cluster *cluster = &clustering->clusters[number];
    bool is_new;
    uint64_t *slot = put(&clustering->launches, word_of(number, key_value(demand)), &is_new);

    cluster->launches += is_new;
    if (!is_refused(demand) || (*slot & MARK) != 0)
        return;
    *slot |= MARK;
    cluster->refused++;
}

static void note_lost(struct gl_clustering *clustering, size_t number, int64_t lost_ms)
{
    if (lost_ms == GL_UNKNOWN || lost_ms == 0)
        return;
    if (clustering->lost_count == clustering->lost_capacity) {
        clustering->lost_capacity =
            clustering->lost_capacity > 0 ? clustering->lost_capacity * 2 : 1024;
        clustering->lost =
            gl_realloc(clustering->lost, clustering->lost_capacity * sizeof *clustering->lost);
    }
    clustering->lost[clustering->lost_count++] = word_of(number, (uint64_t)lost_ms);
}

static void note_found(struct gl_cluster *cluster, const struct gl_demand *demand)
{
    size_t count;
    bool high_is_bad;

    if (demand->found_u == GL_UNKNOWN || demand->key > cluster->found_key)
        return;
    if (demand->key < cluster->found_key) {
        cluster->found_key = demand->key;
        cluster->worst_found_u = cluster->best_found_u = demand->found_u;
        return;
    }
    high_is_bad = gl_keys(&count)[demand->key].direction == GL_TIGHTER_DOWN;
    if ((demand->found_u > cluster->worst_found_u) == high_is_bad)
        cluster->worst_found_u = demand->found_u;
    if ((demand->found_u < cluster->best_found_u) == high_is_bad)
        cluster->best_found_u = demand->found_u;
}

static int order_numbers(int64_t a, int64_t b)
{
    return (a > b) - (a < b);
}

/* Which of two signals stands for all, the same in any order: what differs decides. */
static int order_signals(const struct gl_demand *a, const struct gl_demand *b)
{
    const int64_t left[] = {a->at_ms,   a->kind,    a->instead,  a->key,
                            a->limit_u, a->found_u, a->grade,    a->wanted_ms,
                            a->gpu_ms,  a->lost_ms, a->extra_ug, a->is_demo};
    const int64_t right[] = {b->at_ms,   b->kind,    b->instead,  b->key,
                             b->limit_u, b->found_u, b->grade,    b->wanted_ms,
                             b->gpu_ms,  b->lost_ms, b->extra_ug, b->is_demo};
    int order = order_numbers(left[0], right[0]);

    if (order == 0)
        order = strcmp(a->launch_key, b->launch_key);
    if (order == 0)
        order = strcmp(a->family, b->family);
    if (order == 0)
        order = strcmp(a->instead_region, b->instead_region);
    for (size_t i = 1; order == 0 && i < sizeof left / sizeof left[0]; i++)
        order = order_numbers(left[i], right[i]);
    return order;
}

static void take(struct gl_clustering *clustering, size_t number, const struct gl_demand *demand)
{
    struct gl_cluster *cluster = &clustering->clusters[number];
    bool is_new;

    cluster->signals++;
    cluster->by_kind[demand->kind]++;
    cluster->by_instead[demand->instead]++;
    cluster->lost_known += demand->lost_ms != GL_UNKNOWN;
    cluster->extra_known += demand->extra_ug != GL_UNKNOWN;
    count_launch(clustering, number, demand);
    put(&clustering->days, word_of(number, day_of(demand)), &is_new);
    cluster->days += is_new;
    note_lost(clustering, number, demand->lost_ms);
    note_found(cluster, demand);
    if (demand->at_ms < cluster->from_ms)
        cluster->from_ms = demand->at_ms;
    if (demand->at_ms > cluster->until_ms)
        cluster->until_ms = demand->at_ms;
    if (demand->grade > cluster->worst_grade)
        cluster->worst_grade = demand->grade;
    if (demand->at_ms == cluster->from_ms && order_signals(demand, &clustering->firsts[number]) < 0)
        clustering->firsts[number] = *demand;
}

/* Is there room for one more, of a case that is new or not? */
static int check_room(const struct gl_clustering *clustering, bool is_new, struct gl_error *err)
{
    if (clustering->signals == GL_CLUSTER_SIGNALS_MAX)
        return gl_fail(err, GL_E_TOO_LARGE, "more than %lld demand signals at once",
                       (long long)GL_CLUSTER_SIGNALS_MAX);
    if (is_new && clustering->count == GL_CLUSTERS_MAX)
        return gl_fail(err, GL_E_TOO_LARGE, "demand signals of more than %d kinds",
                       GL_CLUSTERS_MAX);
    return 0;
}

int gl_clustering_add(struct gl_clustering *clustering, const struct gl_demand *demand,
                      struct gl_error *err)
{
    static const struct sums nothing;
    struct sums sums;
    struct entry *entry;
    bool is_new;

    if (gl_demand_check_ends(demand, err) != 0)
        return -1;
    entry = index_of(clustering, demand);
    is_new = entry->number == 0;
    /* One that is like another in provider, region and rule need not have these checked again. */
    if ((is_new ? gl_demand_check(demand, err) : gl_demand_check_rest(demand, err)) != 0 ||
        check_room(clustering, is_new, err) != 0)
        return -1;
    if (!add_sums(is_new ? &nothing : &clustering->sums[entry->number - 1], demand, &sums))
        return gl_fail(err, GL_E_TOO_LARGE, "the sum of demand signals is too large");
    if (is_new)
        entry->number = (uint32_t)add_cluster(clustering, demand) + 1;
    clustering->sums[entry->number - 1] = sums;
    clustering->signals++;
    take(clustering, entry->number - 1, demand);
    return 0;
}

/* ---- the end ---- */

/* Byte by byte from the lowest, each time keeping the order there was. */
static void sort_words(uint64_t *words, size_t count)
{
    uint64_t *whole = gl_alloc(count * sizeof *whole), *from = words, *to = whole;

    for (unsigned shift = 0; shift < 64; shift += 8) {
        size_t at[256] = {0}, sum = 0;
        uint64_t *was = from;

        for (size_t i = 0; i < count; i++)
            at[from[i] >> shift & 255]++;
        if (at[from[0] >> shift & 255] == count) /* all have the same */
            continue;
        for (size_t digit = 0; digit < 256; digit++) {
            size_t here = at[digit];

            at[digit] = sum;
            sum += here;
        }
        for (size_t i = 0; i < count; i++)
            to[at[from[i] >> shift & 255]++] = from[i];
        from = to;
        to = was;
    }
    if (from != words)
        memcpy(words, from, count * sizeof *words);
    free(whole);
}

/* By their highest byte, within themselves: what is sorted at once afterwards is a part, and needs
 * room for a part. */
static void split_words(uint64_t *words, size_t count, size_t ends[256])
{
    size_t at[256] = {0}, sum = 0;

    for (size_t i = 0; i < count; i++)
        at[words[i] >> 56]++;
    for (size_t top = 0; top < 256; top++) {
        sum += at[top];
        ends[top] = sum;
        at[top] = sum - at[top];
    }
    for (size_t top = 0; top < 256; top++)
        while (at[top] < ends[top]) {
            const size_t here = at[top];
            const uint64_t word = words[here];
            const size_t to = at[word >> 56]++;

            words[here] = words[to];
            words[to] = word;
        }
}

static void sort_lost(struct gl_clustering *clustering)
{
    size_t ends[256], from = 0;

    split_words(clustering->lost, clustering->lost_count, ends);
    for (size_t top = 0; top < 256; from = ends[top++])
        if (ends[top] > from)
            sort_words(clustering->lost + from, ends[top] - from);
}

static int64_t lost_at(const struct gl_clustering *clustering, size_t i)
{
    return (int64_t)(clustering->lost[i] & ((UINT64_C(1) << VALUE_BITS) - 1));
}

/* Sorted, the times of one cluster stand together, the smallest first. */
static void find_medians(struct gl_clustering *clustering)
{
    size_t from = 0, until;

    sort_lost(clustering);
    for (; from < clustering->lost_count; from = until) {
        uint64_t number = clustering->lost[from] >> NUMBER_AT;

        for (until = from;
             until < clustering->lost_count && clustering->lost[until] >> NUMBER_AT == number;
             until++)
            ;
        clustering->clusters[number - 1].median_lost_ms =
            (lost_at(clustering, from + (until - from - 1) / 2) +
             lost_at(clustering, from + (until - from) / 2)) /
            2;
    }
}

static int order_clusters(const void *a, const void *b)
{
    const struct gl_cluster *left = a, *right = b;
    int order = order_numbers(right->refused, left->refused);

    return order != 0 ? order : strcmp(left->fingerprint, right->fingerprint);
}

const struct gl_cluster *gl_clustering_end(struct gl_clustering *clustering, size_t *out_count)
{
    size_t count = clustering->count;

    if (clustering->lost_count > 0)
        find_medians(clustering);
    clustering->sorted =
        gl_realloc(clustering->sorted, (count > 0 ? count : 1) * sizeof *clustering->sorted);
    for (size_t i = 0; i < count; i++) {
        struct gl_cluster *cluster = &clustering->sorted[i];
        const struct sums *sums = &clustering->sums[i];

        *cluster = clustering->clusters[i];
        cluster->first = &clustering->firsts[i];
        cluster->wanted_ms = sums->wanted_ms;
        cluster->gpu_ms = sums->gpu_ms;
        cluster->lost_ms = sums->lost_ms;
        cluster->extra_ug = sums->extra_ug - sums->saved_ug;
    }
    qsort(clustering->sorted, count, sizeof *clustering->sorted, order_clusters);
    *out_count = count;
    return clustering->sorted;
}
