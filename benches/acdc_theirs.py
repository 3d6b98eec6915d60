"""Times trials of ACDC the published way on the processor, one whole pass for each; see acdc.py.

acdc_theirs.py MODEL TRIALS.json [--sample 20] [--items 32] [--positions 16]

TransformerLens with an input of its own for every head's queries, keys and values, and an output for every head, as the
authors' code has it. Where that loops over edges in Python, a product with a mask stands here: what the passes cost is
then theirs at their best. TRIALS.json says what was taken out before each edge, so that a few trials, evenly from all that
are run, can be timed in the circuit that they are run in; the corrupted run is kept. What the circuit is judged at before
the trial is known to the published search, and is computed outside the time.
"""
import os
os.environ["HF_HUB_OFFLINE"] = "1"
import argparse, json, time
start = time.perf_counter()
options = argparse.ArgumentParser()
options.add_argument("model"); options.add_argument("trials")
for name, default in (("sample", 20), ("items", 32), ("positions", 16)):
    options.add_argument(f"--{name}", type=int, default=default)
options = options.parse_args()
import torch
import hooked

model, clean, corrupt, answers = hooked.load(options.model, options.items, options.positions)
layers, heads = model.cfg.n_layers, model.cfg.n_heads

block = lambda layer: [*(f"a{layer}.h{head}" for head in range(heads)), f"m{layer}"]
nodes = ["input", *(name for layer in range(layers) for name in block(layer))]
place = {name: index for index, name in enumerate(nodes)}
inputs = {f"blocks.{l}.hook_{kind}_input": [f"a{l}.h{h}<{kind}>" for h in range(heads)] for l in range(layers) for kind in "qkv"}
inputs |= {f"blocks.{l}.hook_mlp_in": [f"m{l}"] for l in range(layers)}
inputs[f"blocks.{layers - 1}.hook_resid_post"] = ["logits"]
outputs = {"blocks.0.hook_resid_pre": "input"}
outputs |= {f"blocks.{l}.attn.hook_result": f"a{l}.h0" for l in range(layers)} | {f"blocks.{l}.hook_mlp_out": f"m{l}" for l in range(layers)}


def passing(prompts, out=None, other=None):
    """The logits behind the last token, and what nodes write, [item, position, node, width], or what they lack of `other`."""
    kept = torch.zeros(*prompts.shape, len(nodes), model.cfg.d_model)

    def keep(value, hook):
        first = place[outputs[hook.name]]
        value = value if value.dim() == 4 else value.unsqueeze(2)
        last = first + value.shape[2]
        kept[:, :, first:last] = value if other is None else other[:, :, first:last] - value

    def read(value, hook):
        ports = inputs[hook.name]
        if not any(out.get(port) for port in ports):
            return value
        mask = torch.zeros(len(nodes), len(ports))
        for column, port in enumerate(ports):
            for node in out.get(port, ()):
                mask[place[node], column] = 1
        last = int(mask.sum(1).nonzero().max()) + 1
        lost = torch.einsum("bpnd,nh->bphd", kept[:, :, :last], mask[:last])
        return value + (lost if value.dim() == 4 else lost.squeeze(2))

    hooks = [(name, keep) for name in outputs] + ([] if out is None else [(name, read) for name in inputs])
    return model.run_with_hooks(prompts, fwd_hooks=hooks)[:, -1], kept


with torch.no_grad():
    whole = torch.log_softmax(passing(clean)[0].double(), -1)
    corrupted = passing(corrupt)[1]
    judged = lambda out: (whole.exp() * (whole - torch.log_softmax(passing(clean, out, corrupted)[0].double(), -1))).sum(-1).mean().item()
    trials = json.load(open(options.trials))
    run = [index for index, (_, _, change) in enumerate(trials) if change is not None]
    count = min(options.sample, len(run))
    sample = {run[index * len(run) // count] for index in range(count)}
    loaded = time.perf_counter()
    out, seconds, apart, largest = {}, [], 0.0, 0.0
    for index, (edge, stays, change) in enumerate(trials):
        node, port = edge.split("->")
        if index in sample:
            before = judged(out)
            out.setdefault(port, set()).add(node)
            begun = time.perf_counter()
            found = judged(out) - before
            seconds.append(time.perf_counter() - begun)
            apart, largest = max(apart, abs(found - change)), max(largest, abs(change))
            out[port].discard(node)
        if not stays:
            out.setdefault(port, set()).add(node)
print(json.dumps({"seconds": seconds, "load_seconds": loaded - start, "tried": len(run), "apart": apart, "largest": largest}))
