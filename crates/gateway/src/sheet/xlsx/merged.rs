//! Merged cells. One over several rows of a column that many devices share (a site, a maker) says the same of each of them; of any other
//! nobody can say which row it is about.

use nameplate_core::sheet::{Cell, Column, header_among};

use super::cells::{Grid, Region};

/// Merged places of one worksheet.
const MERGED_PLACES_MAX: usize = 10_000;
/// Cells that they cover together: a place may cover a whole worksheet.
const COVERED_CELLS_MAX: usize = 1_000_000;
/// Columns in which two devices never have the same by being merged.
const OWN: [&str; 9] = ["id", "tag", "serial_number", "mac", "ip", "port", "unit", "parent", "slot"];

/// Gives each row below the header what merged cells say of it; returns how many were spread over rows.
///
/// # Errors
/// There are too many.
pub fn spread(grid: &mut Grid) -> Result<u64, String> {
    let merged = std::mem::take(&mut grid.merged);
    let Some(header) = header_among(&grid.lines) else { return Ok(0) };
    if merged.len() > MERGED_PLACES_MAX {
        return Err(format!("more than {MERGED_PLACES_MAX} merged places"));
    }
    let (header, below) = grid.lines.split_at_mut(header + 1);
    let Some(header) = header.last() else { return Ok(0) };
    let (width, mut covered, mut count) = (header.cells.len(), 0_usize, 0);
    for Region { from, to } in merged.into_iter().filter(|region| region.from.0 >= header.number && region.from != region.to) {
        let rows = below.partition_point(|line| line.number <= from.0)..below.partition_point(|line| line.number <= to.0 + 1);
        let columns = from.1..(to.1 + 1).min(width);
        let Some(rows) = below.get_mut(rows) else { continue };
        covered = covered.saturating_add(rows.len().saturating_mul(columns.len()));
        if covered > COVERED_CELLS_MAX {
            return Err(format!("merged places cover more than {COVERED_CELLS_MAX} cells"));
        }
        let name = header.cells.get(from.1).map(|cell| cell.text()).unwrap_or_default();
        let is_shared = from.1 == to.1 && Column::called(name.trim()).is_none_or(|column| !OWN.contains(&column.name));
        let first = rows.first().filter(|line| line.number == from.0 + 1).and_then(|line| line.cells.get(from.1));
        let value = is_shared.then(|| first.cloned().unwrap_or_else(|| Cell::Text(String::new())));
        count += u64::from(value.is_some());
        for line in rows {
            for at in columns.clone() {
                if line.cells.len() <= at {
                    line.cells.resize(at + 1, Cell::Text(String::new()));
                }
                let void = || Cell::Void("is merged with its neighbours; which row it is about cannot be told".into());
                line.cells[at] = value.clone().unwrap_or_else(void);
            }
        }
    }
    Ok(count)
}
