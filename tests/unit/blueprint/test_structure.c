/*
 * Structures as texts: which tables were altered, what stands without them, and the words for the
 * target.
 */
#include "blueprint/structure.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define P_1  "partition public.p_1 of public.p\toid 21, attached by 700\n"
#define P    "column k of public.p\tinteger\nkey of public.p\tp_pkey\n" P_1 "sequence public.s\t\n"
#define OIDS "table public.p\toid 20\ntable public.t\toid 30\n"

/* Sorted by key, as they are recorded. */
static const char BEFORE[] = "column \"odd of public.p\" of public.t\ttext\n"
                             "column id of public.t\tinteger\n"
                             "column k of public.p\tinteger\n"
                             "key of public.p\tp_pkey\n" P_1 "sequence public.s\t\n" OIDS;

typedef struct Row {
    const char *after;
    bool pauses;
    const char *tables;
    const char *remedy; /* of public.t */
} Row;

static const Row ROWS[] = {
    /* a column more, another type, one less */
    {"column \"odd of public.p\" of public.t\tbigint\ncolumn k of public.p\tinteger\n"
     "column new of public.t\tdate\nkey of public.p\tp_pkey\n" P_1 "sequence public.s\t\n" OIDS,
     true, "public.t",
     "ALTER TABLE there.t DROP COLUMN id, ALTER COLUMN \"odd of public.p\" TYPE bigint, ADD COLUMN "
     "new date;"},
    /* nothing but what may move */
    {"column \"odd of public.p\" of public.t\ttext\ncolumn id of public.t\tinteger\n"
     "column k of public.p\tinteger\nkey of public.p\tp_pkey\nsequence public.s\t\n" OIDS
     "table public.u\toid 40\n",
     false, "", NULL},
    /* dropped with its sequence, while a partition goes and a table comes */
    {"column k of public.p\tinteger\nkey of public.p\tp_pkey\ntable public.p\toid 20\n"
     "table public.u\toid 40\n",
     true, "public.t", "ALTER TABLE there.t DROP COLUMN \"odd of public.p\", DROP COLUMN id;"},
    /* another table under its name, another key */
    {"column \"odd of public.p\" of public.t\ttext\ncolumn id of public.t\tinteger\n"
     "column k of public.p\tinteger\nkey of public.p\tother\n" P_1
     "sequence public.s\t\ntable public.p\toid 20\ntable public.t\toid 31\n",
     false, "public.p, public.t", NULL},
    /* what belongs to no table */
    {"column \"odd of public.p\" of public.t\ttext\ncolumn k of public.p\tinteger\n"
     "key of public.p\tp_pkey\nmerged into public.m\tpublic.p, public.q\n" P_1
     "sequence public.s\t\n" OIDS,
     false, "public.t", "ALTER TABLE there.t DROP COLUMN id;"},
};

static void test_what_can_be_paused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(ROWS) / sizeof(ROWS[0]); i++) {
        AUTO_ARENA Arena arena = {0};
        NameVec tables = {0};
        const Name t = {"public", "t"}, there = {"there", "t"};
        bool pauses = structure_can_pause(&arena, BEFORE, ROWS[i].after, &tables);
        assert_string_equal(structure_names(&arena, &tables), ROWS[i].tables);
        assert_int_equal(pauses, ROWS[i].pauses);
        char *remedy = structure_remedy(&arena, BEFORE, ROWS[i].after, &t, &there);
        if (ROWS[i].remedy == NULL)
            assert_null(remedy);
        else
            assert_string_equal(remedy, ROWS[i].remedy);
    }
}

/* Its rows are among those of others. */
static void test_merged_tables_are_not_paused(void **state)
{
    (void)state;
    AUTO_ARENA Arena arena = {0};
    NameVec tables = {0};
    const char before[] =
        "column a of public.t\ttext\nmerged into public.m\tpublic.p, public.t\n" OIDS;
    const char after[] =
        "column a of public.t\tdate\nmerged into public.m\tpublic.p, public.t\n" OIDS;
    assert_false(structure_can_pause(&arena, before, after, &tables));
    assert_int_equal(tables.count, 1);
}

static void test_without(void **state)
{
    (void)state;
    AUTO_ARENA Arena arena = {0};
    const Name p = {"public", "p"}, t = {"public", "t"};
    assert_string_equal(structure_without(&arena, BEFORE, &t, 1), P "table public.p\toid 20\n");
    assert_string_equal(structure_without(&arena, BEFORE, &p, 1),
                        "column \"odd of public.p\" of public.t\ttext\n"
                        "column id of public.t\tinteger\nsequence public.s\t\n"
                        "table public.t\toid 30\n");
    assert_string_equal(structure_diff_of(&arena, BEFORE, "table public.t\toid 31\n", &p),
                        "gone: column k of public.p (integer)\ngone: key of public.p (p_pkey)\n"
                        "gone: partition public.p_1 of public.p (oid 21, attached by 700)\n"
                        "gone: table public.p (oid 20)");
}

#define FILES(columns, persistence, written, file)                                                 \
    "storage public.t of public.t\toid 30, columns " columns ", persistence " persistence          \
    ", written " written ", file " file "\ntable public.t\toid 30\n"

typedef struct FileRow {
    const char *after;
    StructureMove move;
    bool kept; /* the record keeps the file of the copy */
} FileRow;

/* What another file says, and what is remembered of it. */
static void test_files(void **state)
{
    static const char WAS[] = FILES("7", "p", "70", "700");
    static const FileRow FILE_ROWS[] = {
        {FILES("7", "p", "70", "701"), STRUCTURE_SAME, true},        /* VACUUM FULL, TRUNCATE */
        {FILES("7", "p", "71", "700"), STRUCTURE_SAME, true},        /* SET DEFAULT */
        {FILES("7", "p", "71", "701"), STRUCTURE_PARTITIONS, false}, /* ALTER TYPE USING */
        {FILES("8", "p", "70", "700"), STRUCTURE_PARTITIONS, false}, /* DROP COLUMN, ADD COLUMN */
        {FILES("7", "u", "70", "701"), STRUCTURE_PARTITIONS, false}, /* SET UNLOGGED */
        {"table public.t\toid 30\n", STRUCTURE_SAME, false},         /* of another engine */
        {"storage public.t of public.t\toid 31, columns 7, persistence p, written 71, file 701\n"
         "table public.t\toid 31\n",
         STRUCTURE_ALTERED, false}, /* another table */
        {"merged into public.m\tpublic.t, public.u\n" FILES("8", "p", "70", "700"),
         STRUCTURE_ALTERED, false}, /* nobody can tell its rows */
    };
    (void)state;
    for (size_t i = 0; i < sizeof(FILE_ROWS) / sizeof(FILE_ROWS[0]); i++) {
        AUTO_ARENA Arena arena = {0};
        const FileRow *row = &FILE_ROWS[i];
        const char *merged = strncmp(row->after, "merged", 6) == 0
                                 ? arena_printf(&arena,
                                                "merged into public.m\tpublic.t, "
                                                "public.u\n%s",
                                                WAS)
                                 : WAS;
        StructureMoves moves = structure_moves(&arena, merged, row->after);
        assert_int_equal(moves.move, row->move);
        assert_int_equal(moves.rewritten.count, row->move == STRUCTURE_PARTITIONS);
        assert_int_equal(*structure_diff(&arena, merged, row->after) == '\0',
                         row->move == STRUCTURE_SAME);
        char *kept = structure_keep(&arena, merged, row->after);
        assert_int_equal(strcmp(kept, merged) == 0, row->kept);
        if (!row->kept)
            assert_string_equal(kept, row->after);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_files),
        cmocka_unit_test(test_what_can_be_paused),
        cmocka_unit_test(test_merged_tables_are_not_paused),
        cmocka_unit_test(test_without),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
