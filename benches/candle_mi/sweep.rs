//! The residual sweep of `candle-mi` over a model folder with `tokens.json`, timed; `candle_mi.sh` makes the crate around it.
//!
//! Denoising: the corrupted prompts run with the clean residual stream put in before one layer at one position, all rows
//! in one batch, for every layer and position. Prints one line of JSON and, with a fourth argument, writes the effects.

use candle_core::{DType, Device, Tensor};
use candle_mi::{GenericTransformer, HookPoint, HookSpec, Intervention, MIModel, TransformerConfig};
use std::time::Instant;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let begun = Instant::now();
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().expect("FOLDER BATCH POSITIONS [EFFECTS.json]");
    let batch: usize = arguments.next().expect("BATCH").parse()?;
    let positions: usize = arguments.next().expect("POSITIONS").parse()?;
    let device = Device::Cpu;
    let config = serde_json::from_str(&std::fs::read_to_string(format!("{folder}/config.json"))?)?;
    let bytes = std::fs::read(format!("{folder}/model.safetensors"))?;
    let weights = candle_nn::VarBuilder::from_buffered_safetensors(bytes, DType::F32, &device)?;
    let model = GenericTransformer::load(TransformerConfig::from_hf_config(&config)?, &device, DType::F32, weights)?;
    let model = MIModel::new(Box::new(model), device.clone());
    let given: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(format!("{folder}/tokens.json"))?)?;
    let number = |value: &serde_json::Value| value.as_u64().expect("a token") as u32;
    let tokens = |name: &str| -> candle_core::Result<Tensor> {
        let row = |row: usize| (0..positions).map(move |pos| (row, pos));
        let all: Vec<u32> = (0..batch).flat_map(row).map(|(row, pos)| number(&given[name][row][pos])).collect();
        Tensor::from_vec(all, (batch, positions), &device)
    };
    let answers: Vec<[u32; 2]> = (0..batch).map(|row| [0, 1].map(|i| number(&given["answers"][row][i]))).collect();
    let (clean, corrupt) = (tokens("clean")?, tokens("corrupt")?);
    let load_seconds = begun.elapsed().as_secs_f64();

    let metric = |logits: &Tensor| -> candle_core::Result<f64> {
        let last = logits.narrow(1, positions - 1, 1)?.squeeze(1)?.to_vec2::<f32>()?;
        let difference = |(row, [right, wrong]): (&Vec<f32>, &[u32; 2])| row[*right as usize] - row[*wrong as usize];
        Ok(last.iter().zip(&answers).map(difference).map(f64::from).sum::<f64>() / batch as f64)
    };
    let layers = model.num_layers();
    let mut capture = HookSpec::new();
    capture.capture_all((0..layers).map(HookPoint::ResidPre));
    let cache = model.forward(&clean, &capture)?;
    let sweep = Instant::now();
    let mut effects = vec![vec![0.0; positions]; layers];
    for (layer, row) in effects.iter_mut().enumerate() {
        for (position, effect) in row.iter_mut().enumerate() {
            let value = cache.require(&HookPoint::ResidPre(layer))?.narrow(1, position, 1)?.contiguous()?;
            let mut hooks = HookSpec::new();
            hooks.intervene(HookPoint::ResidPre(layer), Intervention::PatchAt { position, value });
            *effect = metric(model.forward(&corrupt, &hooks)?.output())?;
        }
    }
    let seconds = sweep.elapsed().as_secs_f64();
    let sum: f64 = effects.iter().flatten().sum();
    println!(
        "{}",
        serde_json::json!({"sweep": "resid_pre", "seconds": seconds, "load_seconds": load_seconds, "peak_mib": peak_mib(), "sum": sum})
    );
    if let Some(path) = arguments.next() {
        std::fs::write(path, serde_json::to_string(&effects)?)?;
    }
    Ok(())
}

/// The most memory this process ever held, where the system tells.
fn peak_mib() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.split_whitespace().next()?.parse::<u64>().ok()? / 1024)
}
