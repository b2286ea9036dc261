//! `affectograph score` and `affectograph models`

use std::process::ExitCode;

use super::args::{Models as ModelsArguments, Score};
use super::exit_code::INCOMPLETE;
use super::output::{print_err, print_out};
use crate::failure::Failure;
use session::path_in_line;
use vision::{FigureValue, Models, Scorer, installed_models, models_folder};

/// Prints one JSON line per picture. For a picture that cannot be read, a message goes to standard error instead. For a
/// damaged picture, both are printed.
pub fn score(a: &Score) -> Result<ExitCode, Failure> {
    let mut scorer = Scorer::new(Models::load(&models_folder()?, &a.model)?);
    let (mut failed, mut damaged) = (0, 0);
    for picture in &a.pictures {
        match scorer.score(picture, a.cropped) {
            Ok(score) => {
                print_out!("{}", serde_json::to_string(&score)?);
                if let Some(why) = &score.damage {
                    damaged += 1;
                    let picture = path_in_line(&score.picture);
                    print_err!("affectograph: {picture} is damaged and was not scored: {why}. Use the original file.");
                }
            }
            Err(e) => {
                failed += 1;
                print_err!("affectograph: {e}");
            }
        }
    }
    Ok(match (failed, damaged) {
        (0, 0) => ExitCode::SUCCESS,
        (0, _) => ExitCode::from(INCOMPLETE),
        _ => ExitCode::FAILURE,
    })
}

pub fn models(a: &ModelsArguments) -> Result<ExitCode, Failure> {
    let folder = models_folder()?;
    let installed = installed_models(&folder)?;
    if a.json {
        print_out!("{}", serde_json::json!({ "folder": folder, "models": installed }));
        return Ok(ExitCode::SUCCESS);
    }
    print_out!("Networks in {}", folder.display());
    for m in installed {
        print_out!();
        if let Some(problem) = &m.problem {
            print_out!("{}: {problem}", m.folder);
        }
        let Some(card) = &m.card else { continue };
        let kb = m.bytes.map_or(String::new(), |b| format!(", {:.0} kB", b as f64 / 1e3));
        print_out!("{} {} ({}{kb}, {})", m.folder, card.version, card.kind.as_str(), card.license);
        print_out!("  {}", card.summary);
        let width = card.figures.iter().map(|figure| figure.name.len()).max().unwrap_or(0);
        for figure in &card.figures {
            let value = match &figure.value {
                FigureValue::Number(n) => format!("{n:.4}"),
                FigureValue::Text(t) => t.clone(),
            };
            print_out!("  {:width$} {value}", figure.name);
        }
    }
    Ok(ExitCode::SUCCESS)
}
