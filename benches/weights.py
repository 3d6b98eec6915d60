"""Random weights as a Hugging Face folder with `tokens.json`, for the scripts beside this one.

weights.py DIR [--family gpt2|llama] [--seed 0] [--layers 12] [--width 768] [--heads 12] [--changed 5]

GPT-2's vocabulary either way. `llama` has the same sizes and an MLP of 4 · width neurons: what reads no GPT-2 reads that.
A pair of prompts differs at position `--changed` alone; before it, a causal model computes the same for both.
"""
import argparse, json, pathlib

TOKENS, ROWS, POSITIONS = 50257, 64, 256


def make(folder, family="gpt2", seed=0, layers=12, width=768, heads=12, changed=5):
    import torch, transformers

    torch.manual_seed(seed)
    if family == "gpt2":
        config = transformers.GPT2Config(n_layer=layers, n_embd=width, n_head=heads)
        model = transformers.GPT2LMHeadModel(config)
    else:
        config = transformers.LlamaConfig(
            vocab_size=TOKENS, hidden_size=width, intermediate_size=4 * width, num_hidden_layers=layers,
            num_attention_heads=heads, max_position_embeddings=1024,
        )
        model = transformers.LlamaForCausalLM(config)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.02)  # biases and norms differ from their defaults too
    model.eval().save_pretrained(folder)
    clean = torch.randint(0, TOKENS, (ROWS, POSITIONS))
    corrupt = clean.clone()
    corrupt[:, changed] = torch.randint(0, TOKENS, (ROWS,))
    answers = torch.randint(0, TOKENS, (ROWS, 2))
    tokens = {"clean": clean.tolist(), "corrupt": corrupt.tolist(), "answers": answers.tolist()}
    (pathlib.Path(folder) / "tokens.json").write_text(json.dumps(tokens))


def experiment(folder, batch, positions, method):
    """A RON file's text: a method on the folder's first pairs."""
    given = json.loads((pathlib.Path(folder) / "tokens.json").read_text())
    pairs = [
        f"(clean: {given['clean'][row][:positions]}, corrupt: {given['corrupt'][row][:positions]}, "
        f"right: {given['answers'][row][0]}, wrong: {given['answers'][row][1]})"
        for row in range(batch)
    ]
    return (
        f'(question: "A method to be timed", model: Path("{folder}"), data: Pairs([{", ".join(pairs)}]), '
        f'methods: [{method}])'
    )


def patch(site, over):
    """The sweep over a site, as a method."""
    return f'Patch(sites: ["{site}"], over: [{over}])'


if __name__ == "__main__":
    options = argparse.ArgumentParser()
    options.add_argument("folder")
    options.add_argument("--family", default="gpt2", choices=["gpt2", "llama"])
    for name, default in (("seed", 0), ("layers", 12), ("width", 768), ("heads", 12), ("changed", 5)):
        options.add_argument(f"--{name}", type=int, default=default)
    made = vars(options.parse_args())
    make(made.pop("folder"), **made)
