"""Path patching step by step: plain forward hooks on the modules of transformers, one pass after another.

Run:    HF_HUB_OFFLINE=1 python paths.py GOLDEN_DIR STORIES_DIR OUT.json      (half a minute)
Needs:  torch, transformers; the versions used are in versions.txt

Knows nothing of PatchClamp, so that agreement means something. Where PatchClamp runs one pass with all edges in it, here
each node of a path is computed on its own, from what the base run recorded.

OUT.json: for each model its pairs (`clean`, `corrupt` [item][pos], `answers` [item][right, wrong]), the metric
logit(right) - logit(wrong) of both runs, and `cases`: the settings as the experiment file spells them, and `values`,
the metric [row][item]. A row is a path, or a sender in the order layer, head, MLP behind its heads.
"""

import itertools
import json
import re
import sys
from contextlib import ExitStack, contextmanager
from operator import attrgetter
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM

from patching import figures, logit_diff

# Blocks, attention, the projection that reads z, the norms before attention and MLP, the last norm.
PARTS = {
    "gpt2": ("transformer.h", "attn", "c_proj", "ln_1", "ln_2", "transformer.ln_f"),
    "gpt_neox": ("gpt_neox.layers", "attention", "dense", "input_layernorm", "post_attention_layernorm",
                 "gpt_neox.final_layer_norm"),
    "llama": ("model.layers", "self_attn", "o_proj", "input_layernorm", "post_attention_layernorm", "model.norm"),
}


@contextmanager
def hooked(module, pre=None, post=None):
    handle = module.register_forward_pre_hook(pre) if pre else module.register_forward_hook(post)
    try:
        yield
    finally:
        handle.remove()


class Patient:
    """A model with its parts by name; every head has keys and values of its own."""

    def __init__(self, model):
        self.model = model.eval()
        kind = model.config.model_type
        blocks, self.attention, self.projection, self.norm1, self.norm2, last = PARTS[kind]
        self.kind, self.blocks, self.last = kind, attrgetter(blocks)(model), attrgetter(last)(model)
        self.heads = model.config.num_attention_heads
        self.width = model.config.hidden_size // self.heads
        self.parallel = bool(getattr(model.config, "use_parallel_residual", False))

    def attn(self, layer):
        return getattr(self.blocks[layer], self.attention)

    def out(self, layer):
        return getattr(self.attn(layer), self.projection)

    def columns(self, head):
        return slice(head * self.width, (head + 1) * self.width)

    def written(self, layer, head, z):
        """What a head adds to the stream for its part z `[batch, pos, d_head]`."""
        weight = self.out(layer).weight
        weight = weight if self.kind == "gpt2" else weight.T  # [heads * d_head, d_model]
        return z @ weight[self.columns(head)]

    def reader(self, layer, port):
        """The module that computes a port, and the columns of its output that belong to each head."""
        attn = self.attn(layer)
        which = "qkv".index(port)
        if self.kind == "gpt2":
            start = which * self.heads * self.width
            return attn.c_attn, lambda head: slice(start + head * self.width, start + (head + 1) * self.width)
        if self.kind == "gpt_neox":
            return attn.query_key_value, lambda head: slice((3 * head + which) * self.width, (3 * head + which + 1) * self.width)
        return getattr(attn, f"{port}_proj"), self.columns

    @torch.no_grad()
    def record(self, tokens):
        """Logits at the end, and by name: stream before each block, `mid`, `z`, `mlp`, and `last`."""
        kept = {}
        def keep(name, which):
            def hook(_, arguments, output=None):
                value = arguments[0] if which == "input" else output
                kept[name] = (value[0] if isinstance(value, tuple) else value).clone()
            return hook
        with ExitStack() as stack:
            for layer, block in enumerate(self.blocks):
                stack.enter_context(hooked(block, pre=keep(("pre", layer), "input")))
                stack.enter_context(hooked(getattr(block, self.norm2), pre=keep(("mid", layer), "input")))
                stack.enter_context(hooked(self.out(layer), pre=keep(("z", layer), "input")))
                stack.enter_context(hooked(block.mlp, post=keep(("mlp", layer), "output")))
            stack.enter_context(hooked(self.last, pre=keep("last", "input")))
            kept["logits"] = self.model(tokens).logits[:, -1]
        return kept

    @torch.no_grad()
    def run(self, tokens, base, changes):
        """A run in which each port of `changes` reads its stream of the base run plus a change, the rest being free.

        Gives the same as `record`."""
        with ExitStack() as stack:
            for (kind, layer, head), change in changes.items():
                block = self.blocks[layer]
                if kind == "m":
                    norm = getattr(block, self.norm2)
                    value = block.mlp(norm(base["mid", layer] + change))
                    stack.enter_context(hooked(block.mlp, post=lambda *_, value=value: value))
                    continue
                module, columns = self.reader(layer, kind)
                value = module(getattr(block, self.norm1)(base["pre", layer] + change))
                def put(_, __, output, at=columns(head), value=value):
                    output = output.clone()
                    output[..., at] = value[..., at]
                    return output
                stack.enter_context(hooked(module, post=put))
            return self.record(tokens)

    @torch.no_grad()
    def logits(self, stream):
        return self.model.get_output_embeddings()(self.last(stream))[:, -1]


def order(name, parallel):
    """When a node writes and when a port reads, in half blocks."""
    if name == "input":
        return 0, None
    if name == "logits":
        return None, 10**6
    kind, layer = name[0], int(re.match(r"[am](\d+)", name)[1])
    if kind == "a":
        return 2 * layer + 1, 2 * layer + 1
    return 2 * layer + 2, 2 * layer + (1 if parallel else 2)


def parse(port):
    if port.startswith("m"):
        return "m", int(port[1:]), None
    layer, head, letter = re.fullmatch(r"a(\d+)\.h(\d+)<([qkv])>", port).groups()
    return letter, int(layer), int(head)


class Paths:
    def __init__(self, patient, tokens, source, answers):
        self.patient, self.tokens, self.answers = patient, tokens, answers
        self.base, self.source = patient.record(tokens), patient.record(source)
        self.layers = len(patient.blocks)

    def metric(self, logits):
        return figures(logit_diff(logits, self.answers))

    def precedes(self, node, port):
        return order(node, self.patient.parallel)[0] < order(port, self.patient.parallel)[1]

    def sent(self, node, at):
        """What the sender's change adds to the stream."""
        if node == "input":
            change = self.source["pre", 0] - self.base["pre", 0]
        elif node.startswith("m"):
            layer = int(node[1:])
            change = self.source["mlp", layer] - self.base["mlp", layer]
        else:
            layer, head = map(int, re.fullmatch(r"a(\d+)\.h(\d+)", node).groups())
            z = (self.source["z", layer] - self.base["z", layer])[..., self.patient.columns(head)]
            change = self.patient.written(layer, head, z)
        if at:
            here = torch.zeros(change.shape[1])
            here[at] = 1
            change = change * here[:, None]
        return change

    def arriving(self, node, change, ports, through):
        """What reaches each port from a node, straight or through MLPs between."""
        mlps = [f"m{layer}" for layer in range(self.layers)] if through else []
        total, carried = {}, [(node, change)]
        for name in sorted(set(ports) | set(mlps), key=lambda name: order(name, self.patient.parallel)[1]):
            if not self.precedes(node, name):
                continue
            here = sum(change for writer, change in carried if self.precedes(writer, name))
            if name in ports:
                total[name] = here
            else:
                layer = int(name[1:])
                block = self.patient.blocks[layer]
                with torch.no_grad():
                    made = block.mlp(getattr(block, self.patient.norm2)(self.base["mid", layer] + here))
                carried.append((name, made - self.base["mlp", layer]))
        return total

    def made(self, port, change):
        """The node behind a port, and how it changes when the port does."""
        kind, layer, head = parse(port)
        run = self.patient.run(self.tokens, self.base, {(kind, layer, head): change})
        if kind == "m":
            return f"m{layer}", run["mlp", layer] - self.base["mlp", layer]
        z = (run["z", layer] - self.base["z", layer])[..., self.patient.columns(head)]
        return f"a{layer}.h{head}", self.patient.written(layer, head, z)

    def finish(self, reached):
        if "logits" in reached:
            return self.metric(self.patient.logits(self.base["last"] + reached["logits"]))
        changes = {parse(port): change for port, change in reached.items()}
        return self.metric(self.patient.run(self.tokens, self.base, changes)["logits"])

    def path(self, text, through, at):
        node, *ports = text.split("->")
        change = self.sent(node, at)
        for index, port in enumerate(ports):
            reached = self.arriving(node, change, [port], through)
            if index + 1 == len(ports):
                return self.finish(reached)
            node, change = self.made(port, reached[port])

    def sender(self, node, receivers, through, at):
        ports = [port for port in receivers if self.precedes(node, port)]
        return self.finish(self.arriving(node, self.sent(node, at), ports, through)) if ports else None

    def senders(self, kind):
        heads = [[f"a{layer}.h{head}" for head in range(self.patient.heads)] for layer in range(self.layers)]
        mlps = [[f"m{layer}"] for layer in range(self.layers)]
        if kind == "All":
            return ["input", *itertools.chain(*(h + m for h, m in zip(heads, mlps)))]
        return {"Heads": [*itertools.chain(*heads)], "Mlps": [*itertools.chain(*mlps)], "Input": ["input"]}[kind]

    def case(self, settings):
        through, at = settings.get("through") == "Mlps", settings.get("at")
        if "paths" in settings:
            return [self.path(text, through, at) for text in settings["paths"]]
        receivers = settings.get("receivers", ["logits"])
        rows = (self.sender(node, receivers, through, at) for node in self.senders(settings["senders"]))
        return [row for row in rows if row is not None]


def own_keys(model):
    """A Llama whose heads share no keys and values: each gets a copy of what it shared."""
    config = model.config
    if config.model_type != "llama" or config.num_key_value_heads == config.num_attention_heads:
        return model
    times = config.num_attention_heads // config.num_key_value_heads
    width = config.hidden_size // config.num_attention_heads
    weights = dict(model.state_dict())
    for name in [name for name in weights if re.search(r"[kv]_proj\.weight", name)]:
        heads = weights[name].view(config.num_key_value_heads, width, -1)
        weights[name] = heads.repeat_interleave(times, dim=0).reshape(config.num_attention_heads * width, -1)
    config.num_key_value_heads = config.num_attention_heads
    other = type(model)(config)
    other.load_state_dict(weights)
    return other


SMALL = [
    {"senders": "All"},
    {"senders": "All", "direction": "Noise"},
    {"senders": "Heads", "through": "Mlps"},
    {"senders": "All", "receivers": ["a1.h1<q>"]},
    {"senders": "All", "receivers": ["a1.h0<k>"], "direction": "Noise"},
    {"senders": "All", "receivers": ["a1.h1<v>", "a1.h0<q>"]},
    {"senders": "All", "receivers": ["m1"]},
    {"senders": "Heads", "receivers": ["a1.h1<v>"], "at": [1, 2]},
    {"paths": ["a0.h1->a1.h1<v>->logits", "a0.h0->m0->logits", "input->a0.h0<k>->a1.h1<q>->m1->logits", "m0->m1->logits",
               "a0.h1->a1.h0<k>", "input->a0.h1<v>->a1.h1<v>"]},
    {"paths": ["a0.h1->a1.h1<v>->logits", "input->a1.h0<q>->logits"], "through": "Mlps", "direction": "Noise"},
]
# in a parallel block a head does not reach the MLP beside it
PARALLEL = [
    case if "paths" not in case else {**case, "paths": [path for path in case["paths"] if "h0->m0" not in path and "a1.h1<q>->m1" not in path]}
    for case in SMALL
]
STORIES = [
    {"senders": "All"},
    {"senders": "Heads", "receivers": ["a3.h2<q>"], "direction": "Noise"},
    {"senders": "Heads", "receivers": ["a2.h1<v>", "a3.h2<k>", "a4.h5<q>"], "through": "Mlps"},
    {"senders": "Mlps", "receivers": ["a2.h3<v>", "m4"]},
    {"senders": "Heads", "through": "Mlps", "direction": "Noise"},
    {"paths": ["a0.h1->a2.h1<v>->logits", "a0.h3->m1->a3.h2<k>->m4->logits", "input->a4.h7<v>"]},
]


def main(golden, stories, out):
    patched = json.loads((golden / "patch.json").read_text())
    one = json.loads((golden / "stories260k.json").read_text())
    stories_pairs = {"clean": [one["clean_tokens"]], "corrupt": [one["corrupt_tokens"]], "answers": [one["answers"]]}
    models = [
        ("gpt2", golden / "gpt2", patched["gpt2"], SMALL),
        ("pythia-parallel", golden / "pythia-parallel", patched["pythia-parallel"], PARALLEL),
        ("stories260K", stories, stories_pairs, STORIES),
    ]
    result = {}
    for name, folder, pairs, cases in models:
        model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager")
        patient = Patient(own_keys(model))
        clean, corrupt, answers = (torch.tensor(pairs[key]) for key in ("clean", "corrupt", "answers"))
        ways = {"Denoise": Paths(patient, corrupt, clean, answers), "Noise": Paths(patient, clean, corrupt, answers)}
        result[name] = {
            **{key: pairs[key] for key in ("clean", "corrupt", "answers")},
            "clean_metric": ways["Noise"].metric(ways["Noise"].base["logits"]),
            "corrupt_metric": ways["Denoise"].metric(ways["Denoise"].base["logits"]),
            "cases": [{**case, "values": ways[case.get("direction", "Denoise")].case(case)} for case in cases],
        }
    out.write_text(json.dumps(result) + "\n")


if __name__ == "__main__":
    torch.set_num_threads(1)
    with torch.no_grad():
        main(*map(Path, sys.argv[1:4]))
