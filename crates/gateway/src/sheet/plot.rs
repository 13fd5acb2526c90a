//! Counts over time as lines, drawn into the page itself: nothing is loaded, and the same numbers stand in a table beside it.

use nameplate_core::observation::rfc3339;
use nameplate_core::text::printable;

use super::book::escaped;

/// Width and height of a plot, in its own units.
const WIDTH_UNITS: u64 = 400;
const HEIGHT_UNITS: u64 = 120;
/// Room around the lines, so that an end is not cut off.
const MARGIN_UNITS: u64 = 4;

/// Counts over time: as they were, in steps, and as they were planned.
pub struct Plot {
    /// What is counted, of what.
    pub title: String,
    /// Moments, rising, in nanoseconds since 1970, each with the count from then on.
    pub counted: Vec<(u64, u64)>,
    /// Ends of the planned line: moments with counts.
    pub planned: [(u64, u64); 2],
}

impl Plot {
    /// The plot, and the same in words. Lines have the colour of the text, so that they are seen on any ground.
    pub fn drawn(&self) -> String {
        let moments = || self.counted.iter().chain(&self.planned).map(|(at, _)| *at);
        let (first, last) = (moments().min().unwrap_or_default(), moments().max().unwrap_or_default());
        let most = self.counted.iter().chain(&self.planned).map(|(_, count)| *count).max().unwrap_or_default().max(1);
        let scaled = |part: u64, whole: u64, units: u64| {
            let part = u128::from(part) * u128::from(units) / u128::from(whole.max(1));
            u64::try_from(part).unwrap_or(units).saturating_add(MARGIN_UNITS)
        };
        let x = |at: u64| scaled(at.saturating_sub(first), last.saturating_sub(first), WIDTH_UNITS);
        let y = |count: u64| scaled(most.saturating_sub(count), most, HEIGHT_UNITS);
        let point = |at: u64, count: u64| format!("{},{}", x(at), y(count));
        let mut steps: Vec<String> = Vec::new();
        let mut before = None;
        for (at, count) in &self.counted {
            steps.extend(before.map(|before| point(*at, before)));
            steps.push(point(*at, *count));
            before = Some(*count);
        }
        let planned: Vec<String> = self.planned.iter().map(|(at, count)| point(*at, *count)).collect();
        let words = escaped(&printable(&self.words()));
        let (width, height) = (WIDTH_UNITS + 2 * MARGIN_UNITS, HEIGHT_UNITS + 2 * MARGIN_UNITS);
        format!(
            "<figure class=\"plot\"><figcaption>{words}</figcaption><svg role=\"img\" aria-label=\"{words}\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\">\
             <rect width=\"{width}\" height=\"{height}\" fill=\"none\" stroke=\"#999\"/>\
             <polyline points=\"{}\" fill=\"none\" stroke=\"currentColor\" stroke-width=\"1\" stroke-dasharray=\"6 4\"/>\
             <polyline points=\"{}\" fill=\"none\" stroke=\"currentColor\" stroke-width=\"2\"/></svg></figure>\n",
            planned.join(" "),
            steps.join(" ")
        )
    }

    /// What a person sees who does not see the lines.
    fn words(&self) -> String {
        let told = |(at, count): &(u64, u64)| format!("{count} at {}", rfc3339(*at));
        let ends = [self.counted.first(), self.counted.last().filter(|_| self.counted.len() > 1)].into_iter().flatten().map(told);
        let [from, to] = self.planned.each_ref().map(told);
        format!("{}: {}; planned (dashed): from {from} to {to}", self.title, ends.collect::<Vec<_>>().join(", then "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plot_is_steps_with_a_dashed_plan_and_the_same_in_words() {
        const DAY_NS: u64 = 86_400_000_000_000;
        let plot =
            Plot { title: "<b>".into(), counted: vec![(0, 4), (5 * DAY_NS, 2), (10 * DAY_NS, 0)], planned: [(0, 4), (10 * DAY_NS, 0)] };
        let drawn = plot.drawn();
        assert!(drawn.contains("points=\"4,4 204,4 204,64 404,64 404,124\""), "{drawn}");
        assert!(drawn.contains("points=\"4,4 404,124\""), "{drawn}");
        assert!(drawn.contains("aria-label=\"&lt;b&gt;: 4 at 1970-01-01T00:00:00.000000Z, then 0 at 1970-01-11"), "{drawn}");
        // Nothing at all, and the end of time, are drawn as well.
        assert!(Plot { title: String::new(), counted: Vec::new(), planned: [(u64::MAX, u64::MAX); 2] }.drawn().contains("<svg"));
    }
}
