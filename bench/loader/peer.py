"""peer.py TABLE [OPTION]... - what examples/loader does, by asyncpg and numpy: what it is measured beside.

The same ranges of blocks under one exported snapshot, the same number of connections, groups and batches, on uvloop.
The records of a range become one numpy array for each column as soon as they have come, a group of ranges is
concatenated and permuted, and batches are slices of that. PGHOST, PGUSER, ... say where the database is."""
import argparse
import asyncio
import operator
import os
import random
import time

import asyncpg
import numpy
import uvloop

COLUMNS = "id, label, a, b, c, d, name"
TYPES = ("i8", "i4", "f4", "f4", "f4", "f4", object)
GETTERS = [operator.itemgetter(i) for i in range(len(TYPES))]
SETTINGS = "select set_config('enable_seqscan', 'off', true), set_config('synchronize_seqscans', 'off', true)," \
           " set_config('max_parallel_workers_per_gather', '0', true), set_config('jit', 'off', true)"


def peak_mebibytes():
    with open("/proc/self/status", encoding="utf-8") as lines:
        return int(next(line.split()[1] for line in lines if line.startswith("VmHWM:"))) / 1024


def columns_of(rows):
    return [numpy.fromiter(map(get, rows), dtype, len(rows)) for get, dtype in zip(GETTERS, TYPES)]


class Epoch:
    """Fetchers fill `done`, two groups ahead at most; batches() empties it group by group."""

    def __init__(self, given, number, blocks):
        self.given, self.done, self.change = given, {}, asyncio.Condition()
        self.order = list(range((blocks + given.range - 1) // given.range))
        random.Random(number).shuffle(self.order)
        self.shuffle = numpy.random.default_rng(number)
        self.taken, self.room = 0, 2 * given.mix

    async def fetch(self, connection):
        statement = await connection.prepare(
            f"select {COLUMNS} from {self.given.table} where ctid >= $1 and ctid < $2")
        while True:
            async with self.change:
                await self.change.wait_for(lambda: self.taken < self.room or self.taken == len(self.order))
                if self.taken == len(self.order):
                    return
                at = self.taken
                self.taken += 1
            first = self.order[at] * self.given.range
            columns = columns_of(await statement.fetch((first, 0), (first + self.given.range, 0)))
            async with self.change:
                self.done[at] = columns
                self.change.notify_all()

    async def batches(self):
        left = None
        for begin in range(0, len(self.order), self.given.mix):
            group = range(begin, min(begin + self.given.mix, len(self.order)))
            async with self.change:
                await self.change.wait_for(lambda: all(i in self.done for i in group))
                parts = [self.done.pop(i) for i in group]
            whole = [numpy.concatenate(column) for column in zip(*parts)]
            order = self.shuffle.permutation(len(whole[0]))
            whole = [column[order] for column in whole]
            if left:
                whole = [numpy.concatenate(both) for both in zip(left, whole)]
            size = self.given.batch
            end = len(whole[0]) // size * size
            for i in range(0, end, size):
                yield [column[i:i + size] for column in whole]
            left = [column[end:] for column in whole]
            async with self.change:
                self.room += self.given.mix
                self.change.notify_all()
        if left and len(left[0]):
            yield left


async def run_epoch(given, connections, number):
    began, rows, batches, total = time.perf_counter(), 0, 0, 0
    for connection in connections:
        await connection.execute("begin isolation level repeatable read, read only")
        if connection is connections[0]:
            snapshot = await connection.fetchval("select pg_export_snapshot()")
        else:
            await connection.execute(f"set transaction snapshot '{snapshot}'")
        await connection.execute(SETTINGS)
    blocks = await connections[0].fetchval(
        f"select pg_relation_size('{given.table}') / current_setting('block_size')::int")
    epoch = Epoch(given, number, blocks)
    fetchers = [asyncio.ensure_future(epoch.fetch(connection)) for connection in connections]
    async for batch in epoch.batches():
        rows += len(batch[0])
        batches += 1
        total += int(batch[0].sum()) if given.sum else 0
    await asyncio.gather(*fetchers)
    for connection in connections:
        await connection.execute("rollback")
    seconds = time.perf_counter() - began
    print(f"epoch {number}: {rows} rows, {batches} batches, {seconds:.3f} s, {rows / seconds:.0f} rows/s", flush=True)
    if given.sum:
        print(f"epoch {number}: the sum of id is {total}")


async def run(given):
    connections = [await asyncpg.connect(
        host=os.environ["PGHOST"], port=os.environ["PGPORT"], user=os.environ["PGUSER"],
        database=os.environ["PGDATABASE"], ssl=False) for _ in range(given.connections)]
    for number in range(given.epochs):
        await run_epoch(given, connections, number)
    for connection in connections:
        await connection.close()
    print(f"peak {peak_mebibytes():.1f} MiB")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    parser.add_argument("table")
    parser.add_argument("--batch", type=int, default=4096)
    parser.add_argument("--connections", type=int, default=4)
    parser.add_argument("--epochs", type=int, default=1)
    parser.add_argument("--mix", type=int, default=16)
    parser.add_argument("--range", type=int, default=64)
    parser.add_argument("--sum", action="store_true", help="add up the ids")
    given = parser.parse_args()
    uvloop.install()
    asyncio.run(run(given))


main()
