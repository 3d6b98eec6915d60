"""What each method's estimate of memory is worth: the budget, the estimate and the peak that the kernel counted.

memory.py [--seed 0] [--threads 2] [--layers 12] [--width 768] [--heads 12] [--items 32] [--positions 64] [--share 0.3]
          [--methods residual,heads,...] [--program FILE] [--folder DIR]

Each method runs twice, by itself: without a budget, and with one that lies `--share` of the way from the least that it can
run in to what it takes unbounded, so that it cuts the rows. Fails where a budget is broken, and where the tables differ by
more than two orders of addition in f32 do. Builds the program in release unless `--program` names one. Needs Python with
torch and transformers for the weights, which `--folder` spares.
"""
import argparse, csv, json, pathlib, re, subprocess, tempfile
import ours

# of differences of logits of a few units
TOLERANCE = 2e-5
LIMITED = "only: (layers: [1, 3], positions: [0, 9, 18, 27])"
METHODS = {
    "residual": f'Patch(sites: ["hook_resid_pre"], over: [Layer, Position], {LIMITED})',
    "heads": 'Patch(sites: ["attn.hook_z"], over: [Layer, Head], only: (layers: [0, 3]))',
    "patterns": 'Patch(sites: ["attn.hook_pattern"], over: [Layer, Head], only: (layers: [0, 3]))',
    "neurons": 'Patch(sites: ["mlp.hook_post"], over: [Layer, Neuron], only: (layers: [0], neurons: [0, 1, 2, 3, 4, 5, 6, 7]))',
    "means": 'Ablate(sites: ["attn.hook_z", "hook_mlp_out"], over: [Layer], with: Mean)',
    "paths": 'PathPatch(senders: Heads, receivers: ["a3.h1<v>"])',
    "mlps": 'PathPatch(senders: Heads, through: Mlps)',
    "mediation": "Mediate(only: (layers: [0, 3]))",
    "mediation_neurons": "Mediate(mediators: Neurons(over: [Layer]))",
    "tracing": 'Trace(sites: ["blocks.1.hook_mlp_out"], window: 1, copies: 2)',
    "knockout": "Knockout(from: [Contrast], to: [Answer], over: [Layer, Head], only: (layers: [0, 3]))",
    "acdc": "Acdc(threshold: 0.05)",
    "patchscope": "Patchscope(prompt: [11, 22, 33, 44], from: [Answer], tokens: 8)",
    "lens": "LogitLens()",
    "tuned_lens": "TunedLens(steps: 4, batch: 64)",
    "das": 'Das(sites: ["hook_resid_post"], over: [Layer], only: (positions: [2]), dimensions: [4], steps: 4)',
    "attribution": "DirectLogitAttribution",
    "attention": "Attention()",
    "generation": "Generate(tokens: 8)",
    "record": 'Record(sites: ["hook_resid_pre"])',
    "spaces": 'Represent(at: Last)',
    "files": 'Record(sites: ["hook_resid_pre"], shards: (size: "1MiB"))',
    "gradients": 'Record(sites: ["hook_resid_pre"], gradients: ["attn.hook_z"])',
}

options = argparse.ArgumentParser()
sizes = {"seed": 0, "threads": 2, "layers": 12, "width": 768, "heads": 12, "items": 32, "positions": 64}
for name, default in sizes.items():
    options.add_argument(f"--{name}", type=int, default=default)
options.add_argument("--share", type=float, default=0.3)
options.add_argument("--methods", default=",".join(METHODS))
options.add_argument("--program", type=pathlib.Path)
options.add_argument("--folder")
options = options.parse_args()


def experiment(folder, method):
    """A RON file's text: one method on the folder's first pairs."""
    given = json.loads((pathlib.Path(folder) / "tokens.json").read_text())
    rows = zip(given["clean"], given["corrupt"], given["answers"])
    pair = (
        f"(clean: {clean[: options.positions]}, corrupt: {corrupt[: options.positions]}, right: {right}, wrong: {wrong}, "
        "subject: [5])"
        for clean, corrupt, (right, wrong) in list(rows)[: options.items]
    )
    return (
        f'(question: "Is the budget kept?", model: Path("{folder}"), data: Pairs([{", ".join(pair)}]), '
        f"methods: [{method}], statistics: (resamples: 100, permutations: 100))"
    )


def estimate(ron, budget):
    """Rows at once and MiB that the plan says; without rows, the least that it can run in."""
    command = [program, "check", ron, "--memory", f"{budget}MiB"]
    told = subprocess.run(command, capture_output=True, text=True, cwd=ours.ROOT)
    needed = re.search(r"one row at a time needs about (\d+) MiB", told.stderr)
    if needed:
        return None, int(needed[1])
    return tuple(int(number) for number in re.search(r"(\d+) rows at once, about (\d+) MiB", told.stdout).groups())


def run(ron, out, *budget):
    """Peak MiB of a run, and its tables: by file, then by what a row is called, its effect."""
    _, _, peak = ours.measured([program, "run", ron, "--out", out, "--json", *budget], environment)
    tables = {}
    for file in sorted((out / "tables").glob("*.csv")):
        with open(file) as lines:
            rows = list(csv.DictReader(lines))
        tables[file.name] = [
            (tuple(row.get(name) for name in ("site", "layer", "head", "position", "neuron", "item")), row.get("effect"))
            for row in rows
        ]
    return peak, tables


def apart(one, other):
    """The largest difference of effects between two runs' tables; their rows must be the same."""
    assert one.keys() == other.keys()
    most = 0.0
    for name in one:
        assert [place for place, _ in one[name]] == [place for place, _ in other[name]], name
        pairs = [(a, b) for (_, a), (_, b) in zip(one[name], other[name]) if a and b]
        most = max([most, *(abs(float(a) - float(b)) for a, b in pairs)])
    return most


environment = ours.threads(options.threads)
program = (options.program or ours.build()[0]).resolve()
scratch = tempfile.TemporaryDirectory()
place = pathlib.Path(scratch.name)
folder = options.folder or str(place / "model")
if not options.folder:
    ours.weights(folder, seed=options.seed, layers=options.layers, width=options.width, heads=options.heads)

print("| method | rows | estimate | peak | budget | rows | estimate | peak | difference |")
print("|---|--:|--:|--:|--:|--:|--:|--:|--:|")
broken = []
for name in options.methods.split(","):
    ron = place / f"{name}.ron"
    ron.write_text(experiment(folder, METHODS[name]))
    (rows, most), (_, least) = estimate(ron, 1 << 20), estimate(ron, 1)
    budget = max(least + 1, round(least + options.share * (most - least)))
    fewer, needed = estimate(ron, budget)
    peak, free = run(ron, place / f"{name}-free")
    held, bounded = run(ron, place / f"{name}-bounded", "--memory", f"{budget}MiB")
    difference = apart(free, bounded)
    print(f"| {name} | {rows} | {most} | {peak:.0f} | {budget} | {fewer} | {needed} | {held:.0f} | {difference:.0e} |", flush=True)
    broken += [name] if held > budget or peak > most or difference > TOLERANCE else []
if broken:
    raise SystemExit(f"not kept to: {', '.join(broken)}")
