//! A folder with one network. Its card `model.toml` describes the input and the outputs, and contains the checksum of the
//! ONNX file. A network is loaded only if card, file and program agree. A laboratory can thus add another network, and an
//! unsuitable one is refused before anything is recorded.

use std::path::{Path, PathBuf};

use ort::session::Session;
use ort::value::{Outlet, Tensor, TensorElementType, ValueType};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::chain_card::{CropCard, DetectionCard, FaceCard, TrackingCard};
use super::resample::{Channels, InputFormat};
use super::{Runtime, VisionError};
use session::hex;

pub const CARD_FILE: &str = "model.toml";

/// What a network is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ModelKind {
    Detector,
    Landmarks,
    Affect,
    Actions,
}

impl ModelKind {
    pub fn as_str(self) -> &'static str {
        match self {
            ModelKind::Detector => "detector",
            ModelKind::Landmarks => "landmarks",
            ModelKind::Affect => "affect",
            ModelKind::Actions => "actions",
        }
    }
}

/// The content of `model.toml`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelCard {
    pub name: String,
    pub kind: ModelKind,
    pub version: String,
    /// The ONNX file in the same folder.
    pub file: String,
    pub sha256: String,
    pub license: String,
    pub summary: String,
    pub trained_on: String,
    pub input: InputCard,
    /// Required for a detector.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detection: Option<DetectionCard>,
    /// Required for a detector.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tracking: Option<TrackingCard>,
    /// Required for a landmark network.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub crop: Option<CropCard>,
    /// Required for a landmark network.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub face: Option<FaceCard>,
    #[serde(rename = "output")]
    pub outputs: Vec<OutputCard>,
    #[serde(default, rename = "figure")]
    pub figures: Vec<Figure>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InputCard {
    pub name: String,
    /// Batch (1), channels, height, width.
    pub shape: [i64; 4],
    pub colour: ColourCard,
    /// One value per channel, for pixels of 0 … 255.
    pub mean: Vec<f32>,
    pub std: Vec<f32>,
    /// Positions of the eyes' centres in the input, in fractions of width and height. Required for affect and actions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left_eye: Option<[f64; 2]>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub right_eye: Option<[f64; 2]>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ColourCard {
    Grey,
    Rgb,
    Bgr,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OutputCard {
    pub name: String,
    pub shape: Vec<i64>,
    /// Names along the second axis.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub labels: Option<Vec<String>>,
}

/// A measured figure and the command that prints it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Figure {
    pub name: String,
    pub value: FigureValue,
    pub command: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum FigureValue {
    Number(f64),
    Text(String),
}

impl ModelCard {
    pub fn read(folder: &Path) -> Result<ModelCard, VisionError> {
        let path = folder.join(CARD_FILE);
        let text = std::fs::read_to_string(&path)
            .map_err(|e| VisionError::ModelUnreadable { path: path.clone(), why: e.to_string() })?;
        ModelCard::parse(&text, &path)
    }

    /// `path` is named in errors.
    pub fn parse(text: &str, path: &Path) -> Result<ModelCard, VisionError> {
        toml::from_str(text).map_err(|e| {
            let before = &text[..e.span().map_or(0, |s| s.start).min(text.len())];
            let line_start = before.rfind('\n').map_or(0, |i| i + 1);
            VisionError::Card {
                path: path.to_owned(),
                line: before.matches('\n').count() + 1,
                column: before[line_start..].chars().count() + 1,
                why: e.message().to_owned(),
            }
        })
    }

    /// The `software` of a stream that this network computes: name, version and checksum.
    pub fn software(&self) -> String {
        format!("{} {} sha256 {}", self.name, self.version, self.sha256)
    }

    pub fn number(&self, figure: &str) -> Option<f64> {
        self.figures.iter().find(|f| f.name == figure).and_then(|f| match f.value {
            FigureValue::Number(value) => Some(value),
            FigureValue::Text(_) => None,
        })
    }

    pub fn output(&self, name: &str) -> Option<&OutputCard> {
        self.outputs.iter().find(|o| o.name == name)
    }

    pub(super) fn misfit(
        &self,
        what: impl Into<String>,
        expected: impl Into<String>,
        found: impl Into<String>,
    ) -> VisionError {
        VisionError::DoesNotFit {
            model: self.name.clone(),
            what: what.into(),
            expected: expected.into(),
            found: found.into(),
        }
    }

    /// Reads the ONNX file and checks it against the checksum in the card.
    pub fn read_file(&self, folder: &Path) -> Result<Vec<u8>, VisionError> {
        if self.file.is_empty() || self.file.contains(['/', '\\']) || self.file == ".." {
            return Err(self.misfit(
                "`file` in model.toml",
                "the name of a file in the same folder",
                format!("`{}`", self.file),
            ));
        }
        let path = folder.join(&self.file);
        let bytes = std::fs::read(&path)
            .map_err(|e| VisionError::ModelUnreadable { path: path.clone(), why: e.to_string() })?;
        let found = hex(&Sha256::digest(&bytes));
        if !found.eq_ignore_ascii_case(&self.sha256) {
            return Err(VisionError::WrongHash { path, expected: self.sha256.clone(), found });
        }
        Ok(bytes)
    }

    fn input_format(&self) -> Result<InputFormat, VisionError> {
        let channels = match self.input.colour {
            ColourCard::Grey => Channels::Grey,
            ColourCard::Rgb => Channels::Rgb,
            ColourCard::Bgr => Channels::Bgr,
        };
        let [batch, planes, height, width] = self.input.shape;
        let is_size = |px: i64| (8..=2048).contains(&px);
        if batch != 1 || planes != channels.count() as i64 || !is_size(height) || !is_size(width) {
            return Err(self.misfit(
                "`input.shape` in model.toml",
                format!("[1, {}, height, width] of 8 to 2048 px", channels.count()),
                format!("{:?}", self.input.shape),
            ));
        }
        let per_channel = |name: &str, values: &[f32], is_good: fn(f32) -> bool| {
            if values.len() != channels.count() || !values.iter().all(|v| is_good(*v)) {
                let expected = format!("{} number(s), one per channel, `std` above 0", channels.count());
                return Err(self.misfit(format!("`input.{name}` in model.toml"), expected, format!("{values:?}")));
            }
            Ok([0, 1, 2].map(|c| values[c.min(values.len() - 1)]))
        };
        Ok(InputFormat {
            width_px: width as usize,
            height_px: height as usize,
            channels,
            mean: per_channel("mean", &self.input.mean, f32::is_finite)?,
            std: per_channel("std", &self.input.std, |v| v.is_finite() && v > 0.0)?,
        })
    }
}

/// A loaded network. Its input and output buffers are reused.
#[derive(Debug)]
pub struct Network {
    card: ModelCard,
    folder: PathBuf,
    format: InputFormat,
    session: Session,
    input_name: String,
    input: Tensor<f32>,
    /// In the card's order.
    outputs: Vec<Vec<f32>>,
}

impl Network {
    /// Reads the card, checks checksum, kind and shapes, and builds the session.
    pub fn load(runtime: &Runtime, folder: &Path, kind: ModelKind) -> Result<Network, VisionError> {
        let card = ModelCard::read(folder)?;
        if card.kind != kind {
            return Err(VisionError::WrongKind {
                folder: folder.to_owned(),
                expected: kind.as_str(),
                found: card.kind.as_str().to_owned(),
            });
        }
        let format = card.input_format()?;
        let bytes = card.read_file(folder)?;
        let failed = |e: String| VisionError::Network { model: card.name.clone(), why: e };
        let session = runtime.session(&bytes).map_err(failed)?;
        let input_name = check_input(&card, session.inputs())?;
        let mut outputs = Vec::new();
        for output in &card.outputs {
            outputs.push(vec![f32::NAN; check_output(&card, output, session.outputs())?]);
        }
        let shape = card.input.shape.map(|n| n as usize);
        let input =
            Tensor::from_array((shape, vec![0.0; format.values()])).map_err(|e| failed(e.message().to_owned()))?;
        Ok(Network { card, folder: folder.to_owned(), format, session, input_name, input, outputs })
    }

    pub fn card(&self) -> &ModelCard {
        &self.card
    }

    pub fn folder(&self) -> &Path {
        &self.folder
    }

    pub fn format(&self) -> &InputFormat {
        &self.format
    }

    pub fn needs_colour(&self) -> bool {
        self.format.channels != Channels::Grey
    }

    /// For networks that run on every frame. Decoding the colours would take longer than the network.
    pub fn require_grey(&self) -> Result<(), VisionError> {
        match self.needs_colour() {
            true => Err(self.card.misfit("`input.colour` in model.toml", "grey", "a colour network")),
            false => Ok(()),
        }
    }

    /// The input's format and its values, to be filled before [`Network::run`].
    pub fn input_mut(&mut self) -> (&InputFormat, &mut [f32]) {
        (&self.format, self.input.extract_tensor_mut().1)
    }

    /// The last input, normalised.
    pub fn input(&self) -> &[f32] {
        self.input.extract_tensor().1
    }

    pub fn run(&mut self) -> Result<(), VisionError> {
        let failed =
            |e: ort::Error| VisionError::Network { model: self.card.name.clone(), why: e.message().to_owned() };
        let inputs = ort::inputs! { self.input_name.as_str() => &self.input };
        let values = self.session.run(inputs).map_err(failed)?;
        for (card, kept) in self.card.outputs.iter().zip(&mut self.outputs) {
            // Shapes are checked at loading. A network with open dimensions can still return other sizes.
            let found = values.get(&card.name).map(|v| v.try_extract_tensor::<f32>()).transpose().map_err(failed)?;
            match found {
                Some((_, data)) if data.len() == kept.len() => kept.copy_from_slice(data),
                other => {
                    let found = other.map_or("nothing".to_owned(), |(shape, _)| format!("{shape}"));
                    return Err(self.card.misfit(
                        format!("output `{}`", card.name),
                        format!("{:?}", card.shape),
                        found,
                    ));
                }
            }
        }
        Ok(())
    }

    /// The index of an output for [`Network::output`].
    pub fn output_index(&self, name: &str) -> Option<usize> {
        self.card.outputs.iter().position(|o| o.name == name)
    }

    /// The index of an output that the program needs. `shape` is the required shape; `None` is any length.
    pub fn require_output(&self, name: &str, shape: &[Option<i64>]) -> Result<usize, VisionError> {
        let wanted: Vec<String> = shape.iter().map(|n| n.map_or("n".to_owned(), |n| n.to_string())).collect();
        let wanted = format!("[{}]", wanted.join(", "));
        let Some(index) = self.output_index(name) else {
            return Err(self.card.misfit("the outputs", format!("an output `{name}` of shape {wanted}"), "none"));
        };
        let found = &self.card.outputs[index].shape;
        let fits = found.len() == shape.len() && found.iter().zip(shape).all(|(n, want)| want.is_none_or(|w| w == *n));
        if !fits {
            return Err(self.card.misfit(format!("output `{name}`"), wanted, format!("{found:?}")));
        }
        Ok(index)
    }

    /// For each value of an output, the place of its label in `known`. Each label must be known, and stand there once.
    pub fn label_indexes(&self, output: usize, known: &[&str]) -> Result<Vec<usize>, VisionError> {
        let OutputCard { name, labels, .. } = &self.card.outputs[output];
        let all = known.join(", ");
        let Some(labels) = labels else {
            return Err(self.card.misfit(format!("output `{name}`"), format!("`labels` from: {all}"), "none"));
        };
        let mut indexes = Vec::new();
        for label in labels {
            let of_output = format!("the labels of `{name}`");
            match known.iter().position(|k| k == label) {
                Some(index) if !indexes.contains(&index) => indexes.push(index),
                Some(_) => return Err(self.card.misfit(of_output, "each once", format!("`{label}` twice"))),
                None => return Err(self.card.misfit(of_output, format!("some of: {all}"), format!("`{label}`"))),
            }
        }
        Ok(indexes)
    }

    /// The result of the last run, in row-major order of the card's shape.
    pub fn output(&self, index: usize) -> &[f32] {
        &self.outputs[index]
    }
}

/// Returns the input's name in the file. It may differ from the card's name: some exporters rename an input, for example
/// if an output has the same name. With a single input this is unambiguous.
fn check_input(card: &ModelCard, found: &[Outlet]) -> Result<String, VisionError> {
    let [one] = found else {
        let names: Vec<&str> = found.iter().map(Outlet::name).collect();
        return Err(card.misfit("the inputs", format!("only `{}`", card.input.name), names.join(", ")));
    };
    if !fits(one.dtype(), &card.input.shape) {
        let expected = format!("float32 {:?}, as in model.toml", card.input.shape);
        return Err(card.misfit(format!("input `{}`", card.input.name), expected, one.dtype().to_string()));
    }
    Ok(one.name().to_owned())
}

/// Returns the number of values of the output.
fn check_output(card: &ModelCard, output: &OutputCard, found: &[Outlet]) -> Result<usize, VisionError> {
    let Some(outlet) = found.iter().find(|o| o.name() == output.name) else {
        let names: Vec<&str> = found.iter().map(Outlet::name).collect();
        return Err(card.misfit("the outputs", format!("`{}`, as in model.toml", output.name), names.join(", ")));
    };
    if !fits(outlet.dtype(), &output.shape) {
        let expected = format!("float32 {:?}, as in model.toml", output.shape);
        return Err(card.misfit(format!("output `{}`", output.name), expected, outlet.dtype().to_string()));
    }
    let labels = output.labels.as_ref().map(|l| l.len() as i64);
    if labels.is_some() && labels != output.shape.get(1).copied() {
        let expected = format!("one label per entry of the second axis of {:?}", output.shape);
        let found = format!("{} labels", labels.unwrap_or_default());
        return Err(card.misfit(format!("the labels of output `{}`", output.name), expected, found));
    }
    let mut sizes = output.shape.iter().map(|n| usize::try_from(*n).ok().filter(|n| (1..=1 << 20).contains(n)));
    sizes.try_fold(1usize, |all, n| all.checked_mul(n?).filter(|all| *all <= 1 << 24)).ok_or_else(|| {
        card.misfit(format!("the shape of output `{}`", output.name), "sizes above 0", format!("{:?}", output.shape))
    })
}

/// Open dimensions (−1) fit any size.
fn fits(found: &ValueType, wanted: &[i64]) -> bool {
    match found {
        ValueType::Tensor { ty: TensorElementType::Float32, shape, .. } => {
            shape.len() == wanted.len() && shape.iter().zip(wanted).all(|(f, w)| *f == -1 || f == w)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CARD: &str = r#"
name = "small"
kind = "affect"
version = "1"
file = "model.onnx"
sha256 = "00"
license = "none"
summary = "s"
trained_on = "t"
[input]
name = "face"
shape = [1, 1, 48, 48]
colour = "grey"
mean = [127.5]
std = [64.0]
[[output]]
name = "expression"
shape = [1, 2]
labels = ["neutral", "happiness"]
[[figure]]
name = "accuracy"
value = 1
command = "c"
"#;

    fn parse(text: &str) -> Result<ModelCard, VisionError> {
        ModelCard::parse(text, Path::new("m/model.toml"))
    }

    #[test]
    fn a_card_is_read_and_its_numbers_found() {
        let card = parse(CARD).unwrap();
        assert_eq!(card.number("accuracy"), Some(1.0));
        assert_eq!(card.input_format().unwrap().values(), 48 * 48);
        assert_eq!(card.software(), "small 1 sha256 00");
    }

    #[test]
    fn unknown_keys_are_refused_where_they_stand() {
        let error = parse(&CARD.replace("colour", "color")).unwrap_err().to_string();
        assert!(error.starts_with("m/model.toml, line 13, column 1: ") && error.contains("color"), "{error}");
        assert!(parse(&CARD.replace("affect", "emotion")).unwrap_err().to_string().contains("line 3"));
    }

    #[test]
    fn numbers_that_do_not_fit_are_refused() {
        for (from, to, word) in [
            ("[1, 1, 48, 48]", "[1, 3, 48, 48]", "[1, 1, height, width]"),
            ("[1, 1, 48, 48]", "[1, 1, 48, 1000000]", "8 to 2048 px"),
            ("std = [64.0]", "std = [0.0]", "`input.std`"),
            ("mean = [127.5]", "mean = []", "`input.mean`"),
        ] {
            let error = parse(&CARD.replace(from, to)).unwrap().input_format().unwrap_err().to_string();
            assert!(error.contains(word), "{error}");
        }
        let card = parse(&CARD.replace("model.onnx", "../model.onnx")).unwrap();
        assert!(card.read_file(Path::new(".")).unwrap_err().to_string().contains("in the same folder"));
    }
}
