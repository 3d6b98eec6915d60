"""Makes the parity goldens: tiny models with random weights, and what transformers computes with them.

Run:    HF_HUB_OFFLINE=1 python make.py OUT_DIR     (OUT_DIR is this folder; a few seconds)
Needs:  torch, transformers, safetensors; the versions used are in OUT_DIR/versions.txt

OUT_DIR/CASE/                 a Hugging Face folder: config.json and model.safetensors
OUT_DIR/CASE/config-old.json  for some cases, the same configuration as transformers 4 wrote it
OUT_DIR/CASE/reference.safetensors, everything twice, with prefix `right.` and `left.` for the padding:
    tokens, mask, position_ids  i64 [batch, pos]   the same three sequences; position = cumsum(mask) - 1, at least 0
                                (RoBERTa numbers its tokens itself, from those that are not its padding token)
    logits                      f32 [batch, pos, vocab]
    hidden.I                    f32 [batch, pos, d_model]  I = 0 is the input of the first block; I = layers is
                                after the final norm (BERT: the output of the last block, which has no final norm;
                                OPT: before the map to the width of its embeddings)
    attention.I                 f32 [batch, head, query, key]
OUT_DIR/patch.json            for some cases, denoising activation patching without padding:
    clean, corrupt [item][pos]; answers [item][right, wrong]; the metric logit(right) - logit(wrong) at the
    last position: clean_metric, corrupt_metric [item], resid_pre [layer][position][item], z [layer][head][item]

The models are read back from their folders, as f32 and with eager attention, before anything is computed.
Figures at padded positions are what transformers happens to give there; nothing should depend on them.
Numbers that are easy to ignore (epsilons, rotary bases) are set so that ignoring them shows.
"""

import json
import platform
import shutil
import sys
from pathlib import Path

import safetensors
import tokenizers
import torch
import transformers
from safetensors.torch import save_file
from transformers import AutoModelForCausalLM, AutoModelForMaskedLM

from patching import Sweep, figures, logit_diff

SEED = 17
SPREAD = 0.3  # of every weight: large enough that patterns are far from uniform
VOCAB = 48
LENGTHS = (7, 5, 4)
PATCHED = ("pythia-parallel", "gpt2", "llama")


def gpt2(**changes):
    settings = dict(n_embd=24, n_layer=2, n_head=3, n_positions=16, bos_token_id=0, eos_token_id=0)
    return transformers.GPT2Config(vocab_size=VOCAB, **(settings | changes))


def pythia(**changes):
    settings = dict(
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=40,
        max_position_embeddings=16,
        layer_norm_eps=1e-3,
        rope_parameters={"rope_type": "default", "rope_theta": 1000.0, "partial_rotary_factor": 0.25},
    )
    return transformers.GPTNeoXConfig(vocab_size=VOCAB, **(settings | changes))


def grouped(config_class, **changes):
    """The Llama family: four heads, two of keys and values."""
    settings = dict(
        hidden_size=24,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        intermediate_size=40,
        max_position_embeddings=64,
        rms_norm_eps=1e-3,
        rope_parameters={"rope_type": "default", "rope_theta": 1000.0},
    )
    return config_class(vocab_size=VOCAB, **(settings | changes))


def bert(**changes):
    settings = dict(
        hidden_size=24,
        num_hidden_layers=2,
        num_attention_heads=3,
        intermediate_size=40,
        max_position_embeddings=16,
        type_vocab_size=2,
    )
    return transformers.BertConfig(vocab_size=VOCAB, **(settings | changes))


def gpt_neo(**changes):
    settings = dict(
        hidden_size=24,
        num_layers=2,
        num_heads=3,
        max_position_embeddings=16,
        attention_types=[[["global", "local"], 1]],
        window_size=3,
        layer_norm_epsilon=1e-3,
        bos_token_id=0,
        eos_token_id=0,
    )
    return transformers.GPTNeoConfig(vocab_size=VOCAB, **(settings | changes))


def opt(**changes):
    settings = dict(
        hidden_size=24,
        num_hidden_layers=2,
        num_attention_heads=3,
        ffn_dim=40,
        max_position_embeddings=16,
    )
    return transformers.OPTConfig(vocab_size=VOCAB, **(settings | changes))


def gemma(config_class, **changes):
    """Heads wider than their share of the stream, one of keys and values for two."""
    return grouped(config_class, **(dict(head_dim=8) | changes))


def gemma2(**changes):
    settings = dict(sliding_window=3, query_pre_attn_scalar=5)
    return gemma(transformers.Gemma2Config, **(settings | changes))


def phi3(**changes):
    settings = dict(
        num_attention_heads=3,
        num_key_value_heads=1,
        partial_rotary_factor=0.5,
        pad_token_id=0,
        bos_token_id=0,
        eos_token_id=0,
    )
    return grouped(transformers.Phi3Config, **(settings | changes))


def long_rope(original, **changes):
    """Frequencies that change in texts of more than `original` tokens."""
    rope = {
        "rope_type": "longrope",
        "rope_theta": 1000.0,
        "partial_rotary_factor": 1.0,
        "short_factor": [1.0, 1.1, 1.3, 1.7],
        "long_factor": [1.5, 2.0, 4.0, 8.0],
    }
    return dict(rope_parameters=rope | changes, partial_rotary_factor=1.0, original_max_position_embeddings=original)


def roberta(config_class, **changes):
    settings = dict(
        hidden_size=24,
        num_hidden_layers=2,
        num_attention_heads=3,
        intermediate_size=40,
        max_position_embeddings=18,
        type_vocab_size=1,
        pad_token_id=1,
    )
    return config_class(vocab_size=VOCAB, **(settings | changes))


# With rotary wavelengths of 6, 20, 63 and 199, this leaves the first (< 32/4), blends the second
# and divides the others (> 32/1) by the factor.
LLAMA3_ROPE = {
    "rope_type": "llama3",
    "rope_theta": 100.0,
    "factor": 8.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 32,
}
CASES = {
    "gpt2": gpt2(),
    "gpt2-untied-inverse-layer": gpt2(
        n_layer=3,
        n_inner=40,
        activation_function="gelu",
        scale_attn_by_inverse_layer_idx=True,
        tie_word_embeddings=False,
        layer_norm_epsilon=1e-3,
    ),
    "pythia-parallel": pythia(use_parallel_residual=True),
    "pythia-sequential": pythia(use_parallel_residual=False),
    "llama": grouped(transformers.LlamaConfig, tie_word_embeddings=True),
    "llama3-scaling": grouped(
        transformers.LlamaConfig,
        head_dim=8,
        attention_bias=True,
        mlp_bias=True,
        rope_parameters=LLAMA3_ROPE,
    ),
    "mistral": grouped(transformers.MistralConfig, sliding_window=3),
    "qwen2": grouped(transformers.Qwen2Config, tie_word_embeddings=False),
    "bert": bert(),
    "bert-untied": bert(tie_word_embeddings=False, layer_norm_eps=1e-3),
    "sharded": grouped(transformers.LlamaConfig),
    "half": gpt2(n_inner=40),
    "gpt-neo": gpt_neo(),
    "opt": opt(),
    "opt-behind": opt(do_layer_norm_before=False, word_embed_proj_dim=16, activation_function="gelu"),
    "opt-bare": opt(
        enable_bias=False,
        layer_norm_elementwise_affine=False,
        _remove_final_layer_norm=True,
        activation_function="gelu",
        tie_word_embeddings=False,
    ),
    "qwen3": grouped(
        transformers.Qwen3Config,
        head_dim=8,
        attention_bias=True,
        use_sliding_window=True,
        sliding_window=3,
        max_window_layers=1,
    ),
    "gemma": gemma(transformers.GemmaConfig, num_key_value_heads=1),
    "gemma2": gemma2(attn_logit_softcapping=2.0, final_logit_softcapping=3.0),
    "gemma2-uncapped": gemma2(
        attn_logit_softcapping=None,
        final_logit_softcapping=None,
        attention_bias=True,
        layer_types=["full_attention", "sliding_attention"],
        tie_word_embeddings=False,
    ),
    "phi3": phi3(sliding_window=3),
    "phi3-long": phi3(**long_rope(original=3, attention_factor=1.2)),
    "phi3-short": phi3(**long_rope(original=9)),
    "roberta": roberta(transformers.RobertaConfig, hidden_act="silu"),
    # its padding token stands within a text too: token 7 of the second sequence
    "camembert": roberta(transformers.CamembertConfig, tie_word_embeddings=False, layer_norm_eps=1e-3, pad_token_id=7),
    "distilbert": transformers.DistilBertConfig(
        vocab_size=VOCAB, dim=24, n_layers=2, n_heads=3, hidden_dim=40, max_position_embeddings=16
    ),
}
MASKED = ("bert", "roberta", "camembert", "distilbert")
ON_DISK = {"sharded": torch.bfloat16, "half": torch.float16}
SHARD_SIZE = {"sharded": "8KB"}
SPREADS = {"opt-bare": 0.15}  # without a last norm logits grow with the stream; this keeps them to a few units


def auto_class(config):
    return AutoModelForMaskedLM if config.model_type in MASKED else AutoModelForCausalLM


@torch.no_grad()
def build(config, folder, dtype, shard_size, spread):
    """Saves a model of random weights; biases and norms differ from 0 and 1 too."""
    random = torch.Generator().manual_seed(SEED)
    model = auto_class(config).from_config(config)
    for weight in model.parameters():
        noise = spread * torch.randn(weight.shape, generator=random)
        weight.copy_(weight + noise if weight.ndim == 1 else noise)
    shutil.rmtree(folder, ignore_errors=True)
    model.to(dtype).save_pretrained(folder, max_shard_size=shard_size)
    (folder / "generation_config.json").unlink(missing_ok=True)


def load(folder):
    config = transformers.AutoConfig.from_pretrained(folder)
    kind = auto_class(config)
    return kind.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager").eval()


def write_old_config(folder, path):
    """The configuration as transformers 4 wrote it: rotary settings at the top, `torch_dtype`."""
    config = json.loads((folder / "config.json").read_text())
    config["torch_dtype"] = config.pop("dtype")
    rope = config.pop("rope_parameters")
    if config["model_type"] == "gpt_neox":
        config["rotary_emb_base"] = rope["rope_theta"]
        config["rotary_pct"] = rope["partial_rotary_factor"]
    else:
        config["rope_theta"] = rope.pop("rope_theta")
        config["rope_scaling"] = None if rope["rope_type"] == "default" else rope
    config["transformers_version"] = "4.40.0"
    path.write_text(json.dumps(config, indent=2, sort_keys=True) + "\n")


def padded(side, filler=0):
    """The same sequences, padded on one side: tokens and mask `[batch, pos]`."""
    random = torch.Generator().manual_seed(SEED)
    tokens = torch.full((len(LENGTHS), max(LENGTHS)), filler, dtype=torch.long)
    mask = torch.zeros_like(tokens)
    for row, length in enumerate(LENGTHS):
        place = slice(0, length) if side == "right" else slice(max(LENGTHS) - length, None)
        tokens[row, place] = torch.randint(1, VOCAB, (length,), generator=random)
        mask[row, place] = 1
    return tokens, mask


def numbers_itself(model):
    """Whether the model takes positions from the tokens that are not its padding token."""
    return model.config.model_type in ("roberta", "camembert")


@torch.no_grad()
def reference(model, side):
    """What the model computes on the padded sequences, by name."""
    tokens, mask = padded(side, filler=model.config.pad_token_id if numbers_itself(model) else 0)
    positions = (mask.cumsum(1) - 1).clamp(min=0)
    given = {} if numbers_itself(model) else {"position_ids": positions}
    narrowed = []
    narrowing = getattr(getattr(model.base_model, "decoder", None), "project_out", None)
    if narrowing is not None:
        narrowing.register_forward_pre_hook(lambda module, inputs: narrowed.append(inputs[0]))
    output = model(tokens, attention_mask=mask, output_hidden_states=True, output_attentions=True, **given)
    layers = model.config.num_hidden_layers
    assert len(output.hidden_states) == layers + 1 and len(output.attentions) == layers
    hidden = [*output.hidden_states[:-1], *(narrowed or output.hidden_states[-1:])]
    tensors = {"tokens": tokens, "mask": mask, "position_ids": positions, "logits": output.logits}
    tensors |= {f"hidden.{i}": value for i, value in enumerate(hidden)}
    tensors |= {f"attention.{i}": value for i, value in enumerate(output.attentions)}
    return {f"{side}.{name}": value.contiguous() for name, value in tensors.items()}


def write_reference(folder):
    model = load(folder)
    save_file(reference(model, "right") | reference(model, "left"), folder / "reference.safetensors")


@torch.no_grad()
def patching(model):
    """Three pairs of rows of six random tokens, with random answers."""
    random = torch.Generator().manual_seed(SEED)
    clean, corrupt = torch.randint(1, VOCAB, (2, 3, 6), generator=random)
    answers = torch.stack([torch.randperm(VOCAB, generator=random)[:2] for _ in clean])
    sweep = Sweep(model, corrupt, clean, answers)
    return {
        "clean": clean.tolist(),
        "corrupt": corrupt.tolist(),
        "answers": answers.tolist(),
        "clean_metric": figures(logit_diff(model(clean).logits[:, -1], answers)),
        "corrupt_metric": figures(logit_diff(model(corrupt).logits[:, -1], answers)),
        "resid_pre": sweep.by_position("resid_pre"),
        "z": sweep.by_head(),
    }


def versions():
    modules = (torch, transformers, safetensors, tokenizers)  # the last for stories.py
    lines = [f"{module.__name__} {module.__version__}" for module in modules]
    return "\n".join([f"python {platform.python_version()}", *lines]) + "\n"


def main(out):
    for case, config in CASES.items():
        folder = out / case
        build(config, folder, ON_DISK.get(case, torch.float32), SHARD_SIZE.get(case, "1GB"), SPREADS.get(case, SPREAD))
        write_reference(folder)
    for case in ("llama3-scaling", "pythia-parallel"):
        write_old_config(out / case, out / case / "config-old.json")
    old = out / "llama-old-config"
    shutil.copytree(out / "llama", old, dirs_exist_ok=True)
    write_old_config(out / "llama", old / "config.json")
    patched = {case: patching(load(out / case)) for case in PATCHED}
    (out / "patch.json").write_text(json.dumps(patched) + "\n")
    (out / "versions.txt").write_text(versions())


if __name__ == "__main__":
    torch.set_num_threads(1)
    main(Path(sys.argv[1]))
