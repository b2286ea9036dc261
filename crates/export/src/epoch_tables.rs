//! The results of a study query: the tidy tables `average.csv`, `participants.csv`, `epochs.csv` and `clusters.csv`, all results
//! as `findings.json`, and the figure `average` as PNG and SVG.

use std::io;
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde_json::json;

use super::atomic_write::publish_folder;
use super::csv_file::CsvTable;
use super::error::file_error;
use super::{ConditionCurves, ExportError, FigureFormat, write_average_figure};
use analysis::{Average, Comparison};
use study_query::{Answer, ConditionFindings, Findings};

/// Writes tables and figure into the new folder `folder`. Returns the files written.
pub fn write_epochs(answer: &Answer, findings: &Findings, folder: &Path) -> Result<Vec<PathBuf>, ExportError> {
    let names = publish_folder(folder, |part| {
        let mut names = fill(answer, findings, part).map_err(|source| file_error("write into", part, source))?;
        names.extend(figure(answer, findings, part)?);
        Ok(names)
    })?;
    Ok(names.into_iter().map(|name| folder.join(name)).collect())
}

fn fill(answer: &Answer, findings: &Findings, part: &Path) -> io::Result<Vec<&'static str>> {
    let averages = || findings.conditions.iter().flat_map(|c| c.averages.iter().map(|a| (c.name.as_str(), a)));
    table(part, "average.csv", averages().flat_map(|(name, a)| average_rows(name, a)))?;
    table(part, "participants.csv", averages().flat_map(|(name, a)| participant_rows(name, a)))?;
    table(part, "epochs.csv", answer.epoch_rows().map_err(io::Error::other)?.into_iter())?;
    let against_zero = findings.conditions.iter().flat_map(|c| c.against_zero.iter().map(|t| (c.name.clone(), t)));
    let names: Vec<_> = findings.conditions.iter().map(|c| c.name.as_str()).collect();
    let compared = findings.comparisons.iter().map(|c| (names.join(" minus "), c));
    clusters(part, against_zero.chain(compared).flat_map(|(name, c)| cluster_rows(&name, c)))?;
    let all = json!({ "question": answer.question, "findings": findings, "left_out": answer.left_out });
    std::fs::write(part.join("findings.json"), serde_json::to_string_pretty(&all)? + "\n")?;
    Ok(vec!["average.csv", "participants.csv", "epochs.csv", "clusters.csv", "findings.json"])
}

fn figure(answer: &Answer, findings: &Findings, part: &Path) -> Result<[&'static str; 2], ExportError> {
    fn curves(c: &ConditionFindings) -> ConditionCurves<'_> {
        ConditionCurves { name: &c.name, averages: &c.averages }
    }
    let conditions: Vec<ConditionCurves> = findings.conditions.iter().map(curves).collect();
    let tests = match &findings.conditions[..] {
        [only] => &only.against_zero,
        _ => &findings.comparisons,
    };
    let title = format!("{} values around events", answer.question.plan.zero);
    let names = ["average.png", "average.svg"];
    for (name, format) in names.into_iter().zip([FigureFormat::Png, FigureFormat::Svg]) {
        write_average_figure(&title, &conditions, tests, &part.join(name), format)?;
    }
    Ok(names)
}

/// The header is written even if there are no rows.
fn clusters(folder: &Path, rows: impl Iterator<Item = ClusterRow>) -> io::Result<()> {
    let mut out = CsvTable::create(&folder.join("clusters.csv"))?;
    out.write_record(ClusterRow::COLUMNS)?;
    rows.into_iter().try_for_each(|row| out.serialize(row))?;
    out.flush()
}

fn table<R: Serialize>(folder: &Path, name: &str, rows: impl Iterator<Item = R>) -> io::Result<()> {
    let mut out = CsvTable::create(&folder.join(name))?;
    rows.into_iter().try_for_each(|row| out.serialize(row))?;
    out.flush()
}

#[derive(Serialize)]
struct AverageRow<'a> {
    condition: &'a str,
    measure: &'a str,
    correction: &'a str,
    time_s: f64,
    mean: f64,
    low: Option<f64>,
    high: Option<f64>,
    boot_low: Option<f64>,
    boot_high: Option<f64>,
    epochs: u64,
    participants: u64,
    signal: String,
    measure_unit: &'a str,
}

fn average_rows<'a>(condition: &'a str, a: &'a Average) -> impl Iterator<Item = AverageRow<'a>> {
    let at = |of: fn(&analysis::Interval) -> &Vec<f64>, k: usize| a.interval.as_ref().map(|i| of(i)[k]);
    (0..a.times_s.len()).map(move |k| AverageRow {
        condition,
        measure: &a.measure.name,
        correction: a.correction.as_str(),
        time_s: a.times_s[k],
        mean: a.mean[k],
        low: at(|i| &i.low, k),
        high: at(|i| &i.high, k),
        boot_low: at(|i| &i.boot_low, k),
        boot_high: at(|i| &i.boot_high, k),
        epochs: a.epochs,
        participants: a.participants,
        signal: a.measure.signal.to_string(),
        measure_unit: &a.measure.unit,
    })
}

#[derive(Serialize)]
struct ParticipantRow<'a> {
    condition: &'a str,
    measure: &'a str,
    correction: &'a str,
    participant: &'a str,
    time_s: f64,
    mean: f64,
    signal: String,
    measure_unit: &'a str,
}

fn participant_rows<'a>(condition: &'a str, a: &'a Average) -> impl Iterator<Item = ParticipantRow<'a>> {
    a.per_participant.iter().flat_map(move |(participant, course)| {
        a.times_s.iter().zip(course).map(move |(time_s, mean)| ParticipantRow {
            condition,
            measure: &a.measure.name,
            correction: a.correction.as_str(),
            participant: participant.as_str(),
            time_s: *time_s,
            mean: *mean,
            signal: a.measure.signal.to_string(),
            measure_unit: &a.measure.unit,
        })
    })
}

#[derive(Serialize)]
struct ClusterRow {
    test: String,
    measure: String,
    correction: &'static str,
    from_s: f64,
    until_s: f64,
    mass_t: f64,
    p: f64,
    p_high: f64,
    difference: f64,
    permutations: u64,
    signal: String,
    measure_unit: String,
}

impl ClusterRow {
    const COLUMNS: [&str; 12] = [
        "test",
        "measure",
        "correction",
        "from_s",
        "until_s",
        "mass_t",
        "p",
        "p_high",
        "difference",
        "permutations",
        "signal",
        "measure_unit",
    ];
}

fn cluster_rows(test: &str, c: &Comparison) -> Vec<ClusterRow> {
    let row = |cluster: &analysis::Cluster| ClusterRow {
        test: test.to_owned(),
        measure: c.measure.name.clone(),
        correction: c.correction.as_str(),
        from_s: cluster.from_s,
        until_s: cluster.until_s,
        mass_t: cluster.mass,
        p: cluster.p,
        p_high: cluster.p_high,
        difference: cluster.difference,
        permutations: c.permutations,
        signal: c.measure.signal.to_string(),
        measure_unit: c.measure.unit.clone(),
    };
    c.clusters.iter().map(row).collect()
}
