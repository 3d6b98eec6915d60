"""A model folder of GPT-2 as TransformerLens's HookedTransformer on the processor, with an input for each head, for the scripts
that time what others have built on it."""
import json


def load(folder, items, positions):
    """The model, and clean tokens, corrupted tokens and answers `[items, ..]`."""
    import torch, transformers
    from transformer_lens import HookedTransformer, HookedTransformerConfig
    from transformer_lens.pretrained.weight_conversions import convert_gpt2_weights

    given = transformers.GPT2LMHeadModel.from_pretrained(folder)
    shape = given.config
    config = HookedTransformerConfig(
        n_layers=shape.n_layer, d_model=shape.n_embd, n_ctx=shape.n_positions, d_head=shape.n_embd // shape.n_head,
        n_heads=shape.n_head, d_vocab=shape.vocab_size, act_fn="gelu_new", normalization_type="LN",
        eps=shape.layer_norm_epsilon, device="cpu", original_architecture="GPT2LMHeadModel",
    )
    model = HookedTransformer(config)
    model.load_state_dict(convert_gpt2_weights(given, config), strict=False)
    model.cfg.use_split_qkv_input = model.cfg.use_attn_result = model.cfg.use_hook_mlp_in = True
    tokens = json.load(open(f"{folder}/tokens.json"))
    clean, corrupt = (torch.tensor(tokens[side])[:items, :positions] for side in ("clean", "corrupt"))
    return model, clean, corrupt, torch.tensor(tokens["answers"])[:items]
