//! PatchClamp: interventions in language models, and what they do to an outcome, with an interval.
//!
//! An experiment is an intervention at a place and its effect. The modules, in the order they build on each other:
//!
//! | module | what it is |
//! |---|---|
//! | [`precision`] | the numbers that a model can compute in |
//! | [`kernel`] | arithmetic on plain numbers in memory, for the CPU |
//! | [`tensor`] | burn under one name; the only file that names it |
//! | [`device`] | CPU, WebGPU, Vulkan, CUDA: what is there |
//! | [`site`] | names of places in a forward pass |
//! | [`node`] | what writes to the stream and what reads it, edges and paths between |
//! | [`hook`] | the seam: reading, editing, differentiating what flows |
//! | [`text`] | batches of tokens, the tokenizer |
//! | [`model`] | decoder and encoder, families, loading |
//! | [`program`] | small programs over tokens, by name, and what they answer |
//! | [`metric`] | logits to one number an item |
//! | [`score`] | log-probabilities of tokens in many texts |
//! | [`train`] | steps of training for any model: weights on a tape, AdamW, rates, losses |
//! | [`table`] | tidy rows |
//! | [`figure`] | tables to pictures |
//! | [`spec`] | exactly what a RON file says |
//! | [`data`] | prompts from files and templates |
//! | [`states`] | recorded states in files: written as a run goes on, read back where they lie |
//! | [`circuit`] | scored edges: chosen, pruned, compared, exchanged, drawn |
//! | [`compile`] | programs as the weights of exact transformers, with their true circuits |
//! | [`treat`] | changes of the weights: rounded, pruned, merged, distilled |
//! | [`plan`] | what the file means: the only validator |
//! | [`steps`] | work in steps that are kept: resumed runs, shards |
//! | [`method`] | one file a method |
//! | [`run`] | a plan carried out |
//! | [`explain`] | the same pass in two settings, and where they part |
//! | [`page`], [`report`] | the run folder |
//! | [`organism`] | the built-in model: grammar, training, exam |
//! | [`builtin`] | the models that the program carries |
//! | [`hub`] | models of the hub by their name: the shared cache, and the network |
//! | [`cli`] | the command line |
//!
//! # Invariants
//! `tests/tidy.rs` holds what a text search can hold of them.
//! - The model does not know the methods: it calls the hook and never asks who listens.
//! - A forward pass has no side effect outside its hook; nothing can be left behind in a model.
//! - Only `spec`, `text`, `data`, `model`'s loader, `organism::save`, `plan`'s edits, `steps`' journal,
//!   `states`, `explain`'s reference, `report` and `hub` touch files; only `hub` uses the network; only `cli` prints.
//! - After [`plan::Plan::new`] succeeds, a run cannot fail for a reason the user could have caused.
//! - No randomness but from the spec's seed; ordered maps wherever order can reach a result.
//! - `probes` knows no model, no text, no file.

pub mod kernel;
pub mod precision;
pub mod tensor;

pub mod device;
pub mod node;
pub mod site;

pub mod hook;
pub mod text;

pub mod model;

pub mod program;

pub mod metric;
pub mod score;
pub mod train;

pub mod table;

pub mod figure;

pub mod spec;

pub mod data;

pub mod states;

pub mod circuit;

pub mod compile;

pub mod treat;

pub mod plan;

pub mod steps;

pub mod method;

pub mod run;

pub mod explain;

pub mod page;
pub mod report;

pub mod organism;

pub mod builtin;
pub mod hub;

pub mod cli;
