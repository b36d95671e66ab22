"""A test with a PostgreSQL server of its own, and posthaste on it."""

from tests.e2e.programs import Case, Posthaste
from tests.servers import PostgresServer


class PostgresCase(Case):
    SETTINGS = {}
    TCP = False

    def setUp(self):
        super().setUp()
        self.server = self.keep_server(PostgresServer(tcp=self.TCP, **self.SETTINGS))

    def keep_server(self, server):
        self.addCleanup(server.remove)
        return server

    def store_url(self):
        return self.server.url()

    def posthaste(self, provider, **options):
        """Serves from the server; the schema is made with the first one."""
        url = provider if isinstance(provider, str) else provider.url
        defaults = {"STORE_URL": self.store_url(), "AUTO_MIGRATE": "true"}
        return self.keep(Posthaste(self.folder, url, **(defaults | options)))

    def command(self, *arguments, **environment):
        """A command of posthaste's on the server: what it printed; it must succeed."""
        status, output = self.run_command(*arguments, STORE_URL=self.store_url(), **environment)
        self.assertEqual(status, 0, output)
        return output

    def count(self, condition="true"):
        return self.server.number(f"SELECT count(*) FROM posthaste_messages WHERE {condition}")

    def fill(self, count, content="'hello ' || i"):
        """So many messages, by plain SQL."""
        self.server.psql(
            "INSERT INTO messages (recipient, content)"
            f" SELECT '+15551234567', {content} FROM generate_series(1, {count}) AS i"
        )
