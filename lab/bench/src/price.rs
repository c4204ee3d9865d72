//! AWS list prices in us-east-1, in US dollars, without free tier and discounts.

use super::report::Table;

/// When the prices were read.
const READ: &str = "November 2026";

const S3: &str = "https://aws.amazon.com/s3/pricing/";
const LAMBDA: &str = "https://aws.amazon.com/lambda/pricing/";

struct Price {
    what: &'static str,
    dollars: f64,
    /// Number of units that the price is for.
    of: f64,
    source: &'static str,
}

const PUT: Price = Price {
    what: "S3 Standard, PUT requests",
    dollars: 0.005,
    of: 1_000.0,
    source: S3,
};
const GET: Price = Price {
    what: "S3 Standard, GET requests",
    dollars: 0.000_4,
    of: 1_000.0,
    source: S3,
};
const RUN: Price = Price {
    what: "Lambda, runs",
    dollars: 0.20,
    of: 1_000_000.0,
    source: LAMBDA,
};
const GB_SECOND: Price = Price {
    what: "Lambda on arm64, GB-seconds",
    dollars: 0.000_013_333_4,
    of: 1.0,
    source: LAMBDA,
};

const PRICES: [Price; 4] = [PUT, GET, RUN, GB_SECOND];

/// Memory of the function, in GB as Lambda counts them.
const MEMORY_GB: f64 = 0.25;

impl Price {
    fn each(&self) -> f64 {
        self.dollars / self.of
    }
}

/// Returns the cost of so many requests, invocations and billed seconds.
pub fn of(puts: f64, gets: f64, runs: f64, function_seconds: f64) -> f64 {
    puts * PUT.each()
        + gets * GET.each()
        + runs * RUN.each()
        + function_seconds * MEMORY_GB * GB_SECOND.each()
}

pub fn table() -> Table {
    let title = format!("List prices, us-east-1, {READ}; the function has 256 MB");
    let mut table = Table::new(&title, &["of", "dollars", "for", "source"]);
    for price in &PRICES {
        table.row([
            price.what.to_owned(),
            price.dollars.to_string(),
            price.of.to_string(),
            price.source.to_owned(),
        ]);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_million_objects_cost_what_the_price_list_says() {
        let dollars = of(1e6, 1e6, 1e6, 5_000.0);
        assert!((dollars - 5.6167).abs() < 0.000_1, "{dollars}");
    }
}
