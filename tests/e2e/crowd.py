"""Many clients at the same time, as bytes on sockets of one asyncio loop: what a well-behaved
library would not send can be sent, and ten thousand of them cost little."""

import asyncio
import json
import resource

DESCRIPTORS_SPARED = 500


def clients_possible(wanted):
    """As many as the system lets one process open, and not more than wanted."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    soft = min(hard, wanted + DESCRIPTORS_SPARED) if hard != resource.RLIM_INFINITY else wanted
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 1024), hard))
    return min(wanted, max(soft, 1024) - DESCRIPTORS_SPARED)


def post_bytes(path, body, extra=""):
    payload = json.dumps(body).encode()
    head = (
        f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n{extra}"
        f"Content-Length: {len(payload)}\r\n\r\n"
    )
    return head.encode() + payload


async def connect(port, address="127.0.0.1"):
    return await asyncio.open_connection("127.0.0.1", port, local_addr=(address, 0))


async def read_answer(reader):
    """Status and body, or None where the connection ended before its answer was whole."""
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        lines = head.split("\r\n")
        fields = dict(line.lower().split(": ", 1) for line in lines[1:] if ": " in line)
        body = await reader.readexactly(int(fields.get("content-length", 0)))
    except (asyncio.IncompleteReadError, ConnectionError):
        return None
    return int(lines[0].split()[1]), body


async def connect_and_be_heard(port, address="127.0.0.1"):
    """A connection that the server surely has: it has answered on it."""
    reader, writer = await connect(port, address)
    writer.write(b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")
    assert (await read_answer(reader))[0] == 200
    return reader, writer


async def ask(port, request):
    """One request on a connection of its own."""
    try:
        reader, writer = await connect(port)
    except OSError:
        return None
    try:
        writer.write(request)
        return await read_answer(reader)
    except ConnectionError:
        return None
    finally:
        writer.close()
