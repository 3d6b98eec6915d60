//! Tables to figures: heat maps, small multiples, curves, bars, diagrams and flows as SVG, PDF and PNG.

mod axis;
mod bars;
mod choose;
mod colour_bar;
mod curves;
mod diagram;
mod export;
mod flow;
mod font;
mod grid;
mod heat_map;
mod markup;
mod palette;
mod panels;
mod pen;
mod pivot;
mod scale;
mod sheet;
mod unit;

pub use bars::{Bar, Bars};
pub use choose::figures_of;
pub(crate) use choose::words;
pub use curves::{Curves, Estimate, Series};
pub use diagram::{Band, Diagram, Group, Kind, Spot, Wire};
pub use export::FigureError;
pub use flow::{Flow, Glance, flow_of};
pub use font::face;
pub use heat_map::HeatMap;
pub(crate) use markup::escape;
pub use palette::Scale;
pub use panels::{Panel, Panels};
pub(crate) use unit::capitalised;

/// Something that can be drawn.
#[derive(Clone, Debug)]
pub enum Figure {
    /// Values over two axes.
    HeatMap(HeatMap),
    /// Several of them with one scale.
    Panels(Panels),
    /// Curves over one axis.
    Curves(Curves),
    /// A number for each of some names.
    Bars(Bars),
    /// Boxes in rows, with weighted wires between.
    Diagram(Diagram),
    /// Effects over tokens and layers, and what joins them.
    Flow(Flow),
}

impl Figure {
    /// The figure as an SVG document in points, with text as text; the font is named, not inside.
    pub fn svg(&self) -> String {
        match self {
            Self::HeatMap(map) => map.svg(),
            Self::Panels(panels) => panels.svg(),
            Self::Curves(curves) => curves.svg(),
            Self::Bars(bars) => bars.svg(),
            Self::Diagram(diagram) => diagram.svg(),
            Self::Flow(flow) => flow.svg(),
        }
    }
}

#[cfg(test)]
mod tests;
