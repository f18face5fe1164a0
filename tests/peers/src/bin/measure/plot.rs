//! What scales, as plots.

use std::path::Path;

use plotters::prelude::*;

use crate::Result;
use crate::calls::{self, Growth};
use crate::idle::Memory;

/// The height of a name, in pixels.
const LINE: i32 = 15;

/// Told apart on white, and one for each server that is no interpreter.
const COLORS: [RGBColor; 9] = [
    RGBColor(90, 90, 90),
    RGBColor(0, 92, 175),
    RGBColor(190, 30, 45),
    RGBColor(130, 80, 20),
    RGBColor(150, 150, 150),
    RGBColor(215, 105, 0),
    RGBColor(120, 40, 140),
    RGBColor(60, 60, 60),
    RGBColor(0, 125, 70),
];

type Series = Vec<(String, Vec<(f64, f64)>)>;

pub fn memory(all: &[Memory], file: &Path) -> Result<()> {
    let points = |sizes: &[(usize, f64)]| sizes.iter().map(|&(size, kib)| (size as f64, kib)).collect();
    let series = all.iter().map(|(server, sizes)| (server.name.to_owned(), points(sizes))).collect();
    draw(&series, file, "Resident memory of an idle session", "KiB", (1_000.0, 10_000.0))
}

pub fn growth(all: &Growth, file: &Path) -> Result<()> {
    let points = |costs: &[(usize, f64)]| costs.iter().map(|&(size, cost)| (size as f64, cost)).collect();
    let series = all.iter().map(|(name, costs)| ((*name).to_owned(), points(costs))).collect();
    let most = calls::SIZES.iter().max().map_or(1.0, |&size| size as f64);
    draw(&series, file, "Processor time of the server for a command", "microseconds", (1.0, most))
}

fn draw(all: &Series, file: &Path, caption: &str, unit: &str, sizes: (f64, f64)) -> Result<()> {
    let most = all.iter().flat_map(|(_, points)| points).map(|(_, y)| *y).fold(1.0, f64::max);
    let root = SVGBackend::new(file, (900, 480)).into_drawing_area();
    root.fill(&WHITE)?;
    let mut chart = ChartBuilder::on(&root)
        .caption(caption, ("sans-serif", 20))
        .margin(12)
        .margin_right(150)
        .x_label_area_size(40)
        .y_label_area_size(60)
        .build_cartesian_2d((sizes.0..sizes.1).log_scale(), 0.0..most * 1.1)?;
    chart
        .configure_mesh()
        .x_desc("sessions at once")
        .y_desc(unit)
        .x_label_formatter(&|x| format!("{x:.0}"))
        .draw()?;
    let mut names = Vec::new();
    for (at, (name, points)) in all.iter().enumerate() {
        let color = COLORS[at % COLORS.len()];
        chart.draw_series(LineSeries::new(points.iter().copied(), color.stroke_width(2)).point_size(3))?;
        if let Some(&(_, y)) = points.last() {
            names.push((chart.backend_coord(&(sizes.1, y)), name, color));
        }
    }
    // beside the line's end, which needs no legend, from the lowest line up, none over another
    names.sort_by_key(|((_, y), ..)| std::cmp::Reverse(*y));
    let mut free = i32::MAX;
    for ((x, y), name, color) in names {
        let y = y.min(free);
        free = y - LINE;
        let font = ("sans-serif", 13).into_font().color(&color);
        root.draw(&Text::new(name.clone(), (x + 10, y - LINE / 2), font))?;
    }
    root.present()?;
    Ok(())
}
