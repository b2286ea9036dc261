//! Writes small ONNX files for the tests, so that refusals and a lab's own networks are tried on real files of every
//! shape, with answers that can be computed by hand. ONNX is protobuf: a handful of fields is all that is needed.

use std::path::Path;

use affectograph::session::hex;
use sha2::{Digest, Sha256};

#[derive(Default)]
pub struct Message(Vec<u8>);

impl Message {
    fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.0.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
    }

    fn int(mut self, field: u64, value: i64) -> Self {
        self.varint(field << 3);
        self.varint(value as u64);
        self
    }

    fn bytes(mut self, field: u64, value: &[u8]) -> Self {
        self.varint(field << 3 | 2);
        self.varint(value.len() as u64);
        self.0.extend_from_slice(value);
        self
    }

    fn text(self, field: u64, value: &str) -> Self {
        self.bytes(field, value.as_bytes())
    }

    fn part(self, field: u64, value: Message) -> Self {
        self.bytes(field, &value.0)
    }
}

const FLOAT: i64 = 1;

/// One operator. Attributes are lists of integers, or one integer.
pub fn node(op: &str, inputs: &[&str], output: &str, attributes: &[(&str, &[i64], bool)]) -> Message {
    let mut m = Message::default();
    for input in inputs {
        m = m.text(1, input);
    }
    m = m.text(2, output).text(4, op);
    for (name, values, is_list) in attributes {
        let mut a = Message::default().text(1, name);
        for value in *values {
            a = a.int(if *is_list { 8 } else { 3 }, *value);
        }
        m = m.part(5, a.int(20, if *is_list { 7 } else { 2 }));
    }
    m
}

pub fn constant(name: &str, dims: &[i64], values: &[f32]) -> Message {
    let mut m = Message::default();
    for dim in dims {
        m = m.int(1, *dim);
    }
    let raw: Vec<u8> = values.iter().flat_map(|v| v.to_le_bytes()).collect();
    m.int(2, FLOAT).text(8, name).bytes(9, &raw)
}

fn value_info(name: &str, dims: &[i64]) -> Message {
    let mut shape = Message::default();
    for dim in dims {
        let dim = if *dim < 0 { Message::default().text(2, "open") } else { Message::default().int(1, *dim) };
        shape = shape.part(1, dim);
    }
    let tensor = Message::default().int(1, FLOAT).part(2, shape);
    Message::default().text(1, name).part(2, Message::default().part(1, tensor))
}

/// A whole model: nodes, constants, and named inputs and outputs with their shapes.
pub fn model(
    nodes: Vec<Message>,
    constants: Vec<Message>,
    inputs: &[(&str, &[i64])],
    outputs: &[(&str, &[i64])],
) -> Vec<u8> {
    let mut graph = Message::default();
    for n in nodes {
        graph = graph.part(1, n);
    }
    graph = graph.text(2, "test");
    for c in constants {
        graph = graph.part(5, c);
    }
    for (name, dims) in inputs {
        graph = graph.part(11, value_info(name, dims));
    }
    for (name, dims) in outputs {
        graph = graph.part(12, value_info(name, dims));
    }
    Message::default().int(1, 8).part(7, graph).part(8, Message::default().text(1, "").int(2, 13)).0
}

/// A folder with a network; `card` is model.toml with `SHA` where the sum belongs.
pub fn install(folder: &Path, onnx: &[u8], card: &str) {
    std::fs::create_dir_all(folder).unwrap();
    std::fs::write(folder.join("model.onnx"), onnx).unwrap();
    let sum = hex(&Sha256::digest(onnx));
    std::fs::write(folder.join("model.toml"), card.replace("SHA", &sum)).unwrap();
}

/// The tables that the card of a detector or of a landmark network must have.
pub const CHAIN_TABLES: &str = "[detection]\nmax_overlap = 0.4\nmax_candidates = 6\n\
    [tracking]\nrecount_interval_ms = 1000\nmax_unconfirmed = 2\nremembered_ms = 3000\nnear_sides = 1.5\n\
    same_face_share_inside = 0.5\nsame_face_overlap = 0.3\ncorner_penalty = 0.5\n\
    [crop]\ndetection_sides = 1.3\ntracking_sides = 1.45\n\
    [face]\nmin_probability = 0.5\nmin_new_probability = 0.99\nmin_side_px = 12.0\nmax_disagreement_sides = 0.2\n";

/// The card's head. `kind` is also the name.
pub fn head(kind: &str) -> String {
    format!(
        "name = \"{kind}\"\nkind = \"{kind}\"\nversion = \"0\"\nfile = \"model.onnx\"\nsha256 = \"SHA\"\nlicense = \"none\"\n\
         summary = \"a formula\"\ntrained_on = \"nothing\"\n"
    )
}
