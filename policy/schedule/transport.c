/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/schedule/transport.h"

#include <string.h>

/* Successive shortest paths on the bipartite graph of origins and places. Potentials keep reduced
 * costs at least 0, so every search is a dense Dijkstra, O(R^2); after it, all paths of reduced
 * cost 0 are filled before the next search. */

#define FAR       (INT64_MAX / 4)
#define MOST_COST ((int64_t)1 << 40)
#define MOST_LOAD ((int64_t)1 << 40)
#define NOBODY    SIZE_MAX

/* Nodes: origins first, then places. */
struct flow {
    const struct gl_transport *problem;
    int64_t *on;              /* flow[origin * places + place] */
    int64_t *rest, *room;     /* load not placed yet, capacity not used yet */
    int64_t *potential, *far; /* of all nodes */
    bool *is_done;            /* Dijkstra: final; filling: seen */
    size_t *next;             /* filling: the neighbour to try next */
    size_t *trail;
};

static bool is_allowed(const struct flow *flow, size_t origin, size_t place)
{
    return flow->problem->cost[origin * flow->problem->places + place] != GL_TRANSPORT_BARRED;
}

static int64_t reduced(const struct flow *flow, size_t origin, size_t place)
{
    return flow->problem->cost[origin * flow->problem->places + place] + flow->potential[origin] -
           flow->potential[flow->problem->origins + place];
}

static size_t nearest(const struct flow *flow)
{
    const size_t nodes = flow->problem->origins + flow->problem->places;
    size_t best = NOBODY;

    for (size_t i = 0; i < nodes; i++)
        if (!flow->is_done[i] && flow->far[i] < FAR &&
            (best == NOBODY || flow->far[i] < flow->far[best]))
            best = i;
    return best;
}

static void relax(struct flow *flow, size_t node)
{
    const size_t origins = flow->problem->origins, places = flow->problem->places;
    const int64_t far = flow->far[node];

    if (node < origins) {
        for (size_t p = 0; p < places; p++)
            if (is_allowed(flow, node, p) && far + reduced(flow, node, p) < flow->far[origins + p])
                flow->far[origins + p] = far + reduced(flow, node, p);
        return;
    }
    for (size_t o = 0; o < origins; o++)
        if (flow->on[o * places + node - origins] > 0 &&
            far - reduced(flow, o, node - origins) < flow->far[o])
            flow->far[o] = far - reduced(flow, o, node - origins);
}

/* Distances from all origins that have load left; stops at the first place with room, whose
 * distance caps the potentials of what lies beyond. False when none can be reached. */
static bool search(struct flow *flow)
{
    const size_t origins = flow->problem->origins, nodes = origins + flow->problem->places;
    int64_t reach = FAR;

    for (size_t i = 0; i < nodes; i++) {
        flow->far[i] = i < origins && flow->rest[i] > 0 ? 0 : FAR;
        flow->is_done[i] = false;
    }
    for (size_t node; (node = nearest(flow)) != NOBODY;) {
        flow->is_done[node] = true;
        if (node >= origins && flow->room[node - origins] > 0) {
            reach = flow->far[node];
            break;
        }
        relax(flow, node);
    }
    if (reach == FAR)
        return false;
    for (size_t i = 0; i < nodes; i++)
        flow->potential[i] += flow->far[i] < reach ? flow->far[i] : reach;
    return true;
}

static bool has_step(const struct flow *flow, size_t from, size_t to)
{
    const size_t origins = flow->problem->origins, places = flow->problem->places;

    if (flow->is_done[to] || (from < origins) == (to < origins))
        return false;
    if (from < origins)
        return is_allowed(flow, from, to - origins) && reduced(flow, from, to - origins) == 0;
    return flow->on[to * places + from - origins] > 0 && reduced(flow, to, from - origins) == 0;
}

/* A path of reduced cost 0 from `origin` to a place with room, depth first; its length in nodes or
 * 0. Nodes that led nowhere stay marked until the next search. */
static size_t find_trail(struct flow *flow, size_t origin)
{
    const size_t origins = flow->problem->origins, nodes = origins + flow->problem->places;
    size_t depth = 1;

    flow->trail[0] = origin;
    flow->is_done[origin] = true;
    flow->next[origin] = 0;
    while (depth > 0) {
        const size_t at = flow->trail[depth - 1];
        size_t to = flow->next[at];

        if (at >= origins && flow->room[at - origins] > 0)
            return depth;
        while (to < nodes && !has_step(flow, at, to))
            to++;
        flow->next[at] = to + 1;
        if (to >= nodes) {
            depth--;
            continue;
        }
        flow->is_done[to] = true;
        flow->next[to] = 0;
        flow->trail[depth++] = to;
    }
    return 0;
}

static void push(struct flow *flow, size_t depth)
{
    const size_t origins = flow->problem->origins, places = flow->problem->places;
    const size_t first = flow->trail[0], last = flow->trail[depth - 1] - origins;
    int64_t most = flow->rest[first] < flow->room[last] ? flow->rest[first] : flow->room[last];

    for (size_t i = 1; i + 1 < depth; i += 2) {
        const int64_t back = flow->on[flow->trail[i + 1] * places + flow->trail[i] - origins];

        most = back < most ? back : most;
    }
    for (size_t i = 0; i + 1 < depth; i++) {
        const size_t a = flow->trail[i], b = flow->trail[i + 1];

        if (a < origins)
            flow->on[a * places + b - origins] += most;
        else
            flow->on[b * places + a - origins] -= most;
    }
    flow->rest[first] -= most;
    flow->room[last] -= most;
}

/* Every path of reduced cost 0. */
static void fill(struct flow *flow)
{
    const size_t nodes = flow->problem->origins + flow->problem->places;
    bool has_pushed = true;

    while (has_pushed) {
        has_pushed = false;
        memset(flow->is_done, 0, nodes * sizeof *flow->is_done);
        for (size_t o = 0; o < flow->problem->origins; o++) {
            size_t depth = 0;

            if (flow->rest[o] > 0 && !flow->is_done[o])
                depth = find_trail(flow, o);
            if (depth == 0)
                continue;
            push(flow, depth);
            has_pushed = true;
            /* The way there may be of use to others again. */
            memset(flow->is_done, 0, nodes * sizeof *flow->is_done);
            o--;
        }
    }
}

static int check(const struct gl_transport *problem, struct gl_error *err)
{
    const size_t origins = problem->origins, places = problem->places;

    if (origins == 0 || places == 0 || origins > GL_TRANSPORT_PLACES ||
        places > GL_TRANSPORT_PLACES)
        return gl_fail(err, GL_E_TOO_LARGE, "%zu origins and %zu places, 1 to %d of each", origins,
                       places, GL_TRANSPORT_PLACES);
    for (size_t i = 0; i < origins; i++)
        if (problem->load[i] < 0 || problem->load[i] > MOST_LOAD)
            return gl_fail(err, GL_E_BAD_VALUE, "load of origin %zu is out of range", i);
    for (size_t i = 0; i < places; i++)
        if (problem->capacity[i] < 0 || problem->capacity[i] > MOST_LOAD)
            return gl_fail(err, GL_E_BAD_VALUE, "capacity of place %zu is out of range", i);
    for (size_t i = 0; i < origins * places; i++)
        if (problem->cost[i] != GL_TRANSPORT_BARRED &&
            (problem->cost[i] > MOST_COST || problem->cost[i] < -MOST_COST))
            return gl_fail(err, GL_E_BAD_VALUE, "cost of pair %zu is out of range", i);
    return 0;
}

/* The same potential for all origins, which the search starts from, and for all places, which it
 * ends in: shortest by reduced cost is then shortest by cost. */
static void set_potentials(struct flow *flow)
{
    const size_t pairs = flow->problem->origins * flow->problem->places;
    int64_t least = 0;

    for (size_t i = 0; i < pairs; i++)
        if (flow->problem->cost[i] < least)
            least = flow->problem->cost[i];
    for (size_t o = 0; o < flow->problem->origins; o++)
        flow->potential[o] = -least;
}

static void prepare(struct flow *flow, const struct gl_transport *problem, struct gl_arena *arena)
{
    const size_t origins = problem->origins, places = problem->places, nodes = origins + places;

    flow->problem = problem;
    flow->on = gl_arena_take(arena, origins * places * sizeof *flow->on);
    flow->rest = gl_arena_take(arena, origins * sizeof *flow->rest);
    flow->room = gl_arena_take(arena, places * sizeof *flow->room);
    flow->potential = gl_arena_take(arena, nodes * sizeof *flow->potential);
    flow->far = gl_arena_take(arena, nodes * sizeof *flow->far);
    flow->is_done = gl_arena_take(arena, nodes * sizeof *flow->is_done);
    flow->next = gl_arena_take(arena, nodes * sizeof *flow->next);
    flow->trail = gl_arena_take(arena, nodes * sizeof *flow->trail);
    memcpy(flow->rest, problem->load, origins * sizeof *flow->rest);
    memcpy(flow->room, problem->capacity, places * sizeof *flow->room);
    set_potentials(flow);
}

static void answer(const struct flow *flow, struct gl_transport_answer *out)
{
    const struct gl_transport *problem = flow->problem;

    *out = (struct gl_transport_answer){.flow = flow->on};
    for (size_t i = 0; i < problem->origins * problem->places; i++) {
        if (flow->on[i] == 0)
            continue;
        out->placed += flow->on[i];
        out->cost += (double)flow->on[i] * (double)problem->cost[i];
    }
}

int gl_transport_solve(const struct gl_transport *problem, struct gl_arena *arena,
                       struct gl_transport_answer *out, struct gl_error *err)
{
    struct flow flow;

    if (check(problem, err) != 0)
        return -1;
    prepare(&flow, problem, arena);
    while (search(&flow))
        fill(&flow);
    answer(&flow, out);
    return 0;
}
