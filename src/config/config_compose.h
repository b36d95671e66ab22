/* URLs that are given in parts: the seeds' DB_HOST, DB_NAME, REDIS_HOST and their like. */
#ifndef CONFIG_CONFIG_COMPOSE_H
#define CONFIG_CONFIG_COMPOSE_H

#include "config/config.h"

/* Makes store_url and cache_url from their parts, where these and not the URLs are given; `set`
 * says of each option whether it is, in the order of the table. A URL and its host together are a
 * fault, which is appended. */
void config_compose(struct config *config, const bool *set, struct buffer *faults);

#endif
