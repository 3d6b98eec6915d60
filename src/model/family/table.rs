//! Every family that can be loaded, with what a user should know of it.

use super::{Family, bert, compiled, gemma, gpt_neo, gpt2, llama, neox, opt};

/// Norms that subtract no mean.
const RMS: &str = "CentreWriting";
/// Encoders.
const MASKED: &str = "direct logit attribution, generation, process";

/// Every family that can be loaded, causal ones first.
pub const FAMILIES: &[Family] = &[
    Family {
        name: "gpt2",
        checkpoints: "GPT-2, DistilGPT-2",
        about: "learned positions; LayerNorm before; gelu",
        without: "",
        build: gpt2::build,
    },
    Family {
        name: "gpt_neo",
        checkpoints: "GPT-Neo 125M to 2.7B, TinyStories",
        about: "learned positions; LayerNorm before; scores not scaled, every other layer sees a window; gelu",
        without: "",
        build: gpt_neo::build,
    },
    Family {
        name: "gpt_neox",
        checkpoints: "Pythia, GPT-NeoX-20B",
        about: "rotary positions on a part of a head; LayerNorm before; attention and MLP in parallel or in sequence; gelu",
        without: "",
        build: neox::build,
    },
    Family {
        name: "opt",
        checkpoints: "OPT 125M to 66B",
        about: "learned positions; LayerNorm before (350M: behind the stream, with narrower embeddings); relu",
        without: "350M: direct logit attribution, FoldNorms, CentreWriting",
        build: opt::build,
    },
    Family {
        name: "llama",
        checkpoints: "Llama 1 to 3.3, TinyLlama, SmolLM",
        about: "rotary positions; RMSNorm before; keys and values for groups of heads; gated silu",
        without: RMS,
        build: llama::llama,
    },
    Family {
        name: "mistral",
        checkpoints: "Mistral 7B, Zephyr",
        about: "as llama; every layer sees a window, where the configuration has one",
        without: RMS,
        build: llama::mistral,
    },
    Family {
        name: "qwen2",
        checkpoints: "Qwen2, Qwen2.5",
        about: "as llama; biases on queries, keys and values; some layers may see a window",
        without: RMS,
        build: llama::qwen2,
    },
    Family {
        name: "qwen3",
        checkpoints: "Qwen3 0.6B to 32B",
        about: "as llama; queries and keys of every head have an RMSNorm; some layers may see a window",
        without: RMS,
        build: llama::qwen3,
    },
    Family {
        name: "phi3",
        checkpoints: "Phi-3, Phi-3.5, Phi-4-mini",
        about: "as llama; rotary on a part of a head, other frequencies in long texts; a window, where there is one",
        without: RMS,
        build: llama::phi3,
    },
    Family {
        name: "gemma",
        checkpoints: "Gemma 2B, 7B, CodeGemma",
        about: "as llama; embeddings times √d_model; gated gelu",
        without: RMS,
        build: gemma::gemma,
    },
    Family {
        name: "gemma2",
        checkpoints: "Gemma 2 2B to 27B",
        about: "as gemma; norms before and behind attention and MLP; scores and logits bent to a bound; every other layer sees a window",
        without: "CentreWriting; while logits are bent, direct logit attribution and CentreUnembedding",
        build: gemma::gemma2,
    },
    Family {
        name: "bert",
        checkpoints: "BERT, German, Japanese and multilingual BERT",
        about: "[MASK]; learned positions and segments; LayerNorm behind the stream; gelu",
        without: MASKED,
        build: bert::bert,
    },
    Family {
        name: "roberta",
        checkpoints: "RoBERTa, DistilRoBERTa",
        about: "<mask>; as bert; positions start behind the padding token's number",
        without: MASKED,
        build: bert::roberta,
    },
    Family {
        name: "camembert",
        checkpoints: "CamemBERT",
        about: "<mask>; as roberta, for French",
        without: MASKED,
        build: bert::roberta,
    },
    Family {
        name: "distilbert",
        checkpoints: "DistilBERT",
        about: "[MASK]; as bert, without segments",
        without: MASKED,
        build: bert::distilbert,
    },
    Family {
        name: "compiled",
        checkpoints: "programs that `patchclamp compile` writes",
        about: "learned positions; no norms; relu; causal, or sight in both directions",
        without: "CentreWriting; with sight in both directions, generation",
        build: compiled::build,
    },
];
