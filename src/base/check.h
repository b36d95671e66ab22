/* Assertions that stay on in release: a broken invariant ends the process at once, before it can
 * spread. What the environment can cause (a full disk, a lost connection, bad input) is never
 * checked with these; it is a `struct error`. */
#ifndef BASE_CHECK_H
#define BASE_CHECK_H

#define check(condition)                                                                           \
    ((condition) ? (void)0 : check_failed(#condition, __FILE__, __LINE__, __func__))

/* Prints where and what to stderr, then aborts. */
_Noreturn void check_failed(const char *condition, const char *file, int line,
                            const char *function);

#endif
