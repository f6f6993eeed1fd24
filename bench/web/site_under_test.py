"""site_under_test - what run and overload stand on: the tables, and a web server that is asked."""
import os
import shutil
import subprocess
import sys
import urllib.request

import stage

SOURCES = os.path.join(stage.TOP, "examples", "web")
WEB = os.path.join(stage.BUILD, "examples", "web", "web")


def begin():
    """Begins this program again behind a throwaway server, and makes the tables."""
    if not shutil.which("wrk"):
        sys.exit(f"{sys.argv[0]}: wrk is not installed")
    if not os.access(WEB, os.X_OK):
        sys.exit(f"{sys.argv[0]}: {WEB} is not built")
    stage.behind_postgres()
    subprocess.run([os.environ["EVPQ_PSQL"], "-XAtq", "-v", "ON_ERROR_STOP=1", "-f", os.path.join(SOURCES, "schema.sql")],
                   check=True)


class Site:
    """A server under test, while it runs."""

    def __init__(self, command):
        self.process = subprocess.Popen([*command, "--port", "0"], stdout=subprocess.PIPE, text=True)
        words = self.process.stdout.readline().split()
        if not words:
            sys.exit(f"{command[-1]} did not start")
        self.url = words[-1]

    def get(self, path):
        with urllib.request.urlopen(self.url + path) as answer:
            return answer.read()

    def cpu(self):
        """Seconds so far, of the process alone."""
        with open(f"/proc/{self.process.pid}/stat", encoding="utf-8") as stat:
            user, system = stat.read().rsplit(")", 1)[1].split()[11:13]
        return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")

    def stop(self):
        """Its exit status."""
        self.process.terminate()
        return self.process.wait()
