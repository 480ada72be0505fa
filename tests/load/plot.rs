//! Draws the results of the growth measurement: four panels over the same logarithmic axis of stored alerts.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use crate::growth;

const WIDTH: f64 = 960.0;
const HEIGHT: f64 = 780.0;
/// The width and the height of the plot area of a panel.
const PANEL: (f64, f64) = (370.0, 240.0);
/// The offset of the plot area from the upper left corner of its quarter of the picture.
const MARGIN: (f64, f64) = (80.0, 94.0);
const COLORS: [&str; 3] = ["#0b5cad", "#c2410c", "#15803d"];

struct Panel {
    title: &'static str,
    unit: &'static str,
    /// The name of each line, and its column of the results.
    lines: &'static [(&'static str, usize)],
}

const PANELS: [Panel; 4] = [
    Panel { title: "Memory of the process", unit: "MB", lines: &[("peak", 2), ("resident", 1)] },
    Panel {
        title: "Calls for one message",
        unit: "calls",
        lines: &[("DynamoDB reads", 8), ("DynamoDB writes", 9), ("SQS and SNS", 10)],
    },
    Panel {
        title: "Time, median",
        unit: "ms",
        lines: &[("POST to group", 5), ("list of open alerts", 6), ("list of incidents", 7)],
    },
    Panel { title: "Disk", unit: "MB", lines: &[("data folder", 3)] },
];

pub(crate) fn draw(figures: &Path, picture: &Path) -> anyhow::Result<()> {
    let rows = growth::read(figures)?;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" font-family=\"sans-serif\" \
         font-size=\"13\" fill=\"#1f2937\">\n<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n\
         <text x=\"20\" y=\"28\" font-size=\"17\" font-weight=\"bold\">What grows with the number of stored alerts, and \
         what does not</text>\n"
    );
    for (place, panel) in PANELS.iter().enumerate() {
        let corner = (WIDTH / 2.0 * (place % 2) as f64 + MARGIN.0, 350.0 * (place / 2) as f64 + MARGIN.1);
        writeln!(svg, "<g transform=\"translate({} {})\">", corner.0, corner.1)?;
        draw_panel(&mut svg, panel, &rows)?;
        svg.push_str("</g>\n");
    }
    svg.push_str("</svg>\n");
    Ok(fs::write(picture, svg)?)
}

fn draw_panel(svg: &mut String, panel: &Panel, rows: &[Vec<f64>]) -> anyhow::Result<()> {
    let (width, height) = PANEL;
    let values = panel.lines.iter().flat_map(|(_, column)| rows.iter().map(|row| row[*column]));
    let step = step(values.fold(0.0, f64::max));
    let top = step * 5.0;
    let y = |value: f64| height - height * value / top;
    writeln!(svg, "<text x=\"0\" y=\"-34\" font-weight=\"bold\">{} [{}]</text>", panel.title, panel.unit)?;
    for line in 0..=5 {
        let value = step * f64::from(line);
        writeln!(
            svg,
            "<path d=\"M0 {0:.1}H{width}\" stroke=\"#e5e7eb\"/><text x=\"-8\" y=\"{1:.1}\" text-anchor=\"end\">{value}</text>",
            y(value),
            y(value) + 4.0,
        )?;
    }
    for (alerts, label) in
        [(1e3, "1k"), (3e3, "3k"), (1e4, "10k"), (3e4, "30k"), (1e5, "100k"), (3e5, "300k"), (1e6, "1M")]
    {
        writeln!(svg, "<text x=\"{:.1}\" y=\"{}\" text-anchor=\"middle\">{label}</text>", x(alerts), height + 20.0)?;
    }
    writeln!(svg, "<text x=\"{}\" y=\"{}\" text-anchor=\"middle\">stored alerts</text>", width / 2.0, height + 40.0)?;
    for (place, (name, column)) in panel.lines.iter().enumerate() {
        let color = COLORS[place];
        let points: Vec<String> = rows.iter().map(|row| format!("{:.1},{:.1}", x(row[0]), y(row[*column]))).collect();
        writeln!(
            svg,
            "<polyline points=\"{}\" fill=\"none\" stroke=\"{color}\" stroke-width=\"2\"/>",
            points.join(" ")
        )?;
        for point in &points {
            let (x, y) = point.split_once(',').expect("two numbers");
            writeln!(svg, "<circle cx=\"{x}\" cy=\"{y}\" r=\"3.5\" fill=\"{color}\"/>")?;
        }
        let left = 128.0 * place as f64;
        writeln!(svg, "<text x=\"{left}\" y=\"-13\" fill=\"{color}\">● {name}</text>")?;
    }
    Ok(())
}

/// The horizontal position of a number of alerts. The axis reaches from a thousand to a million.
fn x(alerts: f64) -> f64 {
    PANEL.0 * (alerts.log10() - 3.0) / 3.0
}

/// The distance between two marks of the axis, about a fifth of its length: 1, 2 or 5 times a power of ten.
fn step(largest: f64) -> f64 {
    let power = 10_f64.powf((largest / 5.0).max(0.1).log10().floor());
    let steps = [1.0, 2.0, 5.0, 10.0].map(|factor| factor * power);
    steps.into_iter().find(|step| step * 5.0 >= largest).unwrap_or(largest / 5.0)
}
