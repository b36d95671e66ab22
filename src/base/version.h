/* Which program this is; version.c is made by the build from version.c.in. */
#ifndef BASE_VERSION_H
#define BASE_VERSION_H

extern const char POSTHASTE_VERSION[];    /* "0.1.0" */
extern const char POSTHASTE_GIT_COMMIT[]; /* as `git describe --always` says it, or "unknown" */
/* RFC 3339, from SOURCE_DATE_EPOCH; "unknown" without it, so that a build can be repeated. */
extern const char POSTHASTE_BUILD_TIME[];

#endif
