//! A flow diagram: tokens along x, layers upwards, and at each place how much of the effect stands there.
//!
//! A disc stands for the stream, a square for what attention writes, a triangle for what the MLP writes, each as large and
//! dark as its effect. The stream runs upwards; its line is as strong as the smaller of the effects that it joins. Arrows
//! go from key to query where attention was recorded and both ends have an effect.

mod arrow;
mod ink;
mod read;

pub use arrow::Glance;
pub use read::flow_of;

/// The diagram.
#[derive(Clone, Debug)]
pub struct Flow {
    /// Above it; may be empty.
    pub title: String,
    /// What the effects are.
    pub value_title: String,
    /// The tokens, or what stands for them.
    pub x: Vec<String>,
    /// The layers, from the bottom.
    pub y: Vec<String>,
    /// Every effect.
    pub dots: Vec<Dot>,
    /// Where attention brings something from.
    pub arrows: Vec<Arrow>,
    /// Whether the stream is that before a layer's attention and MLP, which then stand above it, or that behind them.
    pub stream: Side,
}

/// An effect at a place.
#[derive(Clone, Debug, PartialEq)]
pub struct Dot {
    /// Whose.
    pub kind: Kind,
    /// Its row, from the bottom.
    pub row: usize,
    /// Its column.
    pub column: usize,
    /// Its effect.
    pub value: f64,
    /// What a reader sees who points at it.
    pub note: String,
}

/// What writes or holds an effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// The stream.
    Stream,
    /// All heads of a layer.
    Attention,
    /// The MLP of a layer.
    Mlp,
}

/// What a head looks at.
#[derive(Clone, Debug, PartialEq)]
pub struct Arrow {
    /// The layer's row.
    pub row: usize,
    /// The column that is looked at.
    pub key: usize,
    /// The column that looks.
    pub query: usize,
    /// How much of the query lies on the key, up to 1.
    pub share: f64,
    /// What a reader sees who points at it.
    pub note: String,
}

/// A side of a layer's attention and MLP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Before them.
    Before,
    /// Behind them.
    Behind,
}

#[cfg(test)]
mod tests;
