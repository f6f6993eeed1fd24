"""asyncpg_bench WORKLOAD [key=value]... - the workloads that evpq-bench and raw-bench run, by asyncpg.

Each query goes through the pool, as asyncpg's own manual has it (how=pool), or, since its pool resets a
connection after each use, through one task that holds each connection (how=held, which is the default: the
faster of the two). uvloop is used where it is installed."""
import asyncio
import datetime
import json
import os
import resource
import sys
import time

import asyncpg

try:
    import uvloop
    uvloop.install()
except ImportError:
    pass

STANDARDS = {"point": (8, 50000), "latency": (1, 20000), "update": (8, 20000), "big": (1, 0), "stream": (1, 0),
             "fanout": (20, 20), "copy-in": (1, 1000000), "copy-out": (1, 0)}
COLUMNS = ("id", "a", "b", "c", "d")
LANDING = "create unlogged table if not exists landing (like wide); truncate landing"
LANDING_SUM = ("select sum(id + a + b::int8 + length(c) + ascii(right(c, 1)) + "
               "extract(epoch from d)::int8)::int8 from landing")
POINT = "select id, randomnumber from world where id = $1"
UPDATE = "update tally set number = number + $2 where id = $1"


def peak_kilobytes():
    """Not from getrusage, where exec keeps the parent's."""
    with open("/proc/self/status", encoding="utf-8") as lines:
        return int(next(line.split()[1] for line in lines if line.startswith("VmHWM:")))


class Bench:
    def __init__(self, workload, keys):
        connections, n = STANDARDS[workload]
        self.workload, self.held = workload, keys.get("how", "held") == "held"
        self.connections, self.n = int(keys.get("connections", connections)), int(keys.get("n", n))
        self.left, self.sum, self.latencies, self.state = self.n, 0, [], 2463534242

    def next_id(self):
        x = self.state
        x ^= x << 13 & 0xffffffff
        x ^= x >> 17
        x ^= x << 5 & 0xffffffff
        self.state = x
        return x % 10000 + 1

    async def one(self, fetch_row):
        if self.workload == "update":
            await fetch_row(self.next_id(), 1)
            return
        begun = time.perf_counter()
        row = await fetch_row(self.next_id())
        if self.workload == "latency":
            self.latencies.append(time.perf_counter() - begun)
        self.sum += row[0] + row[1]

    async def worker(self, fetch_row):
        while self.left > 0:
            self.left -= 1
            await self.one(fetch_row)

    async def many(self, pool):
        sql = UPDATE if self.workload == "update" else POINT
        if not self.held:
            await asyncio.gather(*(self.worker(lambda *a: pool.fetchrow(sql, *a))
                                   for _ in range(min(1000, self.n))))
            return
        connections = [await pool.acquire() for _ in range(self.connections)]
        statements = [await c.prepare(sql) for c in connections]
        self.start()
        await asyncio.gather(*(self.worker(s.fetchrow) for s in statements))
        self.stop()
        for c in connections:
            await pool.release(c)

    async def big(self, pool):
        self.n = 0
        async with pool.acquire() as c, c.transaction():
            async for row in c.cursor("select id, a, b, c, d from wide", prefetch=5000):
                self.n += 1
                self.sum += row[0] + row[1] + int(row[2]) + len(row[3]) + row[4].second

    def landing_rows(self):
        """What evpq-bench's copy-in sends. A generator, which asyncpg takes as it is."""
        first = datetime.datetime(2020, 1, 1, tzinfo=datetime.timezone.utc)
        texts = ["a text of some lengt"[:19] + chr(ord("a") + i) for i in range(26)]
        for i in range(1, self.n + 1):
            yield (i, i * 1000003, i * 0.001234, texts[i % 26],
                   first + datetime.timedelta(seconds=i))

    async def copy_in(self, pool):
        async with pool.acquire() as c:
            await c.execute(LANDING)
            self.start()
            await c.copy_records_to_table("landing", records=self.landing_rows(), columns=COLUMNS)
            self.stop()
            self.sum = await c.fetchval(LANDING_SUM)

    async def copy_out(self, pool):
        """asyncpg gives the bytes of COPY and has nothing to read them with: they are counted, no more."""
        async def count(data):
            self.n += len(data)

        self.n = 0
        async with pool.acquire() as c:
            said = await c.copy_from_query("select id, a, b, c, d from wide", output=count,
                                           format="binary")
        self.n = int(said.split()[1])

    async def fanout(self, pool):
        rows = await asyncio.gather(*(pool.fetchrow("select pg_sleep(0.05)")
                                      for _ in range(self.n)))
        self.sum = len(rows)

    def start(self):
        self.usage, self.begun = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()

    def stop(self):
        self.wall = time.perf_counter() - self.begun
        usage = resource.getrusage(resource.RUSAGE_SELF)
        self.user = usage.ru_utime - self.usage.ru_utime
        self.system = usage.ru_stime - self.usage.ru_stime

    def show(self):
        line = {"program": "asyncpg", "workload": self.workload, "connections": self.connections,
                "n": self.n, "wall": self.wall, "user": self.user, "sys": self.system,
                "rss_kb": peak_kilobytes(),
                "checksum": self.sum}
        if self.latencies:
            self.latencies.sort()
            line["p50_us"] = self.latencies[len(self.latencies) // 2] * 1e6
            line["p99_us"] = self.latencies[len(self.latencies) * 99 // 100] * 1e6
        print(json.dumps(line))

    async def run(self):
        pool = await asyncpg.create_pool(
            host=os.environ["PGHOST"], port=os.environ["PGPORT"], user=os.environ["PGUSER"],
            database=os.environ["PGDATABASE"], ssl=False, min_size=self.connections,
            max_size=self.connections)
        self.start()
        work = {"big": self.big, "stream": self.big, "fanout": self.fanout,
                "copy-in": self.copy_in, "copy-out": self.copy_out}.get(self.workload, self.many)
        await work(pool)
        if not hasattr(self, "wall"):
            self.stop()
        await pool.close()
        self.show()


def main():
    workload, *pairs = sys.argv[1:]
    asyncio.run(Bench(workload, dict(pair.split("=", 1) for pair in pairs)).run())


main()
