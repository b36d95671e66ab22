"""PgBouncer."""

from .server import Server
from .tools import system_program

SOCKET_PORT = 6432  # a part of the socket's name only


class PgBouncer(Server):
    """A pooler in front of a PostgresServer, reached through a Unix socket in its folder. It runs
    when made. `pool_mode` is session or transaction; `settings` are those of pgbouncer.ini."""

    def __init__(self, server, pool_mode="transaction", pool_size=20, **settings):
        super().__init__()
        values = {
            "listen_port": SOCKET_PORT,
            "unix_socket_dir": self.folder,
            "auth_type": "any",
            "pool_mode": pool_mode,
            "default_pool_size": pool_size,
            **settings,
        }
        lines = [f"{name} = {value}" for name, value in values.items()]
        backend = f"* = user=posthaste host={server.folder} port={server.port}"
        text = "\n".join(["[databases]", backend, "[pgbouncer]", *lines, ""])
        self.config = self.write("pgbouncer.ini", text)
        self.start()

    def start(self):
        self.launch([system_program("pgbouncer", "pgbouncer"), self.config], "process up")

    def stop(self):
        """Cuts all connections."""
        self.end()

    def url(self, database="posthaste"):
        return f"postgres://posthaste@/{database}?host={self.folder}&port={SOCKET_PORT}"
