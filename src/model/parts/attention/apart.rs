//! Heads apart: what single heads make of what each of their ports reads by itself.

use super::{Attention, Read, softmax};
use crate::model::Context;
use crate::model::parts::Seam;
use crate::tensor::{Tensor, is_plain};

impl Attention {
    /// The queries (0), keys (1) or values (2) of one head, `[batch, 1, pos, d_head]`, from a normed stream that it alone
    /// reads, `[batch, 1, pos, d_model]`.
    pub fn of_head(&self, kind: usize, head: usize, normed: Tensor<4>) -> Tensor<4> {
        let port = &self.ports()[kind];
        let own = self.qkv.columns(port.start + head * self.d_head, self.d_head);
        own.forward(normed.squeeze_dim(1)).unsqueeze_dim(1)
    }

    /// What one head mixes, `[batch, 1, pos, d_head]`, of queries, keys and values as [`Attention::of_head`] gives them;
    /// `earlier` are normed and rotated keys, and values, of the positions before.
    pub fn mixed(
        &self,
        read: [Tensor<4>; 3],
        earlier: Option<[Tensor<4>; 2]>,
        (layer, context): (usize, &Context),
    ) -> Tensor<4> {
        let alone = Attention { heads: 1, key_heads: 1, ..self.clone() };
        let [query, key, value] = read;
        let hook = &mut ();
        let (query, mut key, mut value) =
            alone.positioned(Read { query, key, value }, context, &mut Seam::new(hook, layer));
        if let Some([earlier_key, earlier_value]) = earlier {
            key = Tensor::cat(vec![earlier_key, key], 2);
            value = Tensor::cat(vec![earlier_value, value], 2);
        }
        let mask = &context.mask(layer, query.dims()[0]);
        match is_plain(&query) && self.score_cap.is_none() {
            true => alone.attend(query, key, value, mask),
            false => alone.mix(softmax(alone.scores(query, key, mask)), value),
        }
    }
}
