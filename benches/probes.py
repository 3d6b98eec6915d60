"""Logistic probes over layers × positions: ours and scikit-learn's, same states, by turns.

probes.py [--seed 0] [--runs 5] [--threads 2] [--layers 12] [--positions 2] [--items 10000] [--width 768] [--classes 2]
          [--tolerance 1e-4] [--nested] [--ways float32,float32-jobs,float64,float64-jobs] [--folder DIR]

Needs Python with scikit-learn (1.9.1 was taken). States have what those of language models have: a few directions hold most of
the variance, a few features are a hundred times the others, none has mean zero; what can be read grows with the layer. Both
sides scale the features and stop where no value of the gradient is above the tolerance (the mean over items). `--nested`
holds items out in five folds and chooses the penalty of five in four inner ones, else there is one probe of all items in each
cell. Each of `--ways` is scikit-learn in numbers of that type, cells in turn or (`-jobs`) as many at once as there are threads; with
none of them ours is timed alone.
"""
import argparse, json, pathlib, statistics, subprocess, sys, tempfile
import ours

options = argparse.ArgumentParser()
sizes = {"seed": 0, "runs": 5, "threads": 2, "layers": 12, "positions": 2, "items": 10000, "width": 768, "classes": 2}
for name, default in sizes.items():
    options.add_argument(f"--{name}", type=int, default=default)
options.add_argument("--tolerance", type=float, default=1e-4)
options.add_argument("--nested", action="store_true")
options.add_argument("--ways", default="float32,float32-jobs,float64,float64-jobs")
options.add_argument("--program", help="our program, built beforehand")
options.add_argument("--folder", help="states made beforehand")
options = options.parse_args()

MAKE = """
import json, pathlib, sys, numpy
folder, seed, layers, positions, items, width, classes = pathlib.Path(sys.argv[1]), *map(int, sys.argv[2:])
random = numpy.random.default_rng(seed)
cells = layers * positions
states = numpy.memmap(folder / "states.bin", dtype="<f4", mode="w+", shape=(cells, items, width))
labels = numpy.empty((cells, items), dtype="<u4")
for cell in range(cells):
    spectrum = numpy.arange(1, width + 1) ** -0.75
    turn = numpy.linalg.qr(random.normal(size=(width, width)))[0]
    outlying, centre = random.integers(width, size=3), random.normal(size=width) * 3
    strength = 6 * (cell // positions + 1) / layers
    reading = random.normal(size=(width, classes)) * strength / width**0.5
    for first in range(0, items, 10000):
        hidden = random.normal(size=(min(10000, items - first), width))
        rows = (hidden * spectrum * width**0.5) @ turn
        rows[:, outlying] *= 100
        states[cell, first:first + len(rows)] = rows + centre
        told = hidden @ reading
        labels[cell, first:first + len(rows)] = (told + random.gumbel(size=told.shape)).argmax(1)
labels.tofile(folder / "labels.bin")
(folder / "sizes.json").write_text(json.dumps({"cells": cells, "items": items, "width": width, "classes": classes}))
"""
JUDGE = """
import json, pathlib, sys, numpy
folder, nested = pathlib.Path(sys.argv[1]), sys.argv[2] == "nested"
sizes = json.loads((folder / "sizes.json").read_text())
shape = sizes["cells"], sizes["items"], sizes["width"]
states = numpy.memmap(folder / "states.bin", dtype="<f4", mode="r", shape=shape)
labels = numpy.fromfile(folder / "labels.bin", dtype="<u4").reshape(shape[:2])
def nats(found, cell):
    rows, penalty = states[cell].astype(float), 0
    if not nested:
        logits = rows @ found[:, :-1].T + found[:, -1]
        penalty = 0.5 * float(((found[:, :-1] * rows.std(0)) ** 2).sum())
        found = numpy.hstack([numpy.zeros_like(logits), logits]) if logits.shape[1] == 1 else logits
        found = found - numpy.logaddexp.reduce(found, axis=1)[:, None]
    return (penalty - found[numpy.arange(len(found)), labels[cell]].sum()) / len(found)
sides = [json.loads(pathlib.Path(path).read_text()) for path in sys.argv[3:]]
print(json.dumps([[nats(numpy.array(found), cell) for cell, found in enumerate(side)] for side in sides]))
"""


def python(script, *arguments):
    """Runs a script in a process of its own, so that this one stays small: see `ours.weights`."""
    command = [sys.executable, "-c", script, *map(str, arguments)]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout


environment = ours.threads(options.threads)
program = options.program or ours.build("probes")[1]
scratch = tempfile.TemporaryDirectory()
place = pathlib.Path(scratch.name)
folder = options.folder or place
if not options.folder:
    python(MAKE, folder, *(vars(options)[name] for name in ("seed", "layers", "positions", "items", "width", "classes")))
mode = ["--nested"] if options.nested else []
common = [folder, "--tolerance", options.tolerance, *mode]
commands = {"ours": [program, *common]}
for way in filter(None, options.ways.split(",")):
    kind, _, jobs = way.partition("-")
    peer = [sys.executable, pathlib.Path(__file__).with_name("probes_theirs.py"), *common, "--type", kind]
    commands[way] = peer + (["--jobs", options.threads] if jobs else [])

runs = {way: [] for way in commands}
for run in range(options.runs):
    for way, command in commands.items():
        told, whole, peak = ours.measured([*command, "--save", place / f"{way}.json"], environment)
        runs[way].append((told["seconds"], whole, peak))
        print(f"{run + 1} of {options.runs}, {way}: {told['seconds']:.2f} s, {peak:.0f} MiB", file=sys.stderr)

saved = [place / f"{way}.json" for way in commands]
losses = json.loads(python(JUDGE, folder, "nested" if options.nested else "single", *saved))
what = "nats an item, items held out" if options.nested else "loss an item above the least found"
print(f"\n{options.layers} layers × {options.positions} positions, {options.items} states of width {options.width}, {options.classes} classes,")
print(f"{'nested cross-validation' if options.nested else 'one probe of all items'} a cell, {options.runs} runs by turns, {options.threads} threads, seed {options.seed}, tolerance {options.tolerance:g}\n")
print(f"| | seconds | theirs / ours | peak MiB | {what} |")
print("|---|---|---|---|---|")
seconds, _, _ = zip(*runs["ours"])
least = [min(cell) for cell in zip(*losses)]
for (way, measured), loss in zip(runs.items(), losses):
    own, _, peaks = zip(*measured)
    excess = statistics.mean(loss) if options.nested else max(a - b for a, b in zip(loss, least))
    cells = [way, ours.spread(own), "" if way == "ours" else ours.ratio(own, seconds), ours.spread(peaks, 0), f"{excess:.3g}"]
    print("| " + " | ".join(cells) + " |")
