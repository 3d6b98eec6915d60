"""Our program and candle-mi over the same Llama-like weights, by turns: the residual sweep.

candle_mi.py [--seed 0] [--runs 5] [--threads 2] [--layers 12] [--width 768] [--heads 12] [--batch 8] [--positions 16]

Llama-like, because candle-mi 0.2 has no causal GPT-2. Needs Python with torch and transformers; `candle_mi.sh` builds the
other program outside this package.
"""
import argparse, json, pathlib, statistics, subprocess, sys, tempfile
import ours, weights

options = argparse.ArgumentParser()
sizes = {"seed": 0, "runs": 5, "threads": 2, "layers": 12, "width": 768, "heads": 12, "batch": 8, "positions": 16}
for name, default in sizes.items():
    options.add_argument(f"--{name}", type=int, default=default)
options = options.parse_args()

environment, (program, _) = ours.threads(options.threads), ours.build()
script = pathlib.Path(__file__).with_name("candle_mi.sh")
other = subprocess.run([script], check=True, stdout=subprocess.PIPE, text=True).stdout.strip()
with tempfile.TemporaryDirectory() as scratch:
    place = pathlib.Path(scratch)
    folder, ron, saved = str(place / "model"), place / "sweep.ron", place / "theirs.json"
    sized = {"layers": options.layers, "width": options.width, "heads": options.heads}
    ours.weights(folder, family="llama", seed=options.seed, **sized)
    ron.write_text(weights.experiment(folder, options.batch, options.positions, weights.patch("hook_resid_pre", "Layer, Position")))
    mine, theirs = [], []
    for run in range(options.runs):
        mine.append(ours.sweep(program, ron, place / f"run-{run}", environment))
        told, whole, peak = ours.measured([other, folder, options.batch, options.positions, saved], environment)
        theirs.append((told["seconds"], whole, peak))
        print(f"{run + 1} of {options.runs}: {mine[-1][0]:.3f} s and {told['seconds']:.3f} s", file=sys.stderr)
    effects = json.loads(saved.read_text())
    # tokens before the changed one are the same, so that patching position 0 leaves the run alone
    base = effects[0][0]
    apart = max(abs(effect - (effects[layer][at] - base)) for (layer, at), effect in mine[0][3].items())

(alone, whole, peak, _), (alone2, whole2, peak2) = zip(*mine), zip(*theirs)
print("| what | ours, s | candle-mi, s | ratio | whole process, ours | theirs | ratio | peak MiB, ours | theirs | largest difference |")
print("|---|---|---|---|---|---|---|---|---|---|")
cells = [ours.spread(alone, 3), ours.spread(alone2, 3), ours.ratio(alone2, alone)]
cells += [ours.spread(whole), ours.spread(whole2), ours.ratio(whole2, whole)]
cells += [f"{statistics.median(peak):.0f}", f"{statistics.median(peak2):.0f}", f"{apart:.1e}"]
print(f"| `resid_pre` | {' | '.join(cells)} |")
