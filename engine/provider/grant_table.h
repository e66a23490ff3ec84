/*
 * The table behind grants.h. Part of provider/ only.
 */
#ifndef GODWIT_PROVIDER_GRANT_TABLE_H
#define GODWIT_PROVIDER_GRANT_TABLE_H

#include "provider/grants.h"

extern const ProviderGrant provider_grant_table[];
extern const size_t provider_grant_count;

/* What failback.prepare adds. */
extern const ProviderGrant provider_grant_back_table[];
extern const size_t provider_grant_back_count;

#endif
