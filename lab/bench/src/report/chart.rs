//! Latency curves as SVG.

use plotters::prelude::{
    ChartBuilder, Color as _, IntoDrawingArea as _, IntoLogRange as _, LineSeries, Palette as _,
    Palette99, PathElement, SVGBackend, WHITE,
};
use serde::Serialize;

use crate::load::{Outcome, PERCENTILES};

const SIZE: (u32, u32) = (880, 420);

/// Latencies by percentile, one line per side.
#[derive(Clone, Debug, Serialize)]
pub struct Curve {
    pub title: String,
    pub percentiles: Vec<f64>,
    pub lines: Vec<Line>,
}

#[derive(Clone, Debug, Serialize)]
pub struct Line {
    pub name: String,
    pub latency_ms: Vec<f64>,
}

impl Curve {
    pub fn of<'a>(title: &str, sides: impl IntoIterator<Item = (&'a str, &'a Outcome)>) -> Self {
        let line = |(name, outcome): (&str, &Outcome)| Line {
            name: name.to_owned(),
            latency_ms: outcome.latency_ms.clone(),
        };
        Self {
            title: title.to_owned(),
            percentiles: PERCENTILES.into(),
            lines: sides.into_iter().map(line).collect(),
        }
    }

    /// Returns the picture, or the error message in its place.
    pub fn svg(&self) -> String {
        let mut svg = String::new();
        match self.draw(&mut svg) {
            Ok(()) => svg,
            Err(error) => format!("<p>no chart: {error}</p>"),
        }
    }

    fn draw(&self, svg: &mut String) -> Result<(), Box<dyn std::error::Error + '_>> {
        let all = || self.lines.iter().flat_map(|line| &line.latency_ms).copied();
        let low = all().fold(f64::INFINITY, f64::min).max(0.01);
        let high = all().fold(low, f64::max) * 1.5;
        let root = SVGBackend::with_string(svg, SIZE).into_drawing_area();
        root.fill(&WHITE)?;
        let places = f64::from(u32::try_from(self.percentiles.len())?);
        let mut chart = ChartBuilder::on(&root)
            .caption(&self.title, ("sans-serif", 18))
            .margin(16)
            .x_label_area_size(36)
            .y_label_area_size(64)
            .build_cartesian_2d(0.0..places - 1.0, (low..high).log_scale())?;
        let name = |place: &f64| self.name_of(*place);
        chart
            .configure_mesh()
            .x_labels(self.percentiles.len())
            .x_label_formatter(&name)
            .y_desc("milliseconds")
            .max_light_lines(0)
            .draw()?;
        for (index, line) in self.lines.iter().enumerate() {
            let style = Palette99::pick(index).stroke_width(2);
            let points = (0_u32..)
                .map(f64::from)
                .zip(line.latency_ms.iter().copied());
            chart
                .draw_series(LineSeries::new(points, style))?
                .label(&line.name)
                .legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], style));
        }
        chart
            .configure_series_labels()
            .background_style(WHITE.mix(0.9))
            .draw()?;
        root.present()?;
        Ok(())
    }

    fn name_of(&self, place: f64) -> String {
        let mut at = (0_u32..).map(f64::from).zip(&self.percentiles);
        let found = at.find(|(x, _)| (x - place).abs() < 0.01);
        match found {
            Some((_, 100.0)) => "slowest".to_owned(),
            Some((_, percent)) => format!("p{percent}"),
            None => String::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_is_drawn_and_named() {
        let outcome = Outcome {
            rate: 100.0,
            failed: 0,
            latency_ms: vec![1.0, 2.0, 3.0, 4.0, 10.0, 20.0, 300.0],
        };
        let svg = Curve::of("Latency", [("ours", &outcome), ("theirs", &outcome)]).svg();
        let drawn = svg.matches(r#"stroke-width="2""#).count();
        assert_eq!(drawn, 4, "two lines, two legends: {svg}");
        for text in ["Latency", "ours", "theirs", "p99.9", "slowest"] {
            assert!(svg.contains(text), "{text}");
        }
    }
}
