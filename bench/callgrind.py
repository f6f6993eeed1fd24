"""callgrind - what one query costs, to the instruction: two runs of different length under callgrind, and
the difference between them, so that start and end do not count."""
import collections
import os
import re
import shutil
import subprocess
import sys
import tempfile

import stage

OBJECTS = [("libevpq", "evpq"), ("libpq", "libpq"), ("libev", "libev"), ("libc.", "libc"),
           ("libc-", "libc"), ("ld-", "libc"), ("libm.", "libc"), ("libpthread", "libc")]
ALLOCATORS = {"malloc", "calloc", "realloc", "reallocarray", "aligned_alloc", "posix_memalign",
              "strdup", "strndup"}


def part_of(path, file):
    """The part of the whole that a piece of code belongs to, by the object it is in. In a static build
    that is the program, and the source file tells."""
    name = os.path.basename(path)
    for start, part in OBJECTS:
        if name.startswith(start):
            return part
    if re.search(r"-bench$", name):
        return "evpq" if re.search(r"(^|/)src/\w+/\w+\.[ch]$", file) else "the program"
    return name or "?"


class Profile:
    """Instructions by (part, function), and calls of the allocator by the part that made them."""

    def __init__(self):
        self.cost, self.allocations = collections.Counter(), collections.Counter()
        self.callers = collections.Counter()

    @classmethod
    def read(cls, path):
        """Reads callgrind's own format (valgrind's manual, "Callgrind Format Specification")."""
        self, names, now = cls(), {}, {"ob": "", "fl": "", "fn": "", "cfn": ""}

        def name(kind, text):
            """A name is given in full once, then by its number."""
            number, _, given = text.partition(" ")
            if given:
                names[kind, number] = given
            return names.get((kind, number), text)

        kinds = {"fi": "fl", "fe": "fl", "cfi": "fl", "cfl": "fl", "cob": "ob", "cfn": "fn"}
        inclusive = False
        with open(path, encoding="utf-8", errors="replace") as lines:
            for line in lines:
                key, equals, value = line.rstrip("\n").partition("=")
                if equals and key in ("ob", "fl", "fn", "fi", "fe", "cfi", "cfl", "cob", "cfn"):
                    given = name(kinds.get(key, key), value)
                    if key in ("ob", "fl", "fn", "cfn"):
                        now[key] = given
                    elif key in ("fi", "fe"):
                        now["fl"] = given
                elif key == "calls":
                    self.note_call(now, int(value.split()[0]))
                    inclusive = True
                elif line[:1] in "+-*" or line[:1].isdigit():
                    if not inclusive and len(line.split()) > 1:
                        part = part_of(now["ob"], now["fl"])
                        self.cost[part, now["fn"]] += int(line.split()[1])
                    inclusive = False
        return self

    def note_call(self, now, times):
        """One allocation is noted once: not where strdup, or its stub without an object, calls malloc."""
        inner = now["ob"] == "???" or now["fn"] in ALLOCATORS
        if not inner and now["cfn"].split("'")[0] in ALLOCATORS:
            part = part_of(now["ob"], now["fl"])
            self.allocations[part] += times
            self.callers[part, now["fn"]] += times

    def less(self, other, queries):
        """What each of the `queries` has cost that are in this one and not in the other."""
        for mine, theirs in ((self.cost, other.cost), (self.allocations, other.allocations),
                             (self.callers, other.callers)):
            mine.subtract(theirs)
            for key in mine:
                mine[key] /= queries
        return self


def run(command, n, folder):
    out = os.path.join(folder, f"{n}.out")
    libtool = os.path.join(stage.BUILD, "libtool")
    wrapper = [libtool, "--silent", "--mode=execute"] if os.access(libtool, os.X_OK) else []
    done = subprocess.run([*wrapper, "valgrind", "--tool=callgrind",
                           f"--callgrind-out-file={out}", *command, f"n={n}"],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        sys.exit(done.stdout)
    return Profile.read(out)


def per_query(arguments):
    """The profile of one query of PROGRAM WORKLOAD [key=value]..., by default evpq-bench's point."""
    if not shutil.which("valgrind"):
        sys.exit("valgrind is not installed")
    program, *rest = arguments or ["evpq-bench"]
    command = [stage.program(program), *(rest or ["point"])]
    stage.behind_postgres()
    stage.set_up(1000)
    few, many = 10000, 30000
    with tempfile.TemporaryDirectory() as folder:
        profile = run(command, many, folder).less(run(command, few, folder), many - few)
    return " ".join([program, *command[1:]]), profile
