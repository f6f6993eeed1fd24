"""report - from the runs of one or more cases to a table of medians, a CSV file, and a plot."""
import csv
import statistics
from xml.sax.saxutils import escape

# What is taken from a run, as "name: how".
FIGURES = {
    "rate": lambda run: run["n"] / run["wall"],
    "cpu_us": lambda run: (run["user"] + run["sys"]) / run["n"] * 1e6,
    "user_us": lambda run: run["user"] / run["n"] * 1e6,
    "sys_us": lambda run: run["sys"] / run["n"] * 1e6,
    "p50_us": lambda run: run.get("p50_us"),
    "p99_us": lambda run: run.get("p99_us"),
    "rss_mib": lambda run: run["rss_kb"] / 1024,
    "bytes_waiting": lambda run: run["bytes_per_waiting"] - run.get("bytes_of_query", 0)
                     if "bytes_per_waiting" in run else None,
}
RATIOS = ("rate", "cpu_us", "p50_us", "p99_us")
COLUMNS = ["case", "socket", "program", "runs", "n", "libpq", "sync", *FIGURES,
           *(f"{name}_ratio" for name in RATIOS)]


def median(values):
    values = [value for value in values if value is not None]
    return statistics.median(values) if values else None


def ratio(runs, base, figure):
    """The median of what a run and the base's run of the same round have to each other."""
    take = FIGURES[figure]
    pairs = [(take(runs[i]), take(base[i])) for i in runs if i in base]
    return median(mine / theirs for mine, theirs in pairs if mine is not None and theirs)


def summarize(case, socket, results, base):
    """Rows of one case on one socket; results[program][round] is what a run printed."""
    rows = []
    for program, runs in results.items():
        if not runs:
            continue
        first = next(iter(runs.values()))
        row = {"case": case, "socket": socket, "program": program, "runs": len(runs),
               "n": first["n"], "libpq": first.get("libpq", ""), "sync": first.get("sync", "")}
        for name, take in FIGURES.items():
            row[name] = median(take(run) for run in runs.values())
        for name in RATIOS:
            row[f"{name}_ratio"] = ratio(runs, results.get(base, {}), name)
        rows.append(row)
    return rows


# ---- table ----

def number(value):
    if value is None:
        return ""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}" if value < 10 else f"{value:.1f}"


def times(value):
    return "" if value is None else f"{value:.2f}"


def table(rows):
    """Markdown, padded so that it reads as it is, too."""
    head = ["case", "socket", "program", "runs", "per second", "x", "CPU us (user + system)", "x",
            "p50 us", "x", "p99 us", "x", "peak MiB", "bytes waiting"]
    cells = [[row["case"], row["socket"], row["program"], str(row["runs"]), number(row["rate"]),
              times(row["rate_ratio"]),
              f"{row['cpu_us']:.2f} ({row['user_us']:.2f} + {row['sys_us']:.2f})",
              times(row["cpu_us_ratio"]), number(row["p50_us"]), times(row["p50_us_ratio"]),
              number(row["p99_us"]), times(row["p99_us_ratio"]), number(row["rss_mib"]),
              number(row["bytes_waiting"])] for row in rows]
    widths = [max(len(line[i]) for line in [head, *cells]) for i in range(len(head))]

    def line(texts):
        padded = (t.ljust(w) if i < 3 else t.rjust(w)
                  for i, (t, w) in enumerate(zip(texts, widths)))
        return "| " + " | ".join(padded) + " |"

    rule = "|" + "|".join("-" * (w + 2) if i < 3 else "-" * (w + 1) + ":"
                          for i, w in enumerate(widths)) + "|"
    return "\n".join([line(head), rule, *map(line, cells)])


def write_csv(path, rows):
    with open(path, "w", newline="", encoding="utf-8") as file:
        out = csv.DictWriter(file, COLUMNS)
        out.writeheader()
        for row in rows:
            out.writerow({key: f"{value:.6g}" if isinstance(value, float) else value
                          for key, value in row.items()})


# ---- plot: a group of bars for each case and socket ----

BAR, GAP, LEFT, WIDTH, RIGHT = 18, 30, 190, 420, 240
COLOURS = {"evpq": "#1f6feb", "raw": "#57606a"}


def plotted(row):
    """What a bar shows: the figure's name, and the words beside the bar."""
    if row["p99_us"] is not None:
        words = f"p50 {number(row['p50_us'])} us, p99 {number(row['p99_us'])} us"
        return "p99_us" if row["case"].startswith("head") else "p50_us", words
    return "rate", f"{number(row['rate'])}/s, {number(row['cpu_us'])} us CPU each"


def draw_group(y, title, rows):
    figure = plotted(rows[0])[0]
    note = {"rate": "per second", "p50_us": "median, less is better",
            "p99_us": "99th percentile, less is better"}[figure]
    out = [f'<text x="{LEFT}" y="{y}" class="title">{escape(title)}: {note}</text>']
    most = max(row[figure] for row in rows) or 1
    for row in rows:
        y += BAR
        length = max(1, row[figure] / most * WIDTH)
        colour = COLOURS.get(row["program"].split(",")[0].split()[0], "#b08800")
        out += [f'<text x="{LEFT - 8}" y="{y}" text-anchor="end">{escape(row["program"])}</text>',
                f'<rect x="{LEFT}" y="{y - 11}" width="{length:.1f}" height="13" '
                f'fill="{colour}"/>',
                f'<text x="{LEFT + length + 6:.1f}" y="{y}">{escape(plotted(row)[1])}</text>']
    return out, y + GAP


def write_svg(path, rows, caption):
    groups = {}
    for row in rows:
        groups.setdefault(f"{row['case']} ({row['socket']})", []).append(row)
    body, y = [], 48
    for title, members in groups.items():
        lines, y = draw_group(y, title, members)
        body += lines
    size = f'width="{LEFT + WIDTH + RIGHT}" height="{y}"'
    with open(path, "w", encoding="utf-8") as file:
        file.write(f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="sans-serif" '
                   'font-size="12">\n<style>.title { font-weight: bold }</style>\n'
                   '<rect width="100%" height="100%" fill="white"/>\n'
                   f'<text x="8" y="20">{escape(caption)}</text>\n')
        file.write("\n".join(body) + "\n</svg>\n")
