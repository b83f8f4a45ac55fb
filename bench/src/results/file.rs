//! The file of raw results: a line of JSON about the machine, then one for each measured point, written as it is
//! measured.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use ottla_tests::problem::{Doing, Problem};
use serde_json::{Value, json};

use crate::figures::Figures;

/// Which point.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    /// The measure's name.
    pub measure: String,
    /// The point's name.
    pub point: String,
    /// The contender's name.
    pub contender: String,
    /// From 1.
    pub round: u64,
}

/// One measured point.
#[derive(Debug, Clone, PartialEq)]
pub struct Point {
    /// Which one.
    pub key: Key,
    /// What it came to.
    pub figures: Figures,
}

/// All points of a file, which grows.
#[derive(Debug)]
pub struct Results {
    path: PathBuf,
    /// What the file begins with.
    pub head: Value,
    /// In the order of measuring.
    pub points: Vec<Point>,
}

impl Results {
    /// Begins a file, which must not exist.
    ///
    /// # Errors
    /// It exists, or can not be written.
    pub fn begin(path: &Path, head: Value) -> Result<Self, Problem> {
        let results = Self { path: path.to_owned(), head, points: Vec::new() };
        if let Some(directory) = path.parent() {
            std::fs::create_dir_all(directory).doing(format_args!("create {}", directory.display()))?;
        }
        let file = File::create_new(path);
        let file = file.doing(format_args!("create {}; go on with --resume", path.display()))?;
        write_line(file, &results.head)?;
        Ok(results)
    }

    /// Reads a file to go on with it. A last line that is not whole, since the run was killed, is cut off.
    ///
    /// # Errors
    /// It can not be read, or is no such file.
    pub fn read(path: &Path) -> Result<Self, Problem> {
        let text = std::fs::read_to_string(path).doing(format_args!("read {}", path.display()))?;
        let whole = text.rfind('\n').map_or("", |end| text.get(..=end).unwrap_or_default());
        if whole.len() < text.len() {
            let file = OpenOptions::new().write(true).open(path).doing("open raw results")?;
            file.set_len(whole.len() as u64).doing("cut a line off")?;
        }
        let mut lines = whole.lines().map(|line| serde_json::from_str(line).doing("read raw results"));
        let head = lines.next().ok_or_else(|| Problem::new(format!("{} is empty", path.display())))??;
        let points = lines.map(|line| point_of(&line?)).collect::<Result<_, _>>()?;
        Ok(Self { path: path.to_owned(), head, points })
    }

    /// Adds a point, to the file first.
    ///
    /// # Errors
    /// The file can not be written.
    pub fn add(&mut self, point: Point, load_average: &str) -> Result<(), Problem> {
        let Key { measure, point: name, contender, round } = &point.key;
        let line = json!({
            "measure": measure,
            "point": name,
            "contender": contender,
            "round": round,
            "figures": point.figures.json(),
            "load_average_after": load_average,
        });
        let file = OpenOptions::new().append(true).open(&self.path).doing("open raw results")?;
        write_line(file, &line)?;
        self.points.push(point);
        Ok(())
    }

    /// Whether a point is measured.
    #[must_use]
    pub fn has(&self, key: &Key) -> bool {
        self.points.iter().any(|point| point.key == *key)
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

fn write_line(mut file: File, line: &Value) -> Result<(), Problem> {
    file.write_all(format!("{line}\n").as_bytes()).doing("write raw results")
}

fn point_of(line: &Value) -> Result<Point, Problem> {
    let text = |name: &str| line.get(name).and_then(Value::as_str).map(ToOwned::to_owned);
    let key = || {
        Some(Key {
            measure: text("measure")?,
            point: text("point")?,
            contender: text("contender")?,
            round: line.get("round")?.as_u64()?,
        })
    };
    let key = key().ok_or_else(|| Problem::new("a line of raw results lacks its names"))?;
    Ok(Point { key, figures: Figures::from_json(line.get("figures").unwrap_or(&Value::Null)) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(round: u64) -> Point {
        let mut figures = Figures::default();
        figures.set("x", 1.5);
        let (measure, name, contender) = ("m".to_owned(), "p".to_owned(), "c".to_owned());
        Point { key: Key { measure, point: name, contender, round }, figures }
    }

    #[test]
    fn a_killed_run_goes_on() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("deeper/results.ndjson");
        let mut results = Results::begin(&path, json!({"machine": 1})).unwrap();
        results.add(point(1), "0 0 0").unwrap();
        assert!(Results::begin(&path, json!({})).is_err());
        let mut file = OpenOptions::new().append(true).open(&path).unwrap();
        file.write_all(b"{\"measure\": \"m\", \"poi").unwrap();
        let mut results = Results::read(&path).unwrap();
        assert!(results.has(&point(1).key) && !results.has(&point(2).key));
        results.add(point(2), "0 0 0").unwrap();
        let results = Results::read(&path).unwrap();
        assert_eq!((results.points, results.head), (vec![point(1), point(2)], json!({"machine": 1})));
    }
}
