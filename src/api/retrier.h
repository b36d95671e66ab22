/* Works off the jobs that send messages again: page by page, no faster than each job's rate. The
 * jobs are in the database, and every replica takes steps of them; a step that another has taken
 * meanwhile is not counted twice. */
#ifndef API_RETRIER_H
#define API_RETRIER_H

#include "store/store_office.h"

#include <jansson.h>

#define RETRIER_STEP_MESSAGES_MAX 500
#define RETRIER_JOBS_MAX 100
#define RETRIER_LOOK_US 1000000 /* how often others' jobs are looked for */

struct retrier;

/* `retried` is called, by its thread, when messages have become due. */
enum status retrier_create(struct retrier **retrier, struct store *store,
                           void (*retried)(void *context), void *context, struct error *error);
/* Ends after the step that is under way; jobs go on at the next start. NULL is passed over. */
void retrier_destroy(struct retrier *retrier);
/* There is a new job. Any thread. */
void retrier_wake(struct retrier *retrier);

/* The query of a job's filter, an object of strings; only states that can be retried, and failed
 * where none is named. False: `field` and `text` say why. The texts are views into `filter`. */
bool retrier_read_filter(const json_t *filter, struct store_query *query, const char **field,
                         const char **text);

#endif
