/*
 * The tables behind provider.h. Part of provider/ only.
 */
#ifndef GODWIT_PROVIDER_PROVIDER_TABLE_H
#define GODWIT_PROVIDER_PROVIDER_TABLE_H

#include "provider/provider.h"

extern const ProviderRemedy provider_remedy_table[];
extern const size_t provider_remedy_count;
extern const ProviderEndpoint provider_endpoint_table[];
extern const size_t provider_endpoint_count;

#endif
