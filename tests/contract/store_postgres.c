#include "contract/store_postgres.h"

#include "base/memory.h"

#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SQL_BYTES_MAX 512

struct postgres_place {
    PGconn *connection;
    char schema[64];
};

static int64_t run(PGconn *connection, const char *statements) {
    PGresult *result = PQexec(connection, statements);
    ExecStatusType status = PQresultStatus(result);
    if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK) {
        print_error("%s: %s\n", statements, PQerrorMessage(connection));
        PQclear(result);
        fail();
    }
    int64_t number = 0;
    if (PQntuples(result) == 1 && PQnfields(result) == 1)
        number = strtoll(PQgetvalue(result, 0, 0), NULL, 10);
    PQclear(result);
    return number;
}

struct postgres_place *postgres_place_create(char *url, size_t bytes) {
    static int places;
    char sql[SQL_BYTES_MAX];
    const char *server = getenv("POSTHASTE_TEST_POSTGRES_URL");
    if (server == NULL)
        fail_msg("POSTHASTE_TEST_POSTGRES_URL is not set; run the tests with tests/run.py");
    struct postgres_place *place = memory_zeroed(1, sizeof *place);
    snprintf(place->schema, sizeof place->schema, "place_%d_%d", (int)getpid(), ++places);
    snprintf(url, bytes, "%s%coptions=-csearch_path%%3D%s", server,
             strchr(server, '?') != NULL ? '&' : '?', place->schema);
    place->connection = PQconnectdb(url);
    if (PQstatus(place->connection) != CONNECTION_OK)
        fail_msg("%s: %s", server, PQerrorMessage(place->connection));
    snprintf(sql, sizeof sql, "CREATE SCHEMA %s", place->schema);
    run(place->connection, sql);
    return place;
}

void postgres_place_destroy(struct postgres_place *place) {
    if (place == NULL)
        return;
    char sql[SQL_BYTES_MAX];
    snprintf(sql, sizeof sql, "SET client_min_messages = warning; DROP SCHEMA %s CASCADE",
             place->schema);
    run(place->connection, sql);
    PQfinish(place->connection);
    free(place);
}

static void show(void *context, int64_t wall_ms) {
    struct postgres_place *place = context;
    char sql[SQL_BYTES_MAX];
    snprintf(sql, sizeof sql, "UPDATE fake_clock SET ms = %lld", (long long)wall_ms);
    run(place->connection, sql);
}

void postgres_place_set_clock(struct postgres_place *place, struct fake_clock *clock) {
    run(place->connection,
        "SET client_min_messages = warning;"
        "CREATE TABLE IF NOT EXISTS fake_clock (ms bigint NOT NULL);"
        "INSERT INTO fake_clock SELECT 0 WHERE NOT EXISTS (SELECT FROM fake_clock);"
        "CREATE OR REPLACE FUNCTION posthaste_now() RETURNS timestamptz LANGUAGE sql VOLATILE"
        " AS 'SELECT posthaste_time(ms) FROM fake_clock'");
    clock->changed = show;
    clock->context = place;
    show(place, atomic_load(&clock->wall_ms));
}

int64_t postgres_place_sql(struct postgres_place *place, const char *statements) {
    return run(place->connection, statements);
}
