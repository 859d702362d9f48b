//! Middle values and ratios.

/// The middle of per-round ratios, and their ends.
#[derive(Clone, Copy)]
pub(super) struct Ratio {
    pub(super) median: f64,
    pub(super) lowest: f64,
    pub(super) highest: f64,
}

impl Ratio {
    /// Of two lists of rounds that took turns; nothing when one is empty.
    pub(super) fn of(theirs: &[f64], ours: &[f64]) -> Option<Self> {
        let mut ratios: Vec<f64> = theirs.iter().zip(ours).map(|(theirs, ours)| theirs / ours).collect();
        ratios.sort_by(f64::total_cmp);
        Some(Self {
            median: *ratios.get(ratios.len() / 2)?,
            lowest: *ratios.first()?,
            highest: *ratios.last()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ratio_is_made_within_a_round() {
        let ratio = Ratio::of(&[20.0, 30.0, 90.0], &[10.0, 10.0, 10.0]).expect("three rounds");
        assert_eq!((ratio.lowest, ratio.median, ratio.highest), (2.0, 3.0, 9.0));
        assert!(Ratio::of(&[], &[]).is_none());
    }
}
