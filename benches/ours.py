"""Running our own program for the scripts beside this one, and what every process is measured by."""
import csv, json, os, pathlib, statistics, subprocess, sys, tempfile, time

ROOT = pathlib.Path(__file__).resolve().parent.parent


def threads(count):
    """The environment that holds every program to this many threads."""
    names = ("RAYON_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")
    return {**os.environ, **{name: str(count) for name in names}}


def measured(command, environment):
    """Runs a command: what it printed last as JSON, seconds from its start to its end, peak MiB."""
    said, begun = tempfile.TemporaryFile(), time.perf_counter()
    process = subprocess.Popen(
        [str(part) for part in command], stdout=subprocess.PIPE, stderr=said, env=environment, cwd=ROOT
    )
    out = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.perf_counter() - begun
    if process.returncode:
        said.seek(0)
        raise SystemExit(f"{command} failed:\n{said.read().decode()}")
    return json.loads(out.decode().splitlines()[-1]), seconds, usage.ru_maxrss / 1024


def weights(folder, **sizes):
    """Fresh weights by weights.py in a process of its own: the kernel counts the memory of whoever starts a program as that
    program's, until it runs, so that this one must stay small."""
    script = [sys.executable, ROOT / "benches" / "weights.py", folder]
    options = [part for name, value in sizes.items() for part in (f"--{name}", str(value))]
    subprocess.run([*script, *options], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def build(bench="forward"):
    """Our program and one of the benches, both built in release."""
    subprocess.run(["cargo", "build", "--release", "--quiet"], cwd=ROOT, check=True)
    built = built_bench(bench)
    target = json.loads(
        subprocess.run(
            ["cargo", "metadata", "--no-deps", "--format-version=1"], cwd=ROOT, check=True, stdout=subprocess.PIPE
        ).stdout
    )["target_directory"]
    return pathlib.Path(target) / "release" / "patchclamp", built


def built_bench(bench, package="patchclamp", profile="bench"):
    """One of the benches of a package, built in release or in another profile."""
    command = ["cargo", "bench", "--package", package, "--bench", bench, "--profile", profile]
    command += ["--no-run", "--quiet", "--message-format=json"]
    lines = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE).stdout.splitlines()
    found = [json.loads(line) for line in lines]
    return pathlib.Path(
        [made["executable"] for made in found if made.get("executable") and made["target"]["name"] == bench][-1]
    )


def sweep(program, ron, out, environment):
    """One run: seconds of the sweep, of the process, peak MiB, effects by (layer, head or position)."""
    told, whole, peak = measured([program, "run", ron, "--out", out, "--json"], environment)
    alone = next(step["seconds"] for step in told["seconds"] if step["step"] == "patch")
    with open(pathlib.Path(out) / "tables" / "01_patch.denoise.csv") as file:
        rows = list(csv.DictReader(file))
    effects = {(int(row["layer"]), int(row["head"] or row["position"])): float(row["effect"]) for row in rows}
    return alone, whole, peak, effects


def spread(values, digits=2):
    """Median and range, as a table has them."""
    return f"{statistics.median(values):.{digits}f} ({min(values):.{digits}f} to {max(values):.{digits}f})"


def ratio(theirs, ours):
    """Ratio of medians, and the range of the ratios of neighbouring runs."""
    pairs = [their / our for their, our in zip(theirs, ours)]
    return f"{statistics.median(theirs) / statistics.median(ours):.2f}× ({min(pairs):.2f} to {max(pairs):.2f})"
