/* The sinks' book of positions against a model that is plain arrays: random sequences of recover, write, settle and
 * publish, with what the host is told compared after each. */
#include "ranges/ranges.h"

#include <string.h>

enum { INPUTS = 3, SPLITS = 5, STEPS = 20000 };

typedef struct Own {
    Range range;
    int number;
} Own;

typedef struct Model {
    bool there;
    int64_t committed, start, end;
    int number;
} Model;

typedef struct World {
    SfNode node;
    SfSplit splits[SPLITS];
    Model model[INPUTS][SPLITS];
    int64_t told[INPUTS][SPLITS];    /* by sf_committed() */
    int64_t settled[INPUTS][SPLITS]; /* by the last settle; SF_POSITION_NONE: not in it */
    guint settles;
    size_t refuse; /* input whose settle fails; INPUTS: none */
} World;

static World *world_of(SfNode *node)
{
    return node->host_data;
}

static SfStatus settle(SfNode *node, size_t input, const SfPosition *ends, size_t n, SfError *err)
{
    World *world = world_of(node);
    world->settles++;
    if (input == world->refuse)
        return sf_fail(err, SF_RETRY, "not now");
    g_assert_cmpuint(n, >, 0);
    for (size_t i = 0; i < n; i++) {
        int64_t *settled = &world->settled[input][ends[i].split - world->splits];
        g_assert_cmpint(*settled, ==, SF_POSITION_NONE); /* once each */
        *settled = ends[i].position;
    }
    return SF_OK;
}

static void committed(SfNode *node, size_t input, const SfSplit *split, int64_t end)
{
    World *world = world_of(node);
    int64_t *told = &world->told[input][split - world->splits];
    g_assert_cmpint(end, >, *told);
    *told = end;
}

static const SfHost host = {.size = sizeof host, .settle = settle, .committed = committed};

static void world_init(World *world)
{
    *world = (World){.node = {.size = sizeof(SfNode), .host = &host, .host_data = world, .n_inputs = INPUTS},
                     .refuse = INPUTS};
    for (int i = 0; i < SPLITS; i++)
        world->splits[i] = (SfSplit){.name = "s", .index = (uint32_t) i};
    for (int i = 0; i < INPUTS; i++)
        for (int k = 0; k < SPLITS; k++)
            world->told[i][k] = SF_POSITION_NONE;
}

static int cleared;

static void clear(gpointer data)
{
    g_assert_cmpint(((Own *) data)->number, >=, 0);
    cleared++;
}

static bool model_moved(const Model *model)
{
    return model->there && model->end != model->committed;
}

static void compare(const World *world, const Ranges *ranges)
{
    guint there = 0;
    bool moved = false;
    for (size_t input = 0; input < INPUTS; input++)
        for (int split = 0; split < SPLITS; split++) {
            const Model *model = &world->model[input][split];
            const Own *own = ranges_find(ranges, input, &world->splits[split]);
            g_assert_true(model->there == (own != NULL));
            if (!own)
                continue;
            g_assert_cmpint(own->number, ==, model->number);
            g_assert_cmpint(own->range.committed, ==, model->committed);
            g_assert_cmpint(own->range.start, ==, model->start);
            g_assert_cmpint(own->range.end, ==, model->end);
            g_assert_true(range_moved(&own->range) == model_moved(model));
            g_assert_true(ranges_at(ranges, (guint) own->number) == own);
            there++;
            moved |= model_moved(model);
        }
    g_assert_cmpuint(ranges_count(ranges), ==, there);
    g_assert_true(ranges_moved(ranges) == moved);
}

static void recover(World *world, Ranges *ranges, size_t input, int split, int64_t position)
{
    Model *model = &world->model[input][split];
    Own *own = ranges_add(ranges, input, &world->splits[split]);
    if (!model->there) {
        g_assert_cmpint(own->range.end, ==, SF_POSITION_NONE);
        own->number = (int) ranges_count(ranges) - 1;
        model->number = own->number;
    }
    position = MAX(position, model->there ? model->committed : SF_POSITION_NONE);
    range_reset(&own->range, position);
    model->there = true;
    model->committed = model->start = model->end = position;
    world->told[input][split] = position;
}

static void forget(World *world, Ranges *ranges, size_t input, int split)
{
    Model *model = &world->model[input][split];
    Own *own = ranges_find(ranges, input, &world->splits[split]);
    if (!own)
        return;
    ranges_remove(ranges, own);
    for (size_t i = 0; i < INPUTS; i++)
        for (int k = 0; k < SPLITS; k++) {
            Own *other = ranges_find(ranges, i, &world->splits[k]);
            if (other && other->number > model->number)
                other->number = --world->model[i][k].number;
        }
    *model = (Model){0};
}

static void write_rows(World *world, Ranges *ranges, size_t input, int split, int64_t gap, int64_t size)
{
    Model *model = &world->model[input][split];
    SfBatch batch = {.split = &world->splits[split], .start = MAX(model->end, 0) + gap};
    batch.end = batch.start + size;
    SfError err;
    SfStatus status = ranges_write(ranges, input, &batch, &err);
    if (!model->there || batch.start < model->end) {
        g_assert_cmpint(status, ==, SF_FATAL);
        return;
    }
    g_assert_cmpint(status, ==, SF_OK);
    model->start = model_moved(model) ? model->start : batch.start;
    model->end = batch.end;
}

/* All ends that moved, each in its input's call; or the failure of one input. */
static void settle_all(World *world, const Ranges *ranges, size_t refuse)
{
    SfError err;
    bool fails = false;
    world->refuse = refuse;
    for (size_t input = 0; input < INPUTS; input++)
        for (int split = 0; split < SPLITS; split++) {
            world->settled[input][split] = SF_POSITION_NONE;
            fails |= input == refuse && model_moved(&world->model[input][split]);
        }
    g_assert_cmpint(ranges_settle(ranges, &err), ==, fails ? SF_RETRY : SF_OK);
    for (size_t input = 0; input < INPUTS && !fails; input++)
        for (int split = 0; split < SPLITS; split++) {
            const Model *model = &world->model[input][split];
            g_assert_cmpint(world->settled[input][split], ==, model_moved(model) ? model->end : SF_POSITION_NONE);
        }
}

static void publish_all(World *world, Ranges *ranges)
{
    ranges_publish(ranges);
    for (size_t input = 0; input < INPUTS; input++)
        for (int split = 0; split < SPLITS; split++) {
            Model *model = &world->model[input][split];
            g_assert_true(!model->there || world->told[input][split] == model->end);
            model->committed = model->start = model->end;
        }
}

/* One chain, up to somewhere in what was written: the rest begins there. */
static void publish_part(World *world, Ranges *ranges, size_t input, int split)
{
    Model *model = &world->model[input][split];
    Own *own = ranges_find(ranges, input, &world->splits[split]);
    if (!own || !model_moved(model))
        return;
    int64_t end = g_test_rand_int_range((gint32) model->start + 1, (gint32) model->end + 1);
    for (int twice = 0; twice < 2; twice++) /* what is told already is not told again */
        range_publish_to(&world->node, &own->range, end);
    g_assert_cmpint(world->told[input][split], ==, end);
    model->committed = model->start = end;
}

static void test_random(void)
{
    World world;
    world_init(&world);
    cleared = 0;
    Ranges *ranges = ranges_new(&world.node, sizeof(Own), clear);
    for (int step = 0; step < STEPS; step++) {
        size_t input = (size_t) g_test_rand_int_range(0, INPUTS);
        int split = g_test_rand_int_range(0, SPLITS);
        switch (g_test_rand_int_range(0, 13)) {
        case 0:
            recover(&world, ranges, input, split, g_test_rand_int_range(-1, step + 1));
            break;
        case 1:
            if (g_test_rand_int_range(0, 20) == 0)
                forget(&world, ranges, input, split);
            break;
        case 2:
            settle_all(&world, ranges, (size_t) g_test_rand_int_range(0, INPUTS + 1));
            break;
        case 3:
            settle_all(&world, ranges, INPUTS);
            publish_all(&world, ranges);
            break;
        case 4:
            publish_part(&world, ranges, input, split);
            break;
        default: /* mostly what follows, with holes; sometimes what is there already */
            write_rows(&world, ranges, input, split, g_test_rand_int_range(-1, 4), g_test_rand_int_range(1, 50));
        }
        compare(&world, ranges);
    }
    int there = cleared + (int) ranges_count(ranges);
    ranges_free(ranges);
    g_assert_cmpint(cleared, ==, there);
}

/* One chain by itself leaves the others as they are; where nothing moved the host is not asked. */
static void test_single(void)
{
    World world;
    world_init(&world);
    SfError err;
    g_autoptr(Ranges) ranges = ranges_new(&world.node, sizeof(Own), NULL);
    for (int split = 0; split < 2; split++)
        recover(&world, ranges, 1, split, 10);
    Own *first = ranges_find(ranges, 1, &world.splits[0]);
    g_assert_cmpint(range_settle(&world.node, &first->range, &err), ==, SF_OK);
    g_assert_cmpint(ranges_settle(ranges, &err), ==, SF_OK);
    g_assert_cmpuint(world.settles, ==, 0);
    write_rows(&world, ranges, 1, 0, 0, 5);
    write_rows(&world, ranges, 1, 1, 0, 7);
    for (int split = 0; split < SPLITS; split++)
        world.settled[1][split] = SF_POSITION_NONE;
    g_assert_cmpint(range_settle(&world.node, &first->range, &err), ==, SF_OK);
    g_assert_cmpint(world.settled[1][0], ==, 15);
    g_assert_cmpint(world.settled[1][1], ==, SF_POSITION_NONE);
    range_publish(&world.node, &first->range);
    g_assert_cmpint(world.told[1][0], ==, 15);
    g_assert_cmpint(world.told[1][1], ==, 10);
    g_assert_false(range_moved(&first->range));
    g_assert_true(ranges_moved(ranges));
}

static void test_refusals(void)
{
    World world;
    world_init(&world);
    SfError err;
    g_autoptr(Ranges) ranges = ranges_new(&world.node, sizeof(Range), NULL);
    SfBatch batch = {.split = &world.splits[0], .start = 7, .end = 9};
    g_assert_cmpint(ranges_write(ranges, 0, &batch, &err), ==, SF_FATAL);
    g_assert_cmpstr(err.message, ==, "split 's' starts at 7, but its position was never recovered");
    range_reset(ranges_add(ranges, 0, &world.splits[0]), 8);
    g_assert_cmpint(ranges_write(ranges, 0, &batch, &err), ==, SF_FATAL);
    g_assert_cmpstr(err.message, ==, "split 's' starts at 7, but is written up to 8 already");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/ranges/random", test_random);
    g_test_add_func("/ranges/single", test_single);
    g_test_add_func("/ranges/refusals", test_refusals);
    return g_test_run();
}
