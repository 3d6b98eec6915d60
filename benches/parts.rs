//! Times the parts of a forward pass in the sizes of GPT-2 small, eight rows of 32 tokens: `cargo bench --bench parts`.

use criterion::{BatchSize, Criterion, Throughput};
use patchclamp::model::parts::Seam;
use patchclamp::model::parts::attention::Attention;
use patchclamp::model::parts::function::Function;
use patchclamp::model::parts::linear::Linear;
use patchclamp::model::parts::mlp::Mlp;
use patchclamp::model::parts::norm::{Norm, NormKind};
use patchclamp::model::parts::position::Sight;
use patchclamp::model::weights::Weights;
use patchclamp::model::{Context, Pass};
use patchclamp::tensor::{Device, Setting, Tensor, from_floats};
use patchclamp::text::Tokens;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::hint::black_box;
use std::time::Duration;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc; // as in the program

const BATCH: usize = 8;
const POS: usize = 32;
const WIDTH: usize = 768;
const HEADS: usize = 12;
const NEURONS: usize = 3072;
/// A slice of GPT-2's vocabulary of 50257: the rate is the same and the bench is quick.
const TOKENS: usize = 8192;

fn device() -> Device {
    Device::Flex(Default::default())
}

/// Numbers between −1 and 1, the same each time.
fn random<const D: usize>(shape: [usize; D]) -> Tensor<D> {
    let mut random = ChaCha8Rng::seed_from_u64(7);
    from_floats((0..shape.iter().product()).map(|_| random.random_range(-1.0..1.0)).collect(), shape, &device())
}

fn linear(input: usize, output: usize) -> Linear {
    Linear { weight: random([input, output]), bias: Some(random([output])) }
}

fn norms(criterion: &mut Criterion) {
    let x = random([BATCH, POS, WIDTH]);
    for kind in [NormKind::LayerNorm, NormKind::Rms] {
        let norm = Norm { kind, weight: Some(random([WIDTH])), bias: Some(random([WIDTH])), eps: 1e-5 };
        criterion
            .bench_function(&format!("norm {kind:?}"), |bencher| bencher.iter(|| norm.apply(black_box(x.clone()))));
    }
}

fn functions(criterion: &mut Criterion) {
    for function in [Function::GeluTanh, Function::Gelu, Function::Silu] {
        // x is made anew each time, so that the function may work in its memory as it does in a model
        criterion.bench_function(&format!("function {function:?}"), |bencher| {
            bencher.iter_batched(|| random([BATCH, POS, NEURONS]), |x| function.apply(x), BatchSize::LargeInput);
        });
    }
}

fn blocks(criterion: &mut Criterion) {
    let attention = Attention {
        qkv: linear(WIDTH, 3 * WIDTH),
        out: linear(WIDTH, WIDTH),
        heads: HEADS,
        key_heads: HEADS,
        d_head: WIDTH / HEADS,
        scale: 0.125,
        norms: None,
        score_cap: None,
    };
    let function = Function::GeluTanh;
    let mlp = Mlp {
        linear: None,
        input: linear(WIDTH, NEURONS),
        output: linear(NEURONS, WIDTH),
        function,
        apart: Vec::new(),
    };
    let tokens = Tokens::new(vec![vec![0; POS]; BATCH]);
    let context = Context::new(&Pass::whole(&tokens), &[Sight::Causal], None, &Setting::from(&device()));
    let x = random([BATCH, POS, WIDTH]);
    criterion.bench_function("attention", |bencher| {
        bencher.iter(|| attention.forward(black_box(x.clone()), &x, None, &context, &mut Seam::new(&mut (), 0)));
    });
    criterion.bench_function("mlp", |bencher| {
        bencher.iter(|| mlp.forward(black_box(x.clone()), &mut Seam::new(&mut (), 0)));
    });
}

fn products(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("product");
    let sizes = [(WIDTH, 3 * WIDTH), (WIDTH, WIDTH), (WIDTH, NEURONS), (NEURONS, WIDTH)];
    let stored = sizes.map(|(input, output)| (format!("{input} to {output}"), random([input, output])));
    let turned = (format!("{WIDTH} to {TOKENS}, transposed"), random([TOKENS, WIDTH]).swap_dims(0, 1));
    for (name, weight) in stored.into_iter().chain([turned]) {
        let x = random([BATCH * POS, weight.dims()[0]]);
        group.throughput(Throughput::Elements((2 * BATCH * POS * weight.dims()[0] * weight.dims()[1]) as u64));
        group.bench_function(&name, |bencher| bencher.iter(|| black_box(x.clone()).matmul(weight.clone())));
    }
}

/// Reading a checkpoint of 64 MB.
fn load(criterion: &mut Criterion) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let shape = [4096, 4096];
    let bytes = vec![0; 4 * shape[0] * shape[1]];
    let view = safetensors::tensor::TensorView::new(safetensors::Dtype::F32, shape.to_vec(), &bytes);
    let file = safetensors::serialize([("weight", view.expect("as many bytes as the shape says"))], None);
    std::fs::write(folder.path().join("model.safetensors"), file.expect("one tensor")).expect("a writable folder");
    let mut group = criterion.benchmark_group("load");
    group.throughput(Throughput::Bytes(bytes.len() as u64));
    group.bench_function("f32", |bencher| {
        bencher.iter(|| {
            let weights = Weights::open(folder.path(), &device()).expect("written above");
            weights.read::<2>("weight", shape).expect("written above")
        });
    });
}

fn main() {
    let quick = Criterion::default().sample_size(10).warm_up_time(Duration::from_millis(300));
    let mut criterion = quick.measurement_time(Duration::from_secs(1)).configure_from_args();
    for bench in [norms, functions, blocks, products, load] {
        bench(&mut criterion);
    }
}
