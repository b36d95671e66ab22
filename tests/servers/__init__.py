"""Throw-away servers for tests, from the installed packages: each in a folder of its own, run as an
ordinary user also when root runs the tests, and gone with the process that started it, however that
ends. No service of the machine is touched.

    server = PostgresServer()
    self.addCleanup(server.remove)
    server.psql("SELECT 1")
"""

from .home import home
from .pgbouncer import PgBouncer
from .postgres import TEMPLATE_VARIABLE, PostgresServer
from .redis import RedisServer
from .tools import ServerError

__all__ = [
    "TEMPLATE_VARIABLE",
    "PgBouncer",
    "PostgresServer",
    "RedisServer",
    "ServerError",
    "home",
]
