/*
 * Which step each finding of preflight would stop: there `plan` shows it.
 */
#include "cmd/planning.h"

const FindingPlace FINDING_PLACES[] = {
    {"G101", "slot"},        {"G102", "slot"},
    {"G103", "slot"},        {"G107", "wave"},
    {"G108", "slot"},        {"G109", "wave"},
    {"G110", "slot"},        {"G112", "copy"},
    {"G113", "copy"},        {"G115", "slot"},
    {"G116", "schema_pre"},  {"G122", "slot"},
    {"G201", "publication"}, {"G202", "copy"},
    {"G203", "copy"},        {"G204", "publication"},
    {"G205", "replicate"},   {"G206", "schema_pre"},
    {"G301", "copy"},        {"G302", "publication"},
    {"G303", "slot"},        {"G305", "cutover.source_fence"},
    {"G306", "replicate"},   {"G307", "cutover.source_fence"},
    {"G401", "extensions"},  {"G402", "wave"},
    {"G403", "schema_pre"},  {"G404", "hypertable"},
    {"G405", "extensions"},  {"G502", "slot"},
    {"G503", "replicate"},   {"G505", "extensions"},
    {"G521", "slot"},        {"G522", "slot"},
    {"G601", "index"},       {"G602", "index"},
    {"G603", "schema_pre"},  {"G605", "copy"},
    {"G606", "copy"},        {"G607", "copy"},
};

const size_t FINDING_PLACE_COUNT = sizeof(FINDING_PLACES) / sizeof(FINDING_PLACES[0]);
