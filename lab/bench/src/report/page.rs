//! The page: one self-contained file.

use askama::Template;

use super::{Report, Table};

#[derive(Template)]
#[template(path = "bench.html")]
struct Page<'a> {
    report: &'a Report,
    targets: Table,
    charts: Vec<String>,
}

pub(super) fn render(report: &Report) -> String {
    let page = Page {
        report,
        targets: report.targets(),
        charts: report.curves.iter().map(super::Curve::svg).collect(),
    };
    // Writing to a string can't fail.
    page.render().unwrap_or_default()
}
