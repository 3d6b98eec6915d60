"""What a residual sweep and a forward pass cost against layers, positions and batch, with the exponent of a fitted power.

scaling.py [--seed 0] [--runs 3] [--threads 2] [--width 256] [--heads 8] [--out assets/bench]

The prompts of a pair differ from the first token on, so that no cell is trivial. Each size is run `--runs` times; the least
time counts, as the one with the least of other work in it. The exponent is the slope of a line fitted by least squares to
the logarithms. Writes scaling.svg and scaling.csv into `--out`.
Needs Python with torch, transformers, numpy and matplotlib.
"""
import argparse, csv, pathlib, tempfile
import matplotlib, numpy
import ours, weights

options = argparse.ArgumentParser()
for name, default in (("seed", 0), ("runs", 3), ("threads", 2), ("width", 256), ("heads", 8)):
    options.add_argument(f"--{name}", type=int, default=default)
options.add_argument("--out", type=pathlib.Path, default=ours.ROOT / "assets" / "bench")
options = options.parse_args()

BASE = {"layers": 6, "positions": 16, "batch": 8}
SIZES = {"layers": [2, 4, 8, 16], "positions": [8, 16, 32, 64], "batch": [2, 4, 8, 16]}
environment, (program, forward) = ours.threads(options.threads), ours.build()


def timed(folder, place, size):
    """Least seconds of the sweep, and of a forward pass."""
    ron = place / "sweep.ron"
    ron.write_text(weights.experiment(folder, size["batch"], size["positions"], weights.patch("hook_resid_pre", "Layer, Position")))
    sweeps = [ours.sweep(program, ron, place / f"run-{run}", environment)[0] for run in range(options.runs)]
    sized = ["--batch", size["batch"], "--positions", size["positions"], "--times", 3 * options.runs]
    told, *_ = ours.measured([forward, folder, *sized], environment)
    return {"sweep": min(sweeps), "forward": min(told["all_seconds"])}


rows = []
for axis, values in SIZES.items():
    for value in values:
        size = {**BASE, axis: value}
        with tempfile.TemporaryDirectory() as scratch:
            place = pathlib.Path(scratch)
            sized = {"layers": size["layers"], "width": options.width, "heads": options.heads}
            ours.weights(str(place / "model"), seed=options.seed, changed=0, **sized)
            rows.append({"axis": axis, "value": value, **timed(str(place / "model"), place, size)})
        print(rows[-1], flush=True)

options.out.mkdir(parents=True, exist_ok=True)
with open(options.out / "scaling.csv", "w", newline="") as file:
    table = csv.DictWriter(file, rows[0].keys())
    table.writeheader()
    table.writerows(rows)

matplotlib.use("svg")
matplotlib.rcParams.update({"svg.hashsalt": "scaling", "font.size": 9})
from matplotlib import pyplot

figure, panels = pyplot.subplots(1, 3, figsize=(9, 3), sharey=True, layout="constrained")
for panel, axis in zip(panels, SIZES):
    own = [row for row in rows if row["axis"] == axis]
    x = numpy.array([row["value"] for row in own], float)
    for kind, marker in (("sweep", "o"), ("forward", "s")):
        y = numpy.array([row[kind] for row in own])
        slope, start = numpy.polyfit(numpy.log(x), numpy.log(y), 1)
        print(f"| {kind} | {axis} | {slope:.2f} |")
        (line,) = panel.loglog(x, y, marker, label=f"{kind}: {axis}^{slope:.2f}")
        panel.loglog(x, numpy.exp(start) * x**slope, color=line.get_color(), linewidth=0.8)
    panel.set_xlabel(axis)
    panel.set_xticks(x, [f"{value:.0f}" for value in x], minor=False)
    panel.minorticks_off()
    panel.legend(frameon=False)
panels[0].set_ylabel("seconds")
figure.savefig(options.out / "scaling.svg", metadata={"Date": None})
