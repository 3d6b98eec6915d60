"""Makes reference states for `patchclamp explain`: what transformers computes at the sites of two goldens.

Run:    HF_HUB_OFFLINE=1 python states.py GOLDENS     (GOLDENS is this folder; a few seconds)
Needs:  torch, transformers, safetensors; the versions used are in versions.txt

GOLDENS/gpt2/states.safetensors   f64, computed in f64
GOLDENS/llama/states.safetensors  f32, computed in f32: transformers has no rotary angles in f64

Tensors are named as TransformerLens names them, in its shapes: `[batch, pos, d_model]` for streams, `[batch, pos, head,
d_head]` for heads, `[batch, head, query, key]` for patterns; besides `tokens` and `attention_mask`, i64 [batch, pos].
Two random sequences of 6 and 4 tokens, the second padded on the right.
"""

import sys
from pathlib import Path

import torch
from safetensors.torch import save_file
from transformers import AutoModelForCausalLM

SEED = 29
LENGTHS = (6, 4)
VOCAB = 48


def prompts():
    random = torch.Generator().manual_seed(SEED)
    tokens = torch.zeros(len(LENGTHS), max(LENGTHS), dtype=torch.long)
    mask = torch.zeros_like(tokens)
    for row, length in enumerate(LENGTHS):
        tokens[row, :length] = torch.randint(1, VOCAB, (length,), generator=random)
        mask[row, :length] = 1
    return tokens, mask


class Kept(dict):
    """What modules read and write, by name of the site."""

    def output(self, module, name, part=lambda output: output):
        module.register_forward_hook(lambda _, inputs, output: self.update({name: part(output)}))

    def input(self, module, name, part=lambda inputs: inputs):
        module.register_forward_pre_hook(lambda _, inputs: self.update({name: part(inputs[0])}))


def by_head(width):
    return lambda x: x.reshape(*x.shape[:2], -1, width)


def watch_gpt2(model, kept):
    width = model.config.n_embd // model.config.n_head
    body = model.transformer
    kept.output(body.wte, "hook_embed")
    kept.output(body.wpe, "hook_pos_embed", lambda x: x.expand(len(LENGTHS), -1, -1))
    kept.output(body.ln_f, "ln_final.hook_normalized")
    for layer, block in enumerate(body.h):
        site = f"blocks.{layer}.{{}}".format
        kept.input(block.ln_1, site("hook_resid_pre"))
        kept.output(block.ln_1, site("ln1.hook_normalized"))
        for index, name in enumerate("qkv"):
            third = lambda x, index=index: by_head(width)(x.chunk(3, dim=2)[index])
            kept.output(block.attn.c_attn, site(f"attn.hook_{name}"), third)
        kept.output(block.attn, site("attn.hook_pattern"), lambda output: output[1])
        kept.input(block.attn.c_proj, site("attn.hook_z"), by_head(width))
        kept.output(block.attn, site("hook_attn_out"), lambda output: output[0])
        kept.input(block.ln_2, site("hook_resid_mid"))
        kept.output(block.ln_2, site("ln2.hook_normalized"))
        kept.output(block.mlp.c_fc, site("mlp.hook_pre"))
        kept.input(block.mlp.c_proj, site("mlp.hook_post"))
        kept.output(block.mlp, site("hook_mlp_out"))
        kept.output(block, site("hook_resid_post"), first)


def watch_llama(model, kept):
    width = model.config.head_dim
    kept.output(model.model.embed_tokens, "hook_embed")
    for layer, block in enumerate(model.model.layers):
        site = f"blocks.{layer}.{{}}".format
        attention, mlp = block.self_attn, block.mlp
        kept.input(block.input_layernorm, site("hook_resid_pre"))
        for name in "qkv":
            kept.output(getattr(attention, f"{name}_proj"), site(f"attn.hook_{name}"), by_head(width))
        kept.output(attention, site("attn.hook_pattern"), lambda output: output[1])
        kept.input(attention.o_proj, site("attn.hook_z"), by_head(width))
        kept.output(attention, site("hook_attn_out"), lambda output: output[0])
        kept.input(block.post_attention_layernorm, site("hook_resid_mid"))
        kept.output(mlp.gate_proj, site("mlp.hook_pre"))
        kept.output(mlp.up_proj, site("mlp.hook_pre_linear"))
        kept.input(mlp.down_proj, site("mlp.hook_post"))
        kept.output(mlp, site("hook_mlp_out"))
        kept.output(block, site("hook_resid_post"), first)


def first(output):
    return output[0] if isinstance(output, tuple) else output


@torch.no_grad()
def write(folder, dtype, watch):
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=dtype, attn_implementation="eager").eval()
    (tokens, mask), kept = prompts(), Kept()
    watch(model, kept)
    positions = (mask.cumsum(1) - 1).clamp(min=0)
    kept["logits"] = model(tokens, attention_mask=mask, position_ids=positions).logits
    assert all(value.dtype == dtype for value in kept.values())
    tensors = {"tokens": tokens, "attention_mask": mask} | kept
    save_file({name: value.contiguous().clone() for name, value in tensors.items()}, folder / "states.safetensors")


if __name__ == "__main__":
    torch.set_num_threads(1)
    goldens = Path(sys.argv[1])
    write(goldens / "gpt2", torch.float64, watch_gpt2)
    write(goldens / "llama", torch.float32, watch_llama)
