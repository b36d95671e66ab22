"""Ports for servers that cannot ask the kernel for one, or that must get the same one again."""

import random
import socket

from .tools import ServerError

# Below those that the kernel gives to whoever asks for any, so that none is taken between a stop
# and the next start.
PORTS = range(20000, 32768)
TRIES = 1000


def take_port():
    """A port of 127.0.0.1 that is this process's until its end."""
    for port in random.sample(PORTS, TRIES):
        if take(port):
            return port
    raise ServerError(f"no port of 127.0.0.1 between {PORTS[0]} and {PORTS[-1]} is free")


def take(port):
    """A socket without a file is the sign to other tests; left open, it goes with the process."""
    sign = socket.socket(socket.AF_UNIX)
    try:
        sign.bind(f"\0posthaste-test-port-{port}")
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
    except OSError:
        sign.close()
        return False
    sign.detach()
    return True
