//! Colours that survive colour blindness, projectors and grey print.

use plotters::style::RGBColor;

/// A colour.
pub type Colour = RGBColor;

/// Text.
pub const INK: Colour = RGBColor(26, 26, 26);
/// Axes and ticks.
pub const AXIS: Colour = RGBColor(80, 80, 80);
/// Zero lines and other helpers.
pub const FAINT: Colour = RGBColor(190, 190, 190);
/// Paper.
pub const WHITE: Colour = RGBColor(255, 255, 255);

/// Okabe & Ito, *Color Universal Design* (2008), dark ones first, without the yellow that white
/// paper swallows.
pub const SERIES: [Colour; 7] = [
    RGBColor(0x00, 0x72, 0xb2),
    RGBColor(0xd5, 0x5e, 0x00),
    RGBColor(0x00, 0x9e, 0x73),
    RGBColor(0xcc, 0x79, 0xa7),
    RGBColor(0x00, 0x00, 0x00),
    RGBColor(0xe6, 0x9f, 0x00),
    RGBColor(0x56, 0xb4, 0xe9),
];

/// From the most negative to the most positive: ColorBrewer 2.0 *Blues* and *Oranges* (Brewer 2003,
/// nine classes, colour-blind safe), which match in lightness class by class, joined at the light
/// grey of its *RdGy*-like schemes.
const DIVERGING: [u32; 17] = [
    0x08306b, 0x08519c, 0x2171b5, 0x4292c6, 0x6baed6, 0x9ecae1, 0xc6dbef, 0xdeebf7, 0xf7f7f7, 0xfee6ce, 0xfdd0a2,
    0xfdae6b, 0xfd8d3c, 0xf16913, 0xd94801, 0xa63603, 0x7f2704,
];

/// From least to most: ColorBrewer 2.0 *BuPu*, nine classes; dark is much.
const SEQUENTIAL: [u32; 9] = [0xf7fcfd, 0xe0ecf4, 0xbfd3e6, 0x9ebcda, 0x8c96c6, 0x8c6bb1, 0x88419d, 0x810f7c, 0x4d004b];

/// How colours stand for numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scale {
    /// Blue below zero, orange above, white at zero; both sides reach equally far.
    Diverging,
    /// Light for little, dark for much.
    Sequential,
}

impl Scale {
    /// The colour at `share` of the way from the lowest to the highest value.
    pub fn colour(self, share: f64) -> Colour {
        match self {
            Self::Diverging => between(&DIVERGING, share),
            Self::Sequential => between(&SEQUENTIAL, share),
        }
    }
}

fn between(anchors: &[u32], share: f64) -> Colour {
    let at = share.clamp(0.0, 1.0) * (anchors.len() - 1) as f64;
    let below = (at as usize).min(anchors.len() - 2);
    let mix = |shift: u32| {
        let channel = |anchor: u32| f64::from(anchor >> shift & 0xff);
        let (low, high) = (channel(anchors[below]), channel(anchors[below + 1]));
        (low + (high - low) * (at - below as f64)).round() as u8
    };
    RGBColor(mix(16), mix(8), mix(0))
}

/// CIE lightness L*, 0 (black) to 100 (white), of an sRGB colour (IEC 61966-2-1, CIE 15).
pub fn lightness(colour: Colour) -> f64 {
    let linear = |channel: u8| match f64::from(channel) / 255.0 {
        dark if dark <= 0.04045 => dark / 12.92,
        light => ((light + 0.055) / 1.055).powf(2.4),
    };
    let RGBColor(red, green, blue) = colour;
    let luminance = 0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue);
    if luminance > 0.008856 { 116.0 * luminance.cbrt() - 16.0 } else { 903.3 * luminance }
}

/// Black or white, whichever is read better on `ground`.
pub fn ink_on(ground: Colour) -> Colour {
    if lightness(ground) < 58.0 { WHITE } else { INK }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two sides of the diverging scale may differ by this much at the same size, of 100.
    const SIDES: f64 = 9.0;

    fn lightnesses(scale: Scale, from: f64, to: f64) -> Vec<f64> {
        let share = |step: i32| from + (to - from) * f64::from(step) / 100.0;
        (0..=100).map(|step| lightness(scale.colour(share(step)))).collect()
    }

    #[test]
    fn more_is_always_darker() {
        for (scale, from) in [(Scale::Sequential, 0.0), (Scale::Diverging, 0.5)] {
            let shades = lightnesses(scale, from, 1.0);
            assert!(shades.windows(2).all(|pair| pair[1] < pair[0] + 1e-9), "{scale:?} {shades:?}");
        }
        let below = lightnesses(Scale::Diverging, 0.5, 0.0);
        assert!(below.windows(2).all(|pair| pair[1] < pair[0] + 1e-9), "{below:?}");
    }

    #[test]
    fn equal_sizes_are_equally_dark_on_both_sides_of_zero() {
        let below = lightnesses(Scale::Diverging, 0.5, 0.0);
        let above = lightnesses(Scale::Diverging, 0.5, 1.0);
        assert!(below.iter().zip(&above).all(|(below, above)| (below - above).abs() < SIDES));
    }

    #[test]
    fn ink_can_be_read_on_every_shade() {
        for step in 0..=100 {
            let ground = Scale::Diverging.colour(f64::from(step) / 100.0);
            assert!((lightness(ink_on(ground)) - lightness(ground)).abs() > 40.0, "{step}");
        }
    }
}
