"""CrowS-Pairs with our program and one request at a time with transformers, as lm-evaluation-harness asks it, by turns.

crows.py PAIRS.csv TEXT [--runs 5] [--threads 2] [--layers 12] [--width 768] [--heads 12] [--program FILE]

Fresh weights of GPT-2's shape and a byte-level BPE of its size, learned from TEXT (wikitext-2 will do) and the pairs, so
that sentences have about as many tokens as with GPT-2's own. Prints a table: seconds of the measure alone (ours with its
figures and intervals), of the whole process, their ratios, peak memory, and the largest difference of a log-likelihood.
"""
import argparse, csv, json, pathlib, statistics, sys, tempfile
import ours

options = argparse.ArgumentParser()
options.add_argument("pairs", type=pathlib.Path)
options.add_argument("text", type=pathlib.Path)
for name, default in {"runs": 5, "threads": 2, "layers": 12, "width": 768, "heads": 12, "seed": 0}.items():
    options.add_argument(f"--{name}", type=int, default=default)
options.add_argument("--program", help="our program, built in release; without it, it is built")
options = options.parse_args()

environment = ours.threads(options.threads)
program = options.program or ours.build()[0]
scratch = tempfile.TemporaryDirectory()
place = pathlib.Path(scratch.name)
folder = place / "model"
ours.weights(folder, **{name: vars(options)[name] for name in ("seed", "layers", "width", "heads")})


def tokenizer():
    """Learned in a process of its own, as weights are made."""
    script = (
        "import sys\n"
        "from tokenizers import Tokenizer, models, pre_tokenizers, decoders, trainers\n"
        "made = Tokenizer(models.BPE())\n"
        "made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)\n"
        "made.decoder = decoders.ByteLevel()\n"
        "made.train(sys.argv[2:], trainers.BpeTrainer(vocab_size=50257, special_tokens=['<|endoftext|>'], show_progress=False,\n"
        "    initial_alphabet=pre_tokenizers.ByteLevel.alphabet()))\n"
        "made.save(sys.argv[1])\n"
        "print(0)\n"
    )
    ours.measured([sys.executable, "-c", script, folder / "tokenizer.json", options.text.resolve(), options.pairs.resolve()], environment)


def mine(run):
    """Seconds of the measure, of the process, peak MiB, log-likelihoods [pair][side]."""
    out = place / f"run-{run}"
    told, whole, peak = ours.measured([program, "run", ron, "--out", out, "--json"], environment)
    alone = next(step["seconds"] for step in told["seconds"] if step["step"] == "measure")
    with open(out / "tables" / "01_measure.crows_pairs.items.csv") as file:
        values = [float(row["effect"]) for row in csv.DictReader(file)]
    return alone, whole, peak, list(zip(values[::2], values[1::2]))


def theirs():
    script, saved = pathlib.Path(__file__).parent / "crows_theirs.py", place / "theirs.json"
    told, whole, peak = ours.measured([sys.executable, script, folder, options.pairs.resolve(), saved], environment)
    return told["seconds"], whole, peak, json.loads(saved.read_text())


tokenizer()
ron = place / "crows.ron"
ron.write_text(
    f'(question: "A measure to be timed", model: Path("{folder}"), '
    f'methods: [Measure(measures: [CrowsPairs(path: "{options.pairs.resolve()}")])])'
)
rows = ([], [])
for run in range(options.runs):
    rows[0].append(mine(run))
    rows[1].append(theirs())
    print(f"{run + 1} of {options.runs}: {rows[0][-1][0]:.1f} s and {rows[1][-1][0]:.1f} s", file=sys.stderr)
(alone, whole, peak, found), (alone2, whole2, peak2, found2) = zip(*rows[0]), zip(*rows[1])
worst = max(abs(a - b) for one, other in zip(found[0], found2[0]) for a, b in zip(one, other))
print("| what | ours, s | one request at a time, s | ratio | whole process, ours | theirs | ratio | peak MiB, ours | theirs | largest difference |")
print("|---|---|---|---|---|---|---|---|---|---|")
cells = [ours.spread(alone), ours.spread(alone2), ours.ratio(alone2, alone), ours.spread(whole), ours.spread(whole2)]
cells += [ours.ratio(whole2, whole), f"{statistics.median(peak):.0f}", f"{statistics.median(peak2):.0f}", f"{worst:.1e}"]
print(f"| CrowS-Pairs, {len(found[0])} pairs | {' | '.join(cells)} |")
