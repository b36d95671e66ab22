#include "dispatcher/rates.h"

#include "base/check.h"

#define SECOND_US 1000000

/* Forgets the seconds in which nothing was counted. */
static void move_to(struct rates *rates, int64_t second) {
    if (rates->second == 0)
        rates->first = rates->second = second;
    int64_t gap = second - rates->second;
    for (int64_t i = 1; i <= gap && i <= RATES_SECONDS; i++)
        rates->counts[(rates->second + i) % RATES_SECONDS] = 0;
    if (gap > 0)
        rates->second = second;
}

void rates_add(struct rates *rates, int64_t now_us, int64_t count) {
    check(now_us >= 0 && count >= 0);
    int64_t second = now_us / SECOND_US + 1;
    move_to(rates, second);
    rates->counts[rates->second % RATES_SECONDS] += count;
}

double rates_per_second(const struct rates *rates, int64_t now_us, int seconds) {
    check(seconds > 0 && seconds <= RATES_SECONDS);
    int64_t second = now_us / SECOND_US + 1, sum = 0;
    if (rates->second == 0)
        return 0;
    int64_t lived = second - rates->first + 1;
    int64_t span = lived < seconds ? lived : seconds;
    for (int64_t at = second - span + 1; at <= rates->second; at++)
        if (at > rates->second - RATES_SECONDS)
            sum += rates->counts[at % RATES_SECONDS];
    return span > 0 ? (double)sum / (double)span : 0;
}
