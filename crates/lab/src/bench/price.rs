//! List prices of us-east-1 in US dollars, as AWS's pages had them in November 2026.
//! <https://aws.amazon.com/s3/pricing/>, <https://aws.amazon.com/lambda/pricing/>

const PUT: f64 = 0.005 / 1_000.0;
const GET: f64 = 0.000_4 / 1_000.0;
const RUN: f64 = 0.20 / 1_000_000.0;

/// A second of a function on arm64 with the memory below.
const SECOND: f64 = 0.000_013_333_4 * MEMORY_GB;
const MEMORY_GB: f64 = 0.256;

/// Of a run that ingests one payment, in seconds: a few milliseconds, of which Lambda bills at least one.
const ONE_ROW: f64 = 0.005;

pub fn of(puts: f64, gets: f64, runs: f64, function_seconds: f64) -> f64 {
    puts * PUT + gets * GET + runs * RUN + function_seconds * SECOND
}

/// A million payments, each an object with an event of its own.
pub fn one_object_a_payment() -> f64 {
    of(1e6, 1e6, 1e6, 1e6 * ONE_ROW)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_million_objects_cost_what_the_price_list_says() {
        let dollars = one_object_a_payment();
        assert!((dollars - 5.617).abs() < 0.001, "{dollars}");
    }
}
