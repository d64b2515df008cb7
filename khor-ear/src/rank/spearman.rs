//! Computes Spearman's rank correlation. Equal values share the mean of their ranks.

/// Rank correlation of the pairs, -1..=1. If all first or all second values are equal, it is 0.
pub fn spearman(pairs: &[(f64, f64)]) -> f64 {
    let (x, y): (Vec<f64>, Vec<f64>) = pairs.iter().copied().unzip();
    pearson(&ranks(&x), &ranks(&y))
}

fn ranks(values: &[f64]) -> Vec<f64> {
    let rank = |value: &f64| {
        let below = values.iter().filter(|other| *other < value).count() as f64;
        let same = values.iter().filter(|other| *other == value).count() as f64;
        below + 0.5 * (same - 1.0)
    };
    values.iter().map(rank).collect()
}

fn pearson(x: &[f64], y: &[f64]) -> f64 {
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len().max(1) as f64;
    let (mx, my) = (mean(x), mean(y));
    let product: f64 = x.iter().zip(y).map(|(x, y)| (x - mx) * (y - my)).sum();
    let square = |values: &[f64], mean: f64| values.iter().map(|v| (v - mean).powi(2)).sum::<f64>();
    let scale = (square(x, mx) * square(y, my)).sqrt();
    if scale > 0.0 { product / scale } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn monotonic_curves_correlate_fully() {
        let pairs = |f: fn(f64) -> f64| (1..10).map(|i| (f64::from(i), f(f64::from(i)))).collect::<Vec<_>>();
        assert!((spearman(&pairs(f64::exp)) - 1.0).abs() < 1e-9);
        assert!((spearman(&pairs(|x| -x.ln())) + 1.0).abs() < 1e-9);
        assert_eq!(spearman(&pairs(|_| 3.0)), 0.0);
    }

    /// The expected value was computed by hand. For the ranks 1 2 3 4 5 and 2 1 4 3 5, the squared
    /// differences sum to 4, so the correlation is 1 - 6·4/120.
    #[test]
    fn a_known_case_matches() {
        let pairs = [(10.0, 2.0), (20.0, 1.0), (30.0, 4.0), (40.0, 3.0), (50.0, 5.0)];
        assert!((spearman(&pairs) - 0.8).abs() < 1e-9);
    }

    #[test]
    fn ties_share_their_rank() {
        assert_eq!(ranks(&[3.0, 1.0, 3.0, 2.0]), [2.5, 0.0, 2.5, 1.0]);
    }
}
