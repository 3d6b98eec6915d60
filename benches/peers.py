"""Our program and TransformerLens over the same weights and tokens, by turns; prints the table of BENCHMARKS.md.

peers.py [--seed 0] [--runs 5] [--threads 2] [--layers 12] [--width 768] [--heads 12] [--batch 8] [--positions 16]
         [--forward-positions 32] [--changed 5] [--sweeps resid_pre,head_out,forward] [--peers ../shared/peers] [--folder DIR]

Needs Python with torch, transformers and transformer-lens, and the folder of scripts that `--peers` names. Fresh weights
are made in a temporary folder (half a gigabyte) unless `--folder` names one made by weights.py.
"""
import argparse, json, pathlib, platform, statistics, sys, tempfile
import ours, weights

options = argparse.ArgumentParser()
sizes = {"seed": 0, "runs": 5, "threads": 2, "layers": 12, "width": 768, "heads": 12, "batch": 8, "positions": 16}
for name, default in {**sizes, "forward-positions": 32, "changed": 5}.items():
    options.add_argument(f"--{name}", type=int, default=default)
options.add_argument("--sweeps", default="resid_pre,head_out,forward")
options.add_argument("--peers", type=pathlib.Path, default=ours.ROOT.parent / "shared" / "peers")
options.add_argument("--folder")
options = options.parse_args()
SITES = {"resid_pre": ("hook_resid_pre", "Layer, Position"), "head_out": ("attn.hook_z", "Layer, Head")}

environment = ours.threads(options.threads)
program, forward = ours.build()
scratch = tempfile.TemporaryDirectory()
place = pathlib.Path(scratch.name)
folder = options.folder or str(place / "model")
if not options.folder:
    sized = {name: vars(options)[name] for name in ("seed", "layers", "width", "heads", "changed")}
    ours.weights(folder, **sized)


def theirs(sweep, positions):
    """One run of TransformerLens: seconds alone, of the process, to load, peak MiB, effects."""
    script, saved = options.peers / "transformerlens.py", place / "theirs.json"
    sized = ["--batch", options.batch, "--positions", positions, "--save", saved]
    told, whole, peak = ours.measured([sys.executable, script, folder, "--sweep", sweep, *sized], environment)
    return told["seconds"], whole, told["load_seconds"], peak, json.loads(saved.read_text())


def compared(sweep):
    """All runs of a sweep by turns: rows of ours, rows of theirs."""
    positions = options.forward_positions if sweep == "forward" else options.positions
    ron = place / f"{sweep}.ron"
    if sweep != "forward":
        ron.write_text(weights.experiment(folder, options.batch, positions, weights.patch(*SITES[sweep])))
    rows = ([], [])
    for run in range(options.runs):
        if sweep == "forward":
            told, whole, peak = ours.measured([forward, folder, "--batch", options.batch, "--positions", positions], environment)
            rows[0].append((told["seconds"], whole, told["first_result_seconds"], peak, told["sum"]))
        else:
            alone, whole, peak, effects = ours.sweep(program, ron, place / f"run-{sweep}-{run}", environment)
            rows[0].append((alone, whole, None, peak, effects))
        rows[1].append(theirs(sweep, positions))
        print(f"{sweep} {run + 1} of {options.runs}: {rows[0][-1][0]:.3f} s and {rows[1][-1][0]:.3f} s", file=sys.stderr)
    return rows


def disagreement(sweep, mine, other, base):
    """The largest |difference| between effects; theirs are metrics, of which `base` is that of the run left alone."""
    if sweep == "forward":
        return abs(mine - other)
    return max(abs(effect - (other[layer][place] - base)) for (layer, place), effect in mine.items())


print(f"\n{options.layers} layers, width {options.width}, {options.heads} heads, batch {options.batch}, {options.runs} runs each")
print(f"by turns, {options.threads} threads, seed {options.seed}, prompts that differ at position {options.changed},")
print(f"{platform.machine()}, Python {platform.python_version()}\n")
print("| what | ours, s | TransformerLens, s | ratio | whole process, ours | theirs | ratio | peak MiB, ours | theirs | largest difference |")
print("|---|---|---|---|---|---|---|---|---|---|")
for sweep in options.sweeps.split(","):
    mine, other = compared(sweep)
    # at a token that both prompts share, patching the embeddings leaves the run alone
    same = 0 if options.changed else 1
    base = theirs("resid_pre", options.positions)[4][0][same] if sweep == "head_out" else None
    base = other[0][4][0][same] if sweep == "resid_pre" else base
    (alone, whole, first, peak, found), (alone2, whole2, load2, peak2, found2) = zip(*mine), zip(*other)
    cells = [ours.spread(alone, 3), ours.spread(alone2, 3), ours.ratio(alone2, alone)]
    cells += [ours.spread(whole), ours.spread(whole2), ours.ratio(whole2, whole)]
    cells += [f"{statistics.median(peak):.0f}", f"{statistics.median(peak2):.0f}"]
    print(f"| `{sweep}` | {' | '.join(cells)} | {disagreement(sweep, found[0], found2[0], base):.1e} |", flush=True)
    if sweep == "forward":
        until = [load + pass_ for load, pass_ in zip(load2, alone2)]
        until_first = (ours.spread(first), ours.spread(until), ours.ratio(until, first))
if "forward" in options.sweeps:
    print("\nFrom the start of the process to the first logits, s: ours {}, TransformerLens {}, ratio {}".format(*until_first))
