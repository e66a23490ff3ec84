/*
 * The kinds of findings of blueprint_build(); each has its page in docs/codes.
 */
#include "blueprint/build.h"

const BlueprintDiag blueprint_diag_table[DIAG_COUNT] = {
    [DIAG_HYPERTABLE_FUNCTION] = {"P270", true,
                                  "A function that a hypertable needs cannot be used"},
    [DIAG_PARTITION_NEEDED] = {"P271", true, "Something reads a partition that is no more"},
    [DIAG_PARTITION_LEFT_OUT] = {"P272", false, "A partition's own part is left out"},
    [DIAG_NO_MATCH] = {"P301", true, "A selector matches nothing"},
    [DIAG_NOTHING_SELECTED] = {"P302", true, "No table is selected"},
    [DIAG_PARTITION_ALONE] = {"P303", true, "A partition is named without its root"},
    [DIAG_LEFT_OUT] = {"P304", false, "An object is left out, it needs what is not selected"},
    [DIAG_FOREIGN_KEY_LEFT_OUT] = {"P305", false, "A foreign key is left out"},
    [DIAG_NEEDS_UNSELECTED] = {"P306", true, "A selected table needs what is not selected"},
    [DIAG_INHERITANCE] = {"P307", true, "An inherited table cannot be converted, merged or cut"},
    [DIAG_SOURCE_HYPERTABLE] = {"P308", true, "A hypertable as a source is not in this version"},
    [DIAG_FOREIGN_TABLE] = {"P309", false, "A foreign table is left out"},
    [DIAG_EXTENSION_LEFT_OUT] = {"P311", false, "An extension is left out"},
    [DIAG_EVENT_TRIGGER] = {"P312", false, "An event trigger is left out"},
    [DIAG_NOT_BINARY] = {"P313", true, "A table cannot be copied in binary"},
    [DIAG_INVALID_INDEX] = {"P314", false, "An invalid index is left out"},
    [DIAG_EXTENSION_EXCLUDED] = {"P315", true, "An excluded extension is needed"},
    [DIAG_RESERVED] = {"P316", false, "What belongs to the provider is left out"},
    [DIAG_HYPERTABLE_UNSELECTED] = {"P320", true, "A hypertable names no selected table"},
    [DIAG_HYPERTABLE_COLUMN] = {"P321", true, "A hypertable names a column that is not there"},
    [DIAG_HYPERTABLE_TYPE] = {"P322", true, "A partition column has the wrong type"},
    [DIAG_HYPERTABLE_KEY] = {"P323", true, "A unique key lacks the partition column"},
    [DIAG_HYPERTABLE_FOREIGN_KEY] = {"P324", true, "A foreign key cannot point to a hypertable"},
    [DIAG_NO_TIMESCALEDB] = {"P325", true, "The target has no TimescaleDB"},
    [DIAG_HYPERTABLE_PARTITIONED] = {"P326", true,
                                     "from_partitioned does not say what the source has"},
    [DIAG_HYPERTABLE_FEATURE] = {"P327", true, "A table has what a hypertable cannot have"},
    [DIAG_HYPERTABLE_NULLABLE] = {"P328", false, "A partition column may be null"},
    [DIAG_FILTER_UNSELECTED] = {"P330", true, "A filter or list names no selected table"},
    [DIAG_FILTER_TWICE] = {"P331", true, "A table has two filters or two lists"},
    [DIAG_FILTER_SQL] = {"P332", true, "A row filter is not one SQL condition"},
    [DIAG_FILTER_FORBIDDEN] = {"P333", true, "A row filter uses what the stream cannot evaluate"},
    [DIAG_FILTER_IDENTITY] = {"P334", true, "A filter or list goes beyond the replica identity"},
    [DIAG_FILTER_VERSION] = {"P335", true, "The source is too old for a row filter"},
    [DIAG_LIST_COLUMN] = {"P336", true, "A column list names a column that is not there"},
    [DIAG_LIST_LEAVES_OUT] = {"P337", false, "An object goes with a column that is left out"},
    [DIAG_LIST_NEEDED] = {"P338", true, "A column that is left out is needed"},
    [DIAG_FILTER_EFFECT] = {"P339", false, "A filter has consequences"},
    [DIAG_IDENTITY_INDEX] = {"P341", true, "A replica identity names an index that cannot be one"},
    [DIAG_IDENTITY_COLUMNS] = {"P342", true, "A replica identity names columns that cannot be one"},
    [DIAG_IDENTITY_UNUSED] = {"P343", true, "A replica identity is set on no selected table"},
    [DIAG_PUBLICATION_EXISTS] = {"P344", true, "A publication exists already"},
    [DIAG_PUBLICATION_SELECTION] = {"P345", true,
                                    "The publications do not publish exactly the selection"},
    [DIAG_PUBLICATION_KINDS] = {"P346", true, "An adopted publication publishes in another way"},
    [DIAG_PUBLICATION_EMPTY] = {"P347", true, "A publication has no table"},
    [DIAG_MAP_NAME] = {"P351", true, "An entry of select.map gives no name"},
    [DIAG_MAP_CLASH] = {"P352", true, "Two relations would have one name on the target"},
    [DIAG_MAP_UNUSED] = {"P353", true, "An entry of select.map matches no selected table"},
    [DIAG_MAP_KIND] = {"P354", true, "Only tables get another name"},
    [DIAG_MERGE_COLUMNS] = {"P355", true, "Tables that are merged have different columns"},
    [DIAG_MERGE_KEY] = {"P356", true, "Tables that are merged have no key that can be proved"},
    [DIAG_MERGE_KIND] = {"P357", true, "A table cannot be merged"},
    [DIAG_MERGE_NEEDED] = {"P358", true, "Something reads one of the tables that are merged"},
    [DIAG_MERGE_LEFT_OUT] = {"P359", false, "A part of a merged table is left out"},
};

const BlueprintDiag *blueprint_diags(size_t *count)
{
    *count = DIAG_COUNT;
    return blueprint_diag_table;
}
