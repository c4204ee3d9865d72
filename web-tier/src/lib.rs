//! Public front of the pipeline: limits, the pay page, proxy to the app tier.
