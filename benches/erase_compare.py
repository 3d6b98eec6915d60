"""LEACE and CKA: ours, and concept-erasure and torch on the same matrices, by turns.

erase_compare.py [--seed 0] [--runs 5] [--threads 2] [--sizes 10000x768,1000x2048] [--profile bench]

Needs Python with torch and concept-erasure (0.2.4 was taken). Both sides read the same numbers, of double precision, and
time the fit or the comparison alone, after a small one that starts their threads. States have correlated columns, and two classes
whose means differ.
"""
import argparse, pathlib, sys, tempfile
import ours

options = argparse.ArgumentParser()
for name, default in {"seed": 0, "runs": 5, "threads": 2}.items():
    options.add_argument(f"--{name}", type=int, default=default)
options.add_argument("--sizes", default="10000x768,1000x2048")
options.add_argument("--profile", default="bench")
options = options.parse_args()

environment = ours.threads(options.threads)
program = ours.built_bench("erase_compare", "patchclamp-probes", options.profile)
peer = [sys.executable, pathlib.Path(__file__).with_name("erase_compare_theirs.py")]
make = """
import numpy, pathlib, sys
folder, items, width, seed = pathlib.Path(sys.argv[1]), *map(int, sys.argv[2:])
draw = numpy.random.default_rng(seed)
labels = draw.integers(0, 2, items)
x = draw.normal(size=(items, width)) * numpy.geomspace(1, 0.05, width)
x = x + 0.3 * x[:, ::-1] + 0.5 * labels[:, None] * draw.normal(size=width)
y = 0.5 * x[:, draw.permutation(width)] + draw.normal(size=(items, width))
for name, rows in (("x", x), ("y", y), ("labels", labels.astype(float))):
    rows.tofile(folder / f"{name}.f64")
print("{}")
"""
# read in a process of its own: the kernel counts the memory of whoever starts a program as that program's
apart = """
import numpy, json, pathlib, sys
ours, theirs = (numpy.fromfile(pathlib.Path(sys.argv[1]) / f"{name}.f64") for name in ("ours", "theirs"))
print(json.dumps(float(abs(ours - theirs).max())))
"""

rows = []
for size in options.sizes.split(","):
    items, width = map(int, size.split("x"))
    with tempfile.TemporaryDirectory() as folder:
        ours.measured([sys.executable, "-c", make, folder, items, width, options.seed], environment)
        for method in ("leace", "cka", "debiased_cka"):
            runs, differences = {"ours": [], "theirs": []}, []
            for run in range(options.runs):
                told = {}
                for side, command in (("ours", [program]), ("theirs", peer)):
                    told[side], _, peak = ours.measured([*command, method, folder, items, width], environment)
                    runs[side].append((told[side]["seconds"], peak))
                    print(f"{run + 1} of {options.runs}, {size}, {method}, {side}: {told[side]['seconds']:.3f} s, {peak:.0f} MiB", file=sys.stderr)
                figures = [side["figure"] for side in told.values()]
                differences.append(abs(figures[0] - figures[1]) / max(map(abs, figures)))
                if method == "leace":
                    differences.append(ours.measured([sys.executable, "-c", apart, folder], environment)[0])
            (seconds, peaks), (seconds2, peaks2) = (zip(*runs[side]) for side in runs)
            timed = [ours.spread(seconds, 3), ours.spread(seconds2, 3), ours.ratio(seconds2, seconds)]
            rows.append([size, method, *timed, ours.spread(peaks, 0), ours.spread(peaks2, 0), f"{max(differences):.0e}"])

print(f"\n{options.runs} runs each by turns, {options.threads} threads, seed {options.seed}, double precision\n")
print("| states | method | ours, s | theirs, s | ratio | peak MiB, ours | theirs | largest difference |")
print("|---|---|---|---|---|---|---|---|")
for row in rows:
    print("| " + " | ".join(row) + " |")
