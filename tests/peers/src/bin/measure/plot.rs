//! What scales, as plots.

use std::collections::BTreeMap;
use std::path::Path;

use plotters::prelude::*;

use crate::Result;
use crate::calls;
use crate::idle::Memory;

type Series = Vec<(String, Vec<(f64, f64)>)>;

pub fn memory(all: &[Memory], file: &Path) -> Result<()> {
    let points = |sizes: &[(usize, f64)]| sizes.iter().map(|&(size, kib)| (size as f64, kib)).collect();
    let series = all.iter().map(|(server, sizes)| (server.name.to_owned(), points(sizes))).collect();
    draw(&series, file, "Resident memory of an idle session", "KiB", (900.0, 11_000.0))
}

pub fn growth(all: &BTreeMap<&'static str, Vec<(usize, f64)>>, file: &Path) -> Result<()> {
    let points = |costs: &[(usize, f64)]| costs.iter().map(|&(size, cost)| (size as f64, cost)).collect();
    let series = all.iter().map(|(name, costs)| ((*name).to_owned(), points(costs))).collect();
    let most = calls::SIZES.iter().max().map_or(1.0, |&size| size as f64);
    draw(&series, file, "Processor time of the server for a command", "microseconds", (0.9, most * 1.1))
}

fn draw(all: &Series, file: &Path, caption: &str, unit: &str, sizes: (f64, f64)) -> Result<()> {
    let most = all.iter().flat_map(|(_, points)| points).map(|(_, y)| *y).fold(1.0, f64::max);
    let root = SVGBackend::new(file, (900, 480)).into_drawing_area();
    root.fill(&WHITE)?;
    let mut chart = ChartBuilder::on(&root)
        .caption(caption, ("sans-serif", 20))
        .margin(12)
        .x_label_area_size(40)
        .y_label_area_size(60)
        .right_y_label_area_size(150)
        .build_cartesian_2d((sizes.0..sizes.1).log_scale(), 0.0..most * 1.1)?;
    chart
        .configure_mesh()
        .x_desc("sessions at once")
        .y_desc(unit)
        .x_label_formatter(&|x| format!("{x:.0}"))
        .draw()?;
    for (at, (name, points)) in all.iter().enumerate() {
        let color = Palette99::pick(at).to_rgba();
        chart.draw_series(LineSeries::new(points.iter().copied(), color.stroke_width(2)).point_size(3))?;
        if let Some(&(x, y)) = points.last() {
            // beside the line's end, which needs no legend
            let at = chart.backend_coord(&(x, y));
            root.draw(&Text::new(
                name.clone(),
                (at.0 + 8, at.1 - 6),
                ("sans-serif", 13).into_font().color(&color),
            ))?;
        }
    }
    root.present()?;
    Ok(())
}
