/*
 * The settings that every connection begins with, and reads back (data-path.md, "Copy").
 */
#ifndef GODWIT_PG_SETTINGS_TABLE_H
#define GODWIT_PG_SETTINGS_TABLE_H

typedef struct PinnedSetting {
    const char *name;
    const char *value;
    int min_version; /* 0: every supported server has it */
} PinnedSetting;

/** Ends with a NULL name. */
extern const PinnedSetting PINNED_SETTINGS[];

#endif
