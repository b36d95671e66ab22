"""Redis."""

from .ports import take_port
from .server import Server
from .tools import run, system_program


class RedisServer(Server):
    """On a port of 127.0.0.1, the same one after each start, keeping nothing on disk. It runs when
    made. `settings` are those of redis.conf, with _ for -: maxmemory="1mb"."""

    def __init__(self, password=None, **settings):
        super().__init__()
        self.password = password
        self.port = take_port()
        self.settings = {
            "bind": "127.0.0.1",
            "port": self.port,
            "dir": self.mark,
            "set-proc-title": "no",  # so that the command line keeps the folder
            "save": "",
            "appendonly": "no",
            **{name.replace("_", "-"): value for name, value in settings.items()},
        }
        if password is not None:
            self.settings["requirepass"] = password
        self.start()

    def start(self):
        """Empty."""
        command = [system_program("redis-server", "redis-server")]
        for name, value in self.settings.items():
            command += [f"--{name}", str(value)]
        self.launch(command, "Ready to accept connections")

    def stop(self):
        self.end()

    def restart(self):
        self.stop()
        self.start()

    def url(self, database=0):
        secret = f":{self.password}@" if self.password is not None else ""
        return f"redis://{secret}127.0.0.1:{self.port}/{database}"

    def cli(self, *arguments):
        """What redis-cli prints; raises ServerError when the answer is an error."""
        command = [system_program("redis-cli", "redis-tools"), "-e", "-p", str(self.port)]
        if self.password is not None:
            command += ["-a", self.password, "--no-auth-warning"]
        return run([*command, *map(str, arguments)]).strip()
