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
extern const ProviderReserved provider_reserved_table[];
extern const size_t provider_reserved_count;
extern const ProviderRoleRule provider_role_table[];
extern const size_t provider_role_count;
extern const ProviderSetting provider_setting_table[];
extern const size_t provider_setting_count;
extern const ProviderSlotRule provider_slot_table[];
extern const size_t provider_slot_count;

#endif
