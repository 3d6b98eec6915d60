"""ACDC by resumed trials, ours, and with a whole pass for every trial, the published way: same weights, tokens and decisions.

acdc.py [--seed 0] [--runs 5] [--threads 2] [--layers 12] [--width 768] [--heads 12] [--items 32] [--positions 16]
        [--changed 5] [--threshold 0.0001] [--sample 5] [--folder DIR]

Needs Python with torch, transformers and a transformer-lens that has HookedTransformer (2.16 was taken). Our search is run
whole. Of theirs, which would take hours, `--sample` trials are run, evenly from all that are needed, each in the circuit of
its time; the mean of their seconds times the number of trials is what is extrapolated, and only that. Both leave out trials of ports
that nothing hears. That the trials are the same is seen by what judging changes by in them. Fresh weights are made in a
temporary folder unless `--folder` names one made by weights.py.
"""
import argparse, json, pathlib, statistics, sys, tempfile
import ours, weights

options = argparse.ArgumentParser()
sizes = {"seed": 0, "runs": 5, "threads": 2, "layers": 12, "width": 768, "heads": 12, "items": 32, "positions": 16}
for name, default in {**sizes, "changed": 5, "sample": 5}.items():
    options.add_argument(f"--{name}", type=int, default=default)
options.add_argument("--threshold", type=float, default=0.0001)
options.add_argument("--folder")
options = options.parse_args()

environment, (_, search) = ours.threads(options.threads), ours.build("circuits")
scratch = tempfile.TemporaryDirectory()
place = pathlib.Path(scratch.name)
folder = options.folder or str(place / "model")
if not options.folder:
    ours.weights(folder, **{name: vars(options)[name] for name in ("seed", "layers", "width", "heads", "changed")})
ron, trials = place / "acdc.ron", place / "trials.json"
ron.write_text(weights.experiment(folder, options.items, options.positions, f"Acdc(threshold: {options.threshold})"))
peer = [sys.executable, pathlib.Path(__file__).with_name("acdc_theirs.py"), folder, trials, "--sample", options.sample]
peer += ["--items", options.items, "--positions", options.positions]

mine, theirs, each, peaks, apart = [], [], [], ([], []), []
for run in range(options.runs):
    told, _, peak = ours.measured([search, ron, "--save", trials], environment)
    mine.append(told["seconds"])
    peaks[0].append(peak)
    other, _, peak = ours.measured([*peer], environment)
    each.extend(other["seconds"])
    theirs.append(statistics.mean(other["seconds"]) * other["tried"])
    peaks[1].append(peak)
    apart.append((other["apart"], other["largest"]))
    print(f"{run + 1} of {options.runs}: {mine[-1]:.1f} s, theirs {theirs[-1]:.1f} s", file=sys.stderr)

print(f"\n{options.layers} layers, width {options.width}, {options.heads} heads, {options.items} items of {options.positions} tokens, threshold {options.threshold},")
print(f"{options.runs} runs each by turns, {options.threads} threads, seed {options.seed}, prompts that differ at position {options.changed};")
print(f"{told['edges']} edges, {told['tried']} tried, {told['kept']} kept\n")
print("| ours, s | ours a trial, ms | theirs a trial, ms | theirs, s, extrapolated | ratio | peak MiB, ours | theirs |")
print("|---|---|---|---|---|---|---|")
trial = [1000 * seconds / told["tried"] for seconds in mine]
cells = [ours.spread(mine), ours.spread(trial), ours.spread([1000 * seconds for seconds in each]), ours.spread(theirs)]
cells += [ours.ratio(theirs, mine), ours.spread(peaks[0], 0), ours.spread(peaks[1], 0)]
print("| " + " | ".join(cells) + " |")
most, largest = max(apart)
print(f"\nLargest difference between changes in the sample: {most:.1e}, where the largest change is {largest:.1e}.")
