//! The page of the report. The summary is first, the details for reviewers are last.

use super::event_analysis::EventAnalysis;
use super::figures::{DrawnFigures, MAX_SESSION_FIGURES};
use super::html::{count, length, percent, plural, table};
use super::methods::signals_in_words;
use super::tally::Tally;
use crate::Selection;
use crate::markup::{append_line, escaped};
use crate::selection::folder_label;
use analysis::describe_dropped;
use session::program;
use store::SessionHeader;

const STYLE: &str = "\
:root{color-scheme:light}\
body{font:16px/1.55 system-ui,-apple-system,'Segoe UI',Ubuntu,sans-serif;color:#1b1f24;background:#fff;max-width:58rem;margin:2.5rem auto;padding:0 1.25rem}\
h1{font-size:1.7rem;line-height:1.25;margin:0 0 .3rem}h2{font-size:1.2rem;margin:2.4rem 0 .6rem;padding-top:.9rem;border-top:1px solid #d8dde3}\
p.lead{font-size:1.1rem;color:#454c55}figure{margin:1.2rem 0}figure svg{width:38rem;max-width:100%;height:auto}figure.wide svg{width:100%}figcaption{font-size:.9rem;color:#454c55;max-width:46rem}\
table{border-collapse:collapse;font-size:.9rem;margin:.8rem 0;font-variant-numeric:tabular-nums;display:block;overflow-x:auto}\
th,td{text-align:left;padding:.28rem .9rem .28rem 0;border-bottom:1px solid #e6e9ed;vertical-align:top}th{font-weight:600;color:#454c55}\
td{overflow-wrap:anywhere}td:first-child{white-space:nowrap}blockquote{margin:.8rem 0;padding:.2rem 1.1rem;border-left:3px solid #0072b2;background:#f4f7fa}\
.facts{display:flex;flex-wrap:wrap;gap:.4rem 2.2rem;margin:1.2rem 0;padding:0;list-style:none}.facts b{display:block;font-size:1.35rem;line-height:1.3}.facts span{color:#454c55;font-size:.9rem}\
@media print{body{margin:0;max-width:none}h2{break-after:avoid}figure,tr{break-inside:avoid}}";

pub(super) fn page(
    selection: &Selection,
    tally: &Tally,
    analysis: Option<EventAnalysis<'_>>,
    drawn: &DrawnFigures,
    methods: &[String],
) -> String {
    let title = escaped(&selection.title());
    let mut out = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{title}</title>\n\
         <style>{STYLE}</style>\n</head>\n<body>\n<h1>{title}</h1>\n"
    );
    append_line(&mut out, format_args!("<p class=\"lead\">{}</p>", escaped(&lead(tally))));
    out.push_str(&facts(tally));
    let used_page = tally.events.keys().any(|kind| kind.starts_with("page/"));
    append_line(
        &mut out,
        format_args!(
            "<p>A camera recorded the participant's face{}. A neural network read two numbers from every picture: \
         <b>valence</b>, how pleasant the expression looks (−1 unpleasant, 1 pleasant), and <b>arousal</b>, how excited it \
         looks (−1 calm, 1 excited). Events and the values of the face are on one clock. The values \
         can therefore be analysed around each action. The numbers estimate how people would rate the expression; they do not \
         measure what the participant felt.</p>",
            if used_page { " while they used a web page" } else { "" }
        ),
    );
    if let Some(analysis) = analysis {
        around_events(&mut out, analysis, drawn);
    }
    courses(&mut out, tally, drawn);
    quality(&mut out, selection, tally);
    append_line(&mut out, format_args!("<h2>Methods</h2>\n<blockquote>"));
    for paragraph in methods {
        append_line(&mut out, format_args!("<p>{}</p>", escaped(paragraph)));
    }
    append_line(&mut out, format_args!("</blockquote>"));
    sources(&mut out, tally);
    append_line(
        &mut out,
        format_args!(
            "<p><small>Made with {}. The figures of this page are in <code>figures/</code> as SVG and as PNG at 300 dpi.</small></p>\n</body>\n</html>",
            escaped(&program())
        ),
    );
    out
}

fn lead(tally: &Tally) -> String {
    let dates: Vec<_> = tally.rows.iter().map(|(h, _)| h.zero_utc.date_naive()).collect();
    let (first, last) = (dates.iter().min(), dates.iter().max());
    let when = match (first, last) {
        (Some(first), Some(last)) if first == last => format!("on {first}"),
        (Some(first), Some(last)) => format!("between {first} and {last}"),
        _ => String::new(),
    };
    format!(
        "{} of {}, recorded {when}.",
        plural(tally.rows.len() as u64, "session"),
        plural(tally.participants() as u64, "participant")
    )
}

fn facts(tally: &Tally) -> String {
    let stored = tally.sum(|q| q.frames_stored);
    let lost = tally.sum(|q| q.frames_lost);
    let face = tally.face_share().map_or("–".to_owned(), percent);
    let (valence, arousal) = match tally.plane.mean() {
        Some((v, a)) => (signed(v), signed(a)),
        None => ("–".to_owned(), "–".to_owned()),
    };
    let grades: Vec<String> = tally
        .grades
        .iter()
        .map(|(g, n)| if tally.rows.len() == 1 { g.to_string() } else { format!("{n} × {g}") })
        .collect();
    let facts = [
        (length(tally.seconds()), "recorded"),
        (count(stored), "pictures"),
        (count(lost), "pictures lost"),
        (face, "of scored pictures with a face"),
        (valence, "mean valence"),
        (arousal, "mean arousal"),
        (grades.join(", "), "quality, A (best) to F"),
    ];
    let items: String =
        facts.iter().map(|(value, what)| format!("<li><b>{}</b><span>{what}</span></li>", escaped(value))).collect();
    format!("<ul class=\"facts\">{items}</ul>\n")
}

fn signed(value: f64) -> String {
    format!("{}{:.2}", if value <= -0.005 { "−" } else { "+" }, value.abs())
}

fn figure(out: &mut String, class: &str, svg: &str, caption: &str) {
    // An embedded SVG has no XML declaration and no document type.
    let svg = svg.find("<svg").map_or("", |start| &svg[start..]);
    append_line(
        out,
        format_args!("<figure class=\"{class}\">\n{svg}\n<figcaption>{}</figcaption>\n</figure>", escaped(caption)),
    );
}

fn around_events(out: &mut String, EventAnalysis { findings, .. }: EventAnalysis<'_>, drawn: &DrawnFigures) {
    let signals = signals_in_words(findings);
    let is_affect = findings.conditions.iter().flat_map(|c| &c.averages).all(|a| a.measure.signal.is_affect());
    let heading = if is_affect { "Affect around events" } else { "Signals around events" };
    append_line(out, format_args!("<h2>{heading}</h2>"));
    if let Some(svg) = &drawn.average {
        let caption = format!(
            "Mean course of {signals} around the event (at 0 s). Thick line: mean; band: its 95 % interval; thin \
             lines: single participants. A black bar below marks a time range with a significant cluster of the permutation test \
             (upper end of the interval of p ≤ 0.05), a grey bar a cluster that is not significant."
        );
        figure(out, "average", svg, &caption);
    }
    if let Some(svg) = &drawn.group {
        figure(
            out,
            "wide",
            svg,
            "Each point is one participant's mean after the event; beside them the group's mean with its 95 % interval. Lines join the same participant.",
        );
    }
    let kept = findings.conditions.iter().filter_map(|c| {
        let a = c.averages.first()?;
        Some(vec![
            c.name.clone(),
            count(a.matched),
            count(a.epochs),
            count(a.participants),
            describe_dropped(&a.dropped),
        ])
    });
    out.push_str(&table(&["events", "matching", "kept", "participants", "dropped, by reason"], kept));
    let against_zero = findings.conditions.iter().flat_map(|c| c.against_zero.iter().map(|t| (c.name.as_str(), t)));
    let name = findings.conditions.iter().map(|c| c.name.as_str()).collect::<Vec<_>>().join(" minus ");
    let tests: Vec<Vec<String>> = against_zero
        .chain(findings.comparisons.iter().map(|t| (name.as_str(), t)))
        .map(|(name, t)| {
            let e = &t.effect;
            let clusters: Vec<String> =
                t.clusters.iter().map(|c| format!("{:.2} to {:.2} s (p = {:.4})", c.from_s, c.until_s, c.p)).collect();
            vec![
                name.to_owned(),
                t.measure.to_string(),
                format!("{} [{}, {}]", signed3(e.difference), signed3(e.low), signed3(e.high)),
                e.cohens_d.map_or("–".to_owned(), |d| format!("{d:.2}")),
                if clusters.is_empty() { "none".to_owned() } else { clusters.join("; ") },
            ]
        })
        .collect();
    if !tests.is_empty() {
        out.push_str(&table(
            &["events", "measure", "mean after the event [95 % interval]", "Cohen's d", "time ranges"],
            tests,
        ));
    }
    for note in &findings.notes {
        append_line(out, format_args!("<p>{}</p>", escaped(note)));
    }
}

fn signed3(value: f64) -> String {
    format!("{}{:.3}", if value <= -0.0005 { "−" } else { "+" }, value.abs())
}

fn courses(out: &mut String, tally: &Tally, drawn: &DrawnFigures) {
    append_line(out, format_args!("<h2>Valence and arousal</h2>"));
    if let Some(svg) = &drawn.plane {
        let points = if tally.means.len() > 1 { " Orange points: the participants' means." } else { "" };
        let caption = format!(
            "Darker: more time at these values. Cross: the mean of all.{points} Values beyond the edge are drawn at the edge."
        );
        figure(out, "plane", svg, &caption);
    }
    for (title, svg) in &drawn.courses {
        let caption = format!(
            "{title}. Line: the network's value; band: the network's uncertainty (one standard deviation); grey: \
             no data. Below: what the participant did on the page, and the operator's markers."
        );
        figure(out, "wide", svg, &caption);
    }
    if drawn.courses.is_empty() && tally.rows.len() > MAX_SESSION_FIGURES {
        append_line(
            out,
            format_args!(
                "<p>The courses of {} are not drawn here; a report of one session contains its course.</p>",
                plural(tally.rows.len() as u64, "session")
            ),
        );
    }
    let events = tally.events.iter().map(|(kind, n)| vec![kind.clone(), count(*n)]);
    append_line(out, format_args!("<h2>Events</h2>"));
    out.push_str(&table(&["event", "times"], events));
}

/// The condition of a session, and whether it is a pilot. May be empty.
fn group(h: &SessionHeader) -> String {
    let parts: Vec<&str> = h.condition.as_deref().into_iter().chain(h.pilot.then_some("pilot")).collect();
    parts.join(", ")
}

fn quality(out: &mut String, selection: &Selection, tally: &Tally) {
    append_line(out, format_args!("<h2>Quality of the recordings</h2>"));
    let has_groups = tally.rows.iter().any(|(h, _)| !group(h).is_empty());
    let rows = tally.rows.iter().map(|(h, q)| {
        let head = [h.participant.to_string(), h.session.to_string()];
        let rest = [
            h.zero_utc.format("%Y-%m-%d %H:%M").to_string(),
            length(q.seconds),
            q.grade.to_string(),
            count(q.frames_stored),
            count(q.frames_lost),
            q.face_share.map_or("–".to_owned(), percent),
            if q.findings().is_empty() { "none".to_owned() } else { q.findings().join(" ") },
        ];
        head.into_iter().chain(has_groups.then(|| group(h))).chain(rest).collect()
    });
    let head = ["participant", "session"].into_iter().chain(has_groups.then_some("condition"));
    let rest = ["recorded (UTC)", "length", "grade", "pictures", "lost", "with a face", "findings"];
    let head: Vec<&str> = head.chain(rest).collect();
    out.push_str(&table(&head, rows));
    if !tally.gaps.is_empty() {
        let gaps = tally
            .gaps
            .iter()
            .map(|(reason, g)| vec![reason.to_string(), count(g.count), length(g.seconds), count(g.lost)]);
        append_line(out, format_args!("<p>Missing data by reason:</p>"));
        out.push_str(&table(&["reason", "times", "in all", "missing"], gaps));
    }
    if !selection.left_out().is_empty() {
        append_line(out, format_args!("<p>These sessions could not be read and are not included in this report:</p>"));
        let rows = selection.left_out().iter().map(|one| vec![folder_label(&one.folder)]);
        out.push_str(&table(&["session"], rows));
    }
}

fn sources(out: &mut String, tally: &Tally) {
    append_line(out, format_args!("<h2>Software and networks</h2>"));
    let models =
        tally.models().iter().map(|m| vec![m.name.clone(), m.version.clone(), format!("{}{}", m.sum(), m.remark())]);
    out.push_str(&table(&["network", "version", "sha256"], models));
    let streams = tally
        .streams
        .iter()
        .map(|(name, made_by)| vec![name.clone(), made_by.iter().cloned().collect::<Vec<_>>().join("; ")]);
    out.push_str(&table(&["stream", "made by"], streams));
}
