"""stage - what run, icount and allocs stand on: the built programs, and a server of their own."""
import glob
import json
import os
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.environ.get("top_srcdir") or os.path.dirname(HERE)
BUILD = os.environ.get("top_builddir") or os.getcwd()


def program(name):
    """The path of one of our programs in the build folder."""
    path = os.path.join(BUILD, "bench", name)
    if not os.access(path, os.X_OK):
        sys.exit(f"{path} is not there: run this by `make bench`, or with top_builddir set to the "
                 "folder where `make check` has built it")
    return path


def behind_postgres():
    """Begins this program again behind tests/with-postgres, unless that is where it is."""
    if "EVPQ_PGDATA" not in os.environ:
        os.environ["top_builddir"] = os.path.abspath(BUILD)
        with_postgres = os.path.join(TOP, "tests", "with-postgres")
        os.execv(with_postgres, [with_postgres, "--", sys.executable, *sys.argv])
    # What the encryption of a connection costs is another question.
    os.environ.update(PGSSLMODE="disable", PGGSSENCMODE="disable")


def set_up(rows):
    """Gives the server memory enough to measure clients by it, and the tables; `wide` has so many rows."""
    raw = program("raw-bench")
    subprocess.run([raw, "tune"], check=True)
    subprocess.run([os.environ["EVPQ_PG_CTL"], "restart"], check=True, stdout=subprocess.DEVNULL)
    subprocess.run([raw, "setup", f"n={rows}"], check=True)


def measure(command, host):
    """Runs a program that ends by printing a line of JSON: its dictionary. Raises RuntimeError."""
    done = subprocess.run(command, env=dict(os.environ, PGHOST=host), stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True)
    if done.returncode:
        raise RuntimeError((done.stderr.strip() or f"exit status {done.returncode}"))
    return json.loads(done.stdout.strip().splitlines()[-1])


def server_version():
    postgres = os.path.join(os.environ["EVPQ_PG_BINDIR"], "postgres")
    env = dict(os.environ)
    if env.get("EVPQ_PG_LIBDIR"):
        env["LD_LIBRARY_PATH"] = env["EVPQ_PG_LIBDIR"]
    said = subprocess.run([postgres, "--version"], env=env, stdout=subprocess.PIPE, text=True)
    return said.stdout.split(") ")[-1].split()[0]


def machine():
    """One line: what the figures were made on."""
    cpu = "unknown CPU"
    with open("/proc/cpuinfo", encoding="utf-8") as lines:
        for line in lines:
            if line.startswith("model name"):
                cpu = line.split(":", 1)[1].strip()
                break
    return f"{cpu}, {len(os.sched_getaffinity(0))} cores, {os.uname().sysname} {os.uname().release}"


# ---- peers: measured where they are installed, left out where not ----

def find_asyncpg():
    """The command that measures asyncpg, or why there is none."""
    for python in dict.fromkeys([sys.executable, "/usr/bin/python3"]):
        try:
            found = subprocess.run([python, "-c", "import asyncpg"], stderr=subprocess.DEVNULL)
        except OSError:
            continue
        if found.returncode == 0:
            return [python, os.path.join(HERE, "peers", "asyncpg_bench.py")], None
    return None, "asyncpg is not installed (Debian: python3-asyncpg)"


def copy_tokio():
    """Copies its sources to where cargo may write beside them: never to where they come from, which is a
    folder of the same build when that is made in the source tree."""
    source = os.path.join(HERE, "peers", "tokio")
    folder = os.path.join(BUILD, "bench", "tokio-build")
    for name in ("Cargo.toml", os.path.join("src", "main.rs")):
        os.makedirs(os.path.dirname(os.path.join(folder, name)), exist_ok=True)
        shutil.copyfile(os.path.join(source, name), os.path.join(folder, name))
    return folder


def find_tokio():
    """The same for tokio-postgres, which is built here from the crates that Debian packages."""
    crates = "/usr/share/cargo/registry"
    if not glob.glob(f"{crates}/tokio-postgres-0*"):
        return None, "tokio-postgres is not installed (Debian: cargo librust-tokio-postgres-dev " \
                     "librust-tokio-dev librust-futures-dev)"
    folder = copy_tokio()
    try:
        built = subprocess.run(
            ["cargo", "build", "--quiet", "--release", "--offline",
             "--config", 'source.crates-io.replace-with="debian"',
             "--config", f'source.debian.directory="{crates}"'],
            cwd=folder, stderr=subprocess.PIPE, text=True)
    except OSError:
        return None, "cargo is not installed"
    if built.returncode:
        return None, "tokio-postgres does not build: " + built.stderr.strip().splitlines()[0]
    return [os.path.join(folder, "target", "release", "tokio-bench")], None
