"""Throw-away servers for tests, from the installed packages: each in a folder of its own, run as an
ordinary user also when the tests are run by root, and gone with the process that started it. No
service of the machine is touched."""

import ctypes
import os
import pathlib
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import threading

DEADLINE_S = 60
PORT_TRIES = 5  # somebody else may take a port between our choice and our use of it
PR_SET_PDEATHSIG = 1
ORDINARY_USERS = ("postgres", "nobody")


class ServerError(Exception):
    """A server that did not do what was asked of it, with what it printed."""


def ordinary_user():
    """What to run a server as: nobody else when we are ordinary ourselves."""
    if os.geteuid() != 0:
        return {}
    for name in ORDINARY_USERS:
        try:
            user = pwd.getpwnam(name)
            return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
        except KeyError:
            continue
    raise ServerError("there is no ordinary user to run a server as")


def die_with_parent():
    """Run in the child: it ends when we do, however that is."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def program(name):
    """The newest one that Debian's packages put beside the path, else the one on it."""
    found = sorted(
        pathlib.Path("/usr/lib/postgresql").glob(f"*/bin/{name}"),
        key=lambda path: float(path.parts[4]),
    )
    path = str(found[-1]) if found else shutil.which(name, path="/usr/bin:/usr/sbin:/usr/local/bin")
    if path is None:
        raise ServerError(f"{name} is not installed; scripts/install-deps.sh test installs it")
    return path


def free_port():
    """Free at this moment; whoever starts a server on it must be ready to try another."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def run(command, **options):
    """What the command printed."""
    done = subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        check=False,
        **options,
    )
    if done.returncode != 0:
        raise ServerError(f"{' '.join(map(str, command))}:\n{done.stdout}{done.stderr}")
    return done.stdout


def children(pid):
    """The processes that `pid` has started."""
    found = []
    for entry in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = entry.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == pid:
            found.append(int(entry.parent.name))
    return found


class Server:
    """A process whose lines are read by a thread."""

    def __init__(self, name):
        self.user = ordinary_user()
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix=f"{name}-"))
        self.process = None
        self.lines = []
        self.changed = threading.Condition()
        self.give(self.folder)

    def give(self, path):
        """Makes it the ordinary user's."""
        if self.user:
            os.chown(path, self.user["user"], self.user["group"])

    def launch(self, command, ready):
        """Starts it and waits until it prints `ready`."""
        with self.changed:
            self.lines = []
        self.process = subprocess.Popen(
            command,
            cwd=self.folder,
            env={"PATH": os.environ.get("PATH", ""), "LC_ALL": "C.UTF-8"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
            preexec_fn=die_with_parent,
            **self.user,
        )
        threading.Thread(target=self.read, args=(self.process,), daemon=True).start()
        self.wait_line(ready)

    def read(self, process):
        for line in process.stdout:
            with self.changed:
                self.lines.append(line)
                self.changed.notify_all()
        process.stdout.close()
        with self.changed:
            self.lines.append(None)
            self.changed.notify_all()

    def wait_line(self, text):
        with self.changed:
            arrived = self.changed.wait_for(
                lambda: any(line is None or text in line for line in self.lines), DEADLINE_S
            )
            if not arrived or None in self.lines:
                raise ServerError(f"no {text!r} from the server:\n{self.output()}")

    def output(self):
        return "".join(line for line in self.lines if line is not None)

    def family(self):
        return [self.process.pid, *children(self.process.pid)]

    def send(self, number):
        for pid in self.family():
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                pass

    def freeze(self):
        self.send(signal.SIGSTOP)

    def thaw(self):
        self.send(signal.SIGCONT)

    def kill(self):
        """As a power cut does."""
        if self.process is not None and self.process.poll() is None:
            self.send(signal.SIGKILL)
            self.process.wait(DEADLINE_S)

    def end(self, number=signal.SIGTERM):
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(number)
            self.process.wait(DEADLINE_S)

    def remove(self):
        """Ends it and takes its folder away."""
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)


class PostgresServer(Server):
    """Reached through a Unix socket in its folder; with `tcp` also on a port of 127.0.0.1."""

    def __init__(self, tcp=False, template=None, **settings):
        super().__init__("pg")
        self.data = self.folder / "data"
        self.port = free_port() if tcp else 5432
        self.settings = {
            "listen_addresses": "127.0.0.1" if tcp else "",
            "unix_socket_directories": str(self.folder),
            "fsync": "on",
            "max_connections": "200",
            "wal_level": "replica",
            "log_min_messages": "warning",
            **settings,
        }
        if template is None:
            self.initialise()
        else:
            self.copy(template)
        self.start()
        if template is None:
            self.create_database("posthaste")

    def initialise(self):
        run(
            [program("initdb"), "-N", "-A", "trust", "-U", "posthaste", "-E", "UTF8", "--locale=C",
             "-D", str(self.data)],
            cwd=self.folder,
            **self.user,
        )  # fmt: skip

    def copy(self, primary):
        run(
            [program("pg_basebackup"), "-h", str(primary.folder), "-p", str(primary.port), "-U",
             "posthaste", "-D", str(self.data), "-R", "-c", "fast", "-X", "stream"],
            cwd=self.folder,
            **self.user,
        )  # fmt: skip

    def start(self):
        flags = [flag for name, value in self.settings.items() for flag in ("-c", f"{name}={value}")]
        self.launch(
            [program("postgres"), "-D", str(self.data), "-p", str(self.port), *flags],
            "ready to accept",
        )

    def stop(self, immediate=False):
        self.end(signal.SIGQUIT if immediate else signal.SIGINT)

    def restart(self):
        self.stop()
        self.start()

    def standby(self, **settings):
        """Another server that follows this one."""
        return PostgresServer(template=self, **settings)

    def promote(self):
        run([program("pg_ctl"), "-D", str(self.data), "promote", "-w"], cwd=self.folder, **self.user)

    def url(self, database="posthaste", **parameters):
        query = "&".join(f"{name}={value}" for name, value in parameters.items())
        host = f"host={self.folder}&port={self.port}"
        return f"postgres://posthaste@/{database}?{host}{'&' if query else ''}{query}"

    def tcp_url(self, database="posthaste"):
        return f"postgres://posthaste@127.0.0.1:{self.port}/{database}"

    def command(self, name, database="posthaste"):
        return [program(name), "-h", str(self.folder), "-p", str(self.port), "-U", "posthaste",
                "-d", database]  # fmt: skip

    def psql(self, statements, database="posthaste"):
        """What plain SQL printed, without frills."""
        return run(
            [*self.command("psql", database), "-X", "-A", "-t", "-q", "-v", "ON_ERROR_STOP=1",
             "-c", statements]
        ).strip()  # fmt: skip

    def psql_file(self, text, database="posthaste"):
        path = self.folder / "statements.sql"
        path.write_text(text, encoding="utf-8")
        return run([*self.command("psql", database), "-X", "-A", "-t", "-q", "-v",
                    "ON_ERROR_STOP=1", "-f", str(path)]).strip()  # fmt: skip

    def number(self, query, database="posthaste"):
        return int(self.psql(query, database) or 0)

    def dump_schema(self, database="posthaste"):
        lines = run([*self.command("pg_dump", database), "-s"]).splitlines()
        return "\n".join(line for line in lines if not line.startswith(("--", "\\")))

    def create_database(self, name):
        self.psql(f'CREATE DATABASE "{name}"', "postgres")


class RedisServer(Server):
    """On a port of 127.0.0.1, keeping nothing on disk."""

    def __init__(self, password=None, **settings):
        super().__init__("redis")
        self.password = password
        self.settings = {"save": "", "appendonly": "no", **settings}
        if password is not None:
            self.settings["requirepass"] = password
        for attempt in range(PORT_TRIES):
            self.port = free_port()
            try:
                self.start()
                return
            except ServerError:
                if attempt + 1 == PORT_TRIES:
                    raise

    def start(self):
        flags = [flag for name, value in self.settings.items() for flag in (f"--{name}", value)]
        self.launch(
            [program("redis-server"), "--port", str(self.port), "--bind", "127.0.0.1", "--dir",
             str(self.folder), *flags],
            "Ready to accept connections",
        )  # fmt: skip

    def stop(self):
        self.end()

    def url(self, database=0):
        secret = f":{self.password}@" if self.password is not None else ""
        return f"redis://{secret}127.0.0.1:{self.port}/{database}"

    def cli(self, *arguments):
        secret = ["-a", self.password, "--no-auth-warning"] if self.password is not None else []
        return run([program("redis-cli"), "-p", str(self.port), *secret, *arguments]).strip()


class PgBouncer(Server):
    """A pooler before a PostgresServer, reached through a Unix socket in its folder."""

    PORT = 6432

    def __init__(self, server, pool_mode, pool_size=20):
        super().__init__("bouncer")
        config = self.folder / "pgbouncer.ini"
        config.write_text(
            "[databases]\n"
            f"* = user=posthaste host={server.folder} port={server.port}\n"
            "[pgbouncer]\n"
            f"listen_port = {self.PORT}\nunix_socket_dir = {self.folder}\n"
            f"auth_type = any\npool_mode = {pool_mode}\ndefault_pool_size = {pool_size}\n",
            encoding="utf-8",
        )
        self.give(config)
        self.launch([program("pgbouncer"), str(config)], "process up")

    def url(self, database="posthaste"):
        return f"postgres://posthaste@/{database}?host={self.folder}&port={self.PORT}"
