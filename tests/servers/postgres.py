"""PostgreSQL."""

import contextlib
import fcntl
import os
import pathlib
import signal
import time
import urllib.parse

from .home import home
from .ports import take_port
from .server import Server
from .tools import DEADLINE_S, ServerError, ordinary_user, postgres_program, run

USER = "posthaste"  # a superuser, without a password
DATABASE = "posthaste"
SOCKET_PORT = 5432  # a part of the socket's name only
TEMPLATE_VARIABLE = "POSTHASTE_TEST_TEMPLATE"

COMMON_SETTINGS = {
    "fsync": "on",
    "max_connections": "200",
    "wal_level": "replica",
    "log_min_messages": "warning",
    "dynamic_shared_memory_type": "mmap",  # nothing in /dev/shm survives a kill
}


class PostgresServer(Server):
    """Reached through a Unix socket in its folder; with `tcp` also on a port of 127.0.0.1, the same
    one after each start. It runs when made, and has a database `posthaste`. `settings` are those of
    postgresql.conf; with `primary` it begins as a standby of that one."""

    def __init__(self, tcp=False, primary=None, **settings):
        super().__init__()
        self.data = self.folder / "data"
        self.port = take_port() if tcp else SOCKET_PORT
        self.given = {name: str(value) for name, value in settings.items()}
        self.settings = {
            "listen_addresses": "127.0.0.1" if tcp else "",
            "port": str(self.port),
            "unix_socket_directories": str(self.folder),
            "cluster_name": self.mark,  # every process shows it in its command line
            **COMMON_SETTINGS,
            **self.given,
        }
        if primary is None:
            run(["cp", "-a", str(template()), str(self.data)], cwd=self.folder, **ordinary_user())
        else:
            self._copy(primary)
        self.start()

    def _copy(self, primary):
        command = [postgres_program("pg_basebackup"), "-D", str(self.data), "-d", primary.url()]
        command += ["-R", "-c", "fast", "-X", "stream", "--no-sync"]
        run(command, cwd=self.folder, **ordinary_user())

    def start(self):
        """Also after `kill`, when it first repairs itself."""
        command = [postgres_program("postgres"), "-D", str(self.data)]
        for name, value in self.settings.items():
            command += ["-c", f"{name}={value}"]
        self.launch(command, "ready to accept")

    def stop(self, immediate=False):
        """Cuts all connections; `immediate` leaves the repair to the next start."""
        self.end(signal.SIGQUIT if immediate else signal.SIGINT)

    def restart(self):
        self.stop()
        self.start()

    def url(self, database=DATABASE, **parameters):
        """Through the socket."""
        place = {"host": str(self.folder), "port": str(self.port)}
        query = urllib.parse.urlencode(place | parameters, quote_via=urllib.parse.quote, safe="/")
        return f"postgres://{USER}@/{database}?{query}"

    def tcp_url(self, database=DATABASE, **parameters):
        """Over TCP; only for a server made with `tcp`."""
        query = urllib.parse.urlencode(parameters, quote_via=urllib.parse.quote)
        url = f"postgres://{USER}@127.0.0.1:{self.port}/{database}"
        return f"{url}?{query}" if query else url

    def psql(self, statements, database=DATABASE):
        """What the statements, run in one transaction, print: a line per row, with | in between.
        Raises ServerError with the server's words."""
        return self._psql(database, "-c", statements)

    def psql_file(self, text, database=DATABASE):
        """As psql, but each statement in a transaction of its own."""
        return self._psql(database, "-f", "-", text=text)

    def psql_notices(self, text, database=DATABASE):
        """As psql_file, and what the server noted besides."""
        both = ["sh", "-c", 'exec "$@" 2>&1', "sh"]
        return run([*both, *self._psql_command(database), "-f", "-"], text).strip()

    def _psql(self, database, *arguments, text=""):
        return run([*self._psql_command(database), *arguments], text).strip()

    def _psql_command(self, database):
        plain = ["-X", "-A", "-t", "-q", "-v", "ON_ERROR_STOP=1"]
        return [postgres_program("psql"), *plain, "-d", self.url(database)]

    def number(self, query, database=DATABASE):
        return int(self.psql(query, database) or 0)

    def dump_schema(self, database=DATABASE):
        """Without what differs from dump to dump."""
        dump = run([postgres_program("pg_dump"), "-s", "-d", self.url(database)])
        return "\n".join(line for line in dump.splitlines() if not line.startswith(("--", "\\")))

    def create_database(self, name):
        self.psql(f'CREATE DATABASE "{name}"', "postgres")

    def standby(self, synchronous=False, tcp=False, **settings):
        """Another server, which follows this one and can be read; it streams already. With
        `synchronous` a commit here returns only when it is on the disk of a standby too."""
        follower = PostgresServer(tcp, self, **(self.given | settings))
        if synchronous:
            self.psql_file("ALTER SYSTEM SET synchronous_standby_names = '*'")
            self.psql("SELECT pg_reload_conf()")
        states = "'sync', 'potential'" if synchronous else "'async', 'sync', 'potential'"
        self._wait_true(
            "SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming'"
            f" AND application_name = '{follower.mark}' AND sync_state IN ({states})"
        )
        return follower

    def _wait_true(self, query):
        """No event tells of it, so asks again and again."""
        end = time.monotonic() + DEADLINE_S
        while self.number(query) == 0:
            if time.monotonic() > end:
                raise ServerError(f"waited {DEADLINE_S} s in vain: {query}\n{self.output()}")

    def promote(self):
        """Makes a standby a server of its own; it can be written when this returns."""
        self.psql(f"SELECT pg_promote(true, {DEADLINE_S})")
        if self.psql("SELECT pg_is_in_recovery()") != "f":
            raise ServerError(f"the standby was not promoted:\n{self.output()}")


def template():
    """A data folder as initdb makes it, with the database; made once for all the tests of a run,
    because a copy takes a fifth of the time."""
    default = home().folder / "template"
    folder = pathlib.Path(os.environ.get(TEMPLATE_VARIABLE, default))
    with locked(folder.with_suffix(".lock")):
        if not folder.exists():
            make_template(folder)
    return folder


@contextlib.contextmanager
def locked(path):
    with open(path, "w", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def make_template(folder):
    new = folder.with_suffix(".new")
    options = {"cwd": folder.parent, **ordinary_user()}
    kind = ["-U", USER, "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"]
    run([postgres_program("initdb"), "-D", str(new), *kind], **options)
    alone = [postgres_program("postgres"), "--single", "-F", "-D", str(new), "postgres"]
    run(alone, f"CREATE DATABASE {DATABASE}\n", **options)
    new.rename(folder)
