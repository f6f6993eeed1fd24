"""peer.py [--port PORT] - the routes of examples/web by aiohttp and asyncpg, on uvloop: what it is measured beside.

As their users write it: handlers on a pool, whose statements asyncpg prepares and keeps by itself. Where there are
several ways, the faster one is taken. The queries of one request go one after the other down one connection:
gathering them over the pool, where each waits for a connection, takes longer (--gather shows it). PGHOST, PGUSER,
... say where the database is."""
import argparse
import asyncio
import html
import json
import os
import random

import asyncpg
import uvloop
from aiohttp import web

READ = "select id, randomnumber from world where id = $1"
UPDATE = "update world set randomnumber = v.number from unnest($1::int[], $2::int[]) as v(id, number)" \
         " where world.id = v.id"
HEAD = "<!DOCTYPE html><html><head><title>Fortunes</title></head><body>" \
       "<table><tr><th>id</th><th>message</th></tr>"
TAIL = "</table></body></html>"
encode = json.JSONEncoder(separators=(",", ":")).encode


def answer_json(value):
    return web.Response(body=encode(value).encode(),
                        content_type="application/json")


def wanted(request):
    try:
        return min(max(int(request.query.get("queries", 1)), 1), 500)
    except ValueError:
        return 1


class Connection(asyncpg.Connection):
    """One that the pool does not reset after each use, which would take another round trip: nothing here leaves
    anything behind in a session."""

    def get_reset_query(self):
        return ""


class Site:
    def __init__(self, pool, gather):
        self.pool = pool
        self.gather = gather

    async def read(self, ids):
        if self.gather:
            return await asyncio.gather(*(self.pool.fetchrow(READ, i) for i in ids))
        async with self.pool.acquire() as connection:
            return [await connection.fetchrow(READ, i) for i in ids]

    async def plaintext(self, request):
        return web.Response(body=b"Hello, World!", content_type="text/plain")

    async def json(self, request):
        return answer_json({"message": "Hello, World!"})

    async def db(self, request):
        row = await self.pool.fetchrow(READ, random.randint(1, 10000))
        return answer_json({"id": row[0], "randomNumber": row[1]})

    async def queries(self, request):
        rows = await self.read(random.randint(1, 10000) for _ in range(wanted(request)))
        return answer_json([{"id": row[0], "randomNumber": row[1]} for row in rows])

    async def updates(self, request):
        ids = sorted(random.sample(range(1, 10001), wanted(request)))
        rows = await self.read(ids)
        numbers = [random.randint(1, 10000) for _ in rows]
        await self.pool.execute(UPDATE, ids, numbers)
        return answer_json([{"id": row[0], "randomNumber": n} for row, n in zip(rows, numbers)])

    async def fortunes(self, request):
        rows = [(row[0], row[1]) for row in await self.pool.fetch("select id, message from fortune")]
        rows.append((0, "Additional fortune added at request time."))
        rows.sort(key=lambda row: row[1])
        body = "".join(f"<tr><td>{n}</td><td>{html.escape(message)}</td></tr>" for n, message in rows)
        return web.Response(text=HEAD + body.replace("&#x27;", "&#39;") + TAIL, content_type="text/html")


async def serve(port, connections, gather):
    pool = await asyncpg.create_pool(
        host=os.environ["PGHOST"], port=os.environ["PGPORT"], user=os.environ["PGUSER"],
        database=os.environ["PGDATABASE"], ssl=False, connection_class=Connection,
        min_size=connections, max_size=connections)
    site, app = Site(pool, gather), web.Application()
    for name in ("plaintext", "json", "db", "queries", "updates", "fortunes"):
        app.router.add_get("/" + name, getattr(site, name))
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    print(f"listening on http://127.0.0.1:{runner.addresses[0][1]}", flush=True)
    await asyncio.Event().wait()


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    parser.add_argument("--port", type=int, default=8081)
    parser.add_argument("--pool", type=int, default=8)
    parser.add_argument("--gather", action="store_true", help="a connection for each query")
    given = parser.parse_args()
    uvloop.install()
    asyncio.run(serve(given.port, given.pool, given.gather))


main()
