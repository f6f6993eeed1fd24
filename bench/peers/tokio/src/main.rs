//! tokio-bench WORKLOAD [key=value]...: the workloads that evpq-bench and raw-bench run, by
//! tokio-postgres on a runtime of one thread. Clients are taken in turn, so that its driver, which
//! pipelines whatever it is given, has the same number of queries in flight on each.
use futures_util::{future, pin_mut, TryStreamExt};
use std::{
    cell::{Cell, RefCell},
    env, fs,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};
use tokio_postgres::{
    binary_copy::{BinaryCopyInWriter, BinaryCopyOutStream},
    types::Type,
    Client, Error, NoTls, Row, Statement,
};

const POINT: &str = "select id, randomnumber from world where id = $1";
const UPDATE: &str = "update tally set number = number + $2 where id = $1";
const FANOUT: &str = "select pg_sleep(0.05)";
const BIG: &str = "select id, a, b, c, d from wide";
const COPY_OUT: &str = "copy (select id, a, b, c, d from wide) to stdout (format binary)";
const LANDING: &str = "create unlogged table if not exists landing (like wide); truncate landing";
const LANDING_SUM: &str = "select sum(id + a + b::int8 + length(c) + ascii(right(c, 1)) + \
     extract(epoch from d)::int8)::int8 from landing";
const COPY_IN: &str = "copy landing from stdin (format binary)";
const COLUMNS: [Type; 5] = [Type::INT4, Type::INT8, Type::FLOAT8, Type::TEXT, Type::TIMESTAMPTZ];

struct Bench {
    workload: String,
    connections: usize,
    n: usize,
    in_flight: usize,
    left: Cell<usize>,
    sum: Cell<u64>,
    random: Cell<u32>,
    latencies: RefCell<Vec<Duration>>,
}

fn seconds(t: libc::timeval) -> f64 {
    t.tv_sec as f64 + t.tv_usec as f64 / 1e6
}

/// User and system time in seconds.
fn usage() -> (f64, f64) {
    let mut r: libc::rusage = unsafe { std::mem::zeroed() };
    unsafe { libc::getrusage(libc::RUSAGE_SELF, &mut r) };
    (seconds(r.ru_utime), seconds(r.ru_stime))
}

/// The most memory used. Not from getrusage, where exec keeps the parent's.
fn peak_kilobytes() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}

impl Bench {
    fn from_arguments() -> Bench {
        let arguments: Vec<String> = env::args().skip(1).collect();
        let workload = arguments.first().expect("a workload").clone();
        let (connections, n, in_flight) = match workload.as_str() {
            "latency" => (1, 20_000, 1),
            "update" => (8, 50_000, 256),
            "big" | "stream" => (1, 0, 1),
            "copy-in" => (1, 1_000_000, 1),
            "copy-out" => (1, 0, 1),
            "fanout" => (20, 20, 20),
            _ => (8, 200_000, 1000),
        };
        let key = |name: &str, standard: usize| {
            let pair = arguments.iter().find_map(|a| a.strip_prefix(&format!("{name}=")));
            pair.map_or(standard, |value| value.parse().expect("a number"))
        };
        let n = key("n", n);
        Bench {
            connections: key("connections", connections),
            n,
            in_flight: key("in_flight", in_flight),
            left: Cell::new(n),
            sum: Cell::new(0),
            random: Cell::new(2463534242),
            latencies: RefCell::default(),
            workload,
        }
    }

    fn sql(&self) -> &'static str {
        match self.workload.as_str() {
            "update" => UPDATE,
            "fanout" => FANOUT,
            "big" | "stream" => BIG,
            _ => POINT,
        }
    }

    fn next_id(&self) -> i32 {
        let mut x = self.random.get();
        x ^= x << 13;
        x ^= x >> 17;
        x ^= x << 5;
        self.random.set(x);
        (x % 10_000) as i32 + 1
    }

    fn add(&self, value: u64) {
        self.sum.set(self.sum.get().wrapping_add(value));
    }

    async fn one(&self, client: &Client, statement: &Statement) -> Result<(), Error> {
        match self.workload.as_str() {
            "update" => drop(client.execute(statement, &[&self.next_id(), &1i32]).await?),
            "fanout" => self.add(client.query(statement, &[]).await?.len() as u64),
            workload => {
                let begun = (workload == "latency").then(Instant::now);
                let row = client.query_one(statement, &[&self.next_id()]).await?;
                self.add(row.get::<_, i32>(0) as u64 + row.get::<_, i32>(1) as u64);
                if let Some(begun) = begun {
                    self.latencies.borrow_mut().push(begun.elapsed());
                }
            }
        }
        Ok(())
    }

    async fn worker(&self, client: &Client, statement: &Statement) -> Result<(), Error> {
        while self.left.get() > 0 {
            self.left.set(self.left.get() - 1);
            self.one(client, statement).await?;
        }
        Ok(())
    }

    fn read_row(&self, row: &Row) {
        let (id, a, b, c): (i32, i64, f64, &str) = (row.get(0), row.get(1), row.get(2), row.get(3));
        let d: SystemTime = row.get(4);
        let micros = d.duration_since(UNIX_EPOCH).map_or(0, |t| t.as_micros() as u64);
        let text = c.len() as u64 + c.as_bytes()[0] as u64;
        self.add((id as u64).wrapping_add(a as u64).wrapping_add(b as u64 + text + micros));
    }

    async fn big(&self, client: &Client, statement: &Statement) -> Result<usize, Error> {
        let parameters: [i32; 0] = [];
        let mut rows = Box::pin(client.query_raw(statement, parameters).await?);
        let mut n = 0;
        while let Some(row) = rows.try_next().await? {
            self.read_row(&row);
            n += 1;
        }
        Ok(n)
    }

    async fn copy_out(&self, client: &Client) -> Result<usize, Error> {
        let rows = BinaryCopyOutStream::new(client.copy_out(COPY_OUT).await?, &COLUMNS);
        pin_mut!(rows);
        let mut n = 0;
        while let Some(row) = rows.try_next().await? {
            let (id, a, b, c): (i32, i64, f64, &str) =
                (row.get(0), row.get(1), row.get(2), row.get(3));
            let d: SystemTime = row.get(4);
            let micros = d.duration_since(UNIX_EPOCH).map_or(0, |t| t.as_micros() as u64);
            let text = c.len() as u64 + c.as_bytes()[0] as u64;
            self.add((id as u64).wrapping_add(a as u64).wrapping_add(b as u64 + text + micros));
            n += 1;
        }
        Ok(n)
    }

    async fn copy_in(&self, client: &Client) -> Result<usize, Error> {
        let writer = BinaryCopyInWriter::new(client.copy_in(COPY_IN).await?, &COLUMNS);
        pin_mut!(writer);
        let mut text = *b"a text of some lengt";
        for i in 1..=self.n as i64 {
            text[19] = b'a' + (i % 26) as u8;
            let c = std::str::from_utf8(&text).expect("ASCII");
            let d = UNIX_EPOCH + Duration::from_secs(1_577_836_800 + i as u64);
            writer.as_mut().write(&[&(i as i32), &(i * 1_000_003), &(i as f64 * 0.001234), &c, &d]).await?;
        }
        Ok(writer.finish().await? as usize)
    }

    async fn run(&self, clients: &[(Client, Statement)]) -> Result<usize, Error> {
        if matches!(self.workload.as_str(), "big" | "stream") {
            return self.big(&clients[0].0, &clients[0].1).await;
        }
        if self.workload == "copy-out" {
            return self.copy_out(&clients[0].0).await;
        }
        if self.workload == "copy-in" {
            return self.copy_in(&clients[0].0).await;
        }
        let workers = (0..self.in_flight.min(self.n)).map(|i| {
            let (client, statement) = &clients[i % self.connections];
            self.worker(client, statement)
        });
        future::try_join_all(workers).await?;
        Ok(self.n)
    }

    fn show(&self, done: usize, wall: f64, user: f64, system: f64) {
        let mut latencies = self.latencies.borrow_mut();
        latencies.sort();
        let at = |share: f64| latencies[(latencies.len() as f64 * share) as usize].as_secs_f64() * 1e6;
        let notes = match latencies.is_empty() {
            true => String::new(),
            false => format!(",\"p50_us\":{:.3},\"p99_us\":{:.3}", at(0.5), at(0.99)),
        };
        println!(
            "{{\"program\":\"tokio-postgres\",\"workload\":\"{}\",\"connections\":{},\"n\":{},\
             \"in_flight\":{},\"wall\":{:.6},\"user\":{:.6},\"sys\":{:.6},\"rss_kb\":{},\
             \"checksum\":{}{}}}",
            self.workload, self.connections, done, self.in_flight, wall, user, system, peak_kilobytes(),
            self.sum.get(), notes
        );
    }
}

async fn connect(sql: &str) -> Result<(Client, Statement), Error> {
    let of = |name: &str| env::var(name).expect("PGHOST, PGPORT, PGUSER, PGDATABASE and EVPQ_TEST_PASSWORD");
    let (client, connection) = tokio_postgres::Config::new()
        .host(&of("PGHOST"))
        .port(of("PGPORT").parse().expect("a port"))
        .user(&of("PGUSER"))
        .password(of("EVPQ_TEST_PASSWORD")) // it reads no PGPASSFILE
        .dbname(&of("PGDATABASE"))
        .connect(NoTls)
        .await?;
    tokio::spawn(connection);
    let statement = client.prepare(sql).await?;
    Ok((client, statement))
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let bench = Bench::from_arguments();
    let mut clients = Vec::new();
    for _ in 0..bench.connections {
        clients.push(connect(bench.sql()).await?);
    }
    if bench.workload == "copy-in" {
        clients[0].0.batch_execute(LANDING).await?;
    }
    let (user, system) = usage();
    let begun = Instant::now();
    let done = bench.run(&clients).await?;
    let wall = begun.elapsed().as_secs_f64();
    let (user_end, system_end) = usage();
    if bench.workload == "copy-in" {
        bench.add(clients[0].0.query_one(LANDING_SUM, &[]).await?.get::<_, i64>(0) as u64);
    }
    bench.show(done, wall, user_end - user, system_end - system);
    Ok(())
}
