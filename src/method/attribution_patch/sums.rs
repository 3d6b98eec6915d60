//! Values of a site for every row, summed over what a place picks.

use crate::site::Place;

/// Values `[row, head, pos, width]`, last axis fastest.
pub struct Values {
    /// Lengths of the axes.
    pub shape: [usize; 4],
    /// The values.
    pub values: Vec<f64>,
}

impl Values {
    /// The sum over the heads, positions and neurons of a place, row by row; an axis of length 1 stands for all of it.
    pub fn sums(&self, place: &Place) -> Vec<f64> {
        let [rows, heads, positions, width] = self.shape;
        let [_, of_heads, of_positions, of_neurons] = place.axes();
        let picked = |chosen: &Option<Vec<usize>>, length: usize| match chosen {
            Some(indices) if length > 1 => indices.clone(),
            _ => (0..length).collect(),
        };
        let (heads_in, positions_in) = (picked(of_heads, heads), picked(of_positions, positions));
        let neurons = of_neurons.as_ref().filter(|_| width > 1);
        let at = |row: usize, head: usize, position: usize| {
            let start = ((row * heads + head) * positions + position) * width;
            let values = &self.values[start..start + width];
            match neurons {
                Some(neurons) => neurons.iter().map(|neuron| values[*neuron]).sum::<f64>(),
                None => values.iter().sum(),
            }
        };
        let row = |row: usize| -> f64 {
            heads_in
                .iter()
                .flat_map(|head| positions_in.iter().map(move |pos| (*head, *pos)))
                .map(|(h, p)| at(row, h, p))
                .sum()
        };
        (0..rows).map(row).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::site::Site;

    #[test]
    fn a_place_picks_what_is_summed() {
        let values = Values { shape: [2, 2, 3, 2], values: (0..24).map(f64::from).collect() };
        let all = Place::all(Site::Mix(0));
        let sums = |place: &Place| values.sums(place);
        assert_eq!(sums(&all), [66.0, 210.0]);
        assert_eq!(sums(&Place { heads: Some(vec![1]), ..all.clone() }), [51.0, 123.0]);
        assert_eq!(sums(&Place { positions: Some(vec![0, 2]), ..all.clone() }), [44.0, 140.0]);
        assert_eq!(sums(&Place { neurons: Some(vec![1]), ..all.clone() }), [36.0, 108.0]);
        let one = Place { heads: Some(vec![1]), positions: Some(vec![2]), neurons: Some(vec![0]), ..all };
        assert_eq!(sums(&one), [10.0, 22.0]);
    }
}
