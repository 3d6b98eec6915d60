"""Scores of all edges by EAP-IG: ours and the published implementation, same weights and tokens, by turns.

eap_ig.py CHECKOUT [--seed 0] [--runs 5] [--threads 2] [--layers 12] [--width 768] [--heads 12] [--items 32] [--positions 16]
          [--steps 5] [--changed 5] [--batches 10,32] [--folder DIR]

CHECKOUT is a clone of https://github.com/hannamw/EAP-IG (taken at 795f560). Needs Python with torch, transformers and a
transformer-lens that has HookedTransformer (2.16 was taken). It is run with each of `--batches` items at once: 10 are those
of its own examples. Fresh weights are made in a temporary folder unless `--folder` names one made by weights.py.
"""
import argparse, json, pathlib, statistics, sys, tempfile
import ours, weights

options = argparse.ArgumentParser()
options.add_argument("checkout", type=pathlib.Path)
sizes = {"seed": 0, "runs": 5, "threads": 2, "layers": 12, "width": 768, "heads": 12, "items": 32, "positions": 16}
for name, default in {**sizes, "steps": 5, "changed": 5}.items():
    options.add_argument(f"--{name}", type=int, default=default)
options.add_argument("--batches", default="10,32")
options.add_argument("--folder")
options = options.parse_args()

environment, (_, edges) = ours.threads(options.threads), ours.build("circuits")
scratch = tempfile.TemporaryDirectory()
place = pathlib.Path(scratch.name)
folder = options.folder or str(place / "model")
if not options.folder:
    ours.weights(folder, **{name: vars(options)[name] for name in ("seed", "layers", "width", "heads", "changed")})
ron, mine, other = place / "edges.ron", place / "ours.json", place / "theirs.json"
method = f"Circuit(score: EapIg(steps: {options.steps}), select: TopN(100))"
ron.write_text(weights.experiment(folder, options.items, options.positions, method))
peer = [sys.executable, pathlib.Path(__file__).with_name("eap_ig_theirs.py"), options.checkout.resolve(), folder]
peer += ["--items", options.items, "--positions", options.positions, "--steps", options.steps, "--save", other]


def apart():
    """The largest difference between scores, and the largest score."""
    found, expected = json.loads(mine.read_text()), json.loads(other.read_text())
    assert found.keys() == expected.keys()
    return max(abs(found[edge] - expected[edge]) for edge in found), max(abs(score) for score in expected.values())


runs, differences = {batch: [] for batch in ["ours", *options.batches.split(",")]}, []
for run in range(options.runs):
    for batch in runs:
        command = [edges, ron, "--save", mine] if batch == "ours" else [*peer, "--batch", batch]
        told, whole, peak = ours.measured(command, environment)
        runs[batch].append((told["seconds"], whole, peak))
        print(f"{run + 1} of {options.runs}, {batch}: {told['seconds']:.2f} s, {peak:.0f} MiB", file=sys.stderr)
        if batch != "ours":
            differences.append(apart())

print(f"\n{options.layers} layers, width {options.width}, {options.heads} heads, {options.items} items of {options.positions} tokens, m = {options.steps},")
print(f"{options.runs} runs each by turns, {options.threads} threads, seed {options.seed}, prompts that differ at position {options.changed}\n")
print("| items at once, theirs | ours, s | theirs, s | ratio | peak MiB, ours | theirs | part of theirs |")
print("|---|---|---|---|---|---|---|")
seconds, _, peaks = zip(*runs["ours"])
for batch in options.batches.split(","):
    seconds2, _, peaks2 = zip(*runs[batch])
    part = statistics.median(peaks) / statistics.median(peaks2)
    cells = [batch, ours.spread(seconds), ours.spread(seconds2), ours.ratio(seconds2, seconds)]
    print("| " + " | ".join([*cells, ours.spread(peaks, 0), ours.spread(peaks2, 0), f"{part:.2f}"]) + " |")
most, largest = max(differences)
print(f"\nLargest difference between scores: {most:.1e}, where the largest score is {largest:.1e}.")
